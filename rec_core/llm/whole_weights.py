"""Save a model in one piece, also where each of several processes holds a shard of it (FSDP)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rec_core.processes import is_main, wait_for_everyone


def save_whole(model: Any, folder: Path, within: str = "") -> None:
    """Write a model's config and weights (safetensors + JSON) into `folder`.

    Of several processes all must call it, because each may hold only a shard; the main one writes.

    Args:
        model: of transformers or PEFT.
        folder: where the files go.
        within: only weights whose names contain this; "" = all.
    """
    tensors = {name: _whole(tensor) for name, tensor in model.state_dict().items() if within in name}
    if is_main():
        model.save_pretrained(str(folder), safe_serialization=True, state_dict=tensors)
    wait_for_everyone()


def _whole(tensor: Any) -> Any:
    """Return a tensor that is sharded over processes in full, any other as it is."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor

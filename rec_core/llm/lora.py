"""Low-rank adapters: attach, save, reload and prove that something was learned.

Paper: RALLRec section 3.2 with ReLLa's settings: rank 8, alpha 16, dropout 0.05, query and value projections.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from rec_core.config import Config
from rec_core.llm.quiet import quiet_libraries
from rec_core.llm.whole_weights import save_whole
from rec_core.types import InputError


class LoraConfig(Config):
    """The adapter's shape."""

    rank: int = Field(8, ge=1, le=1024, description="Rank of each update matrix.")
    alpha: int = Field(16, ge=1, description="Scale: the update is multiplied by alpha / rank.")
    dropout: float = Field(0.05, ge=0, lt=1, description="Dropout before the update.")
    target_modules: tuple[str, ...] = Field(
        ("q_proj", "v_proj"), description="Names of the layers that get one."
    )


def attach(model: Any, config: LoraConfig, seed: int) -> Any:
    """Return `model` wrapped with a fresh adapter; the backbone is frozen.

    Args:
        model: a causal language model; 8-bit and 4-bit weights are prepared for training first.
        config: the adapter's shape.
        seed: decides the adapter's initial values.

    Raises:
        InputError: the model has no layer of the named kind.
    """
    quiet_libraries()
    import torch
    from peft import LoraConfig as PeftLoraConfig
    from peft import get_peft_model, prepare_model_for_kbit_training

    if getattr(model, "is_quantized", False):
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    peft_config = PeftLoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(config.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return get_peft_model(model, peft_config)
        except ValueError as error:
            names = ", ".join(config.target_modules)
            raise InputError(
                f"The backbone has no layers called {names}; name its attention projections in tuning.lora."
                "target_modules."
            ) from error


def save_adapter(model: Any, folder: Path) -> None:
    """Write the adapter (safetensors + JSON) into `folder`; of several processes all must call it."""
    save_whole(model, folder, within="lora_")


def load_adapter(model: Any, folder: Path) -> Any:
    """Return `model` wrapped with the adapter in `folder`, for inference."""
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(folder))


def adapter_delta(folder: Path) -> float:
    """Return the Frobenius norm of all saved updates B @ A (before the alpha / rank scale).

    A fresh adapter has B = 0, so zero means that nothing was learned or nothing was saved.
    """
    import numpy as np

    from rec_core.store import read_tensors

    tensors = read_tensors(folder / "adapter_model.safetensors")
    total = 0.0
    for name, down in tensors.items():
        if "lora_A" in name:
            up = tensors[name.replace("lora_A", "lora_B")]
            total += float(np.sum((up.astype(np.float64) @ down.astype(np.float64)) ** 2))
    return float(np.sqrt(total))


def check_learned(folder: Path) -> float:
    """Return the saved adapter's delta.

    Raises:
        RuntimeError: the delta is zero: the tuning learned nothing.
    """
    delta = adapter_delta(folder)
    if delta == 0.0:
        raise RuntimeError(f"The adapter in {folder.name} is all zero after tuning: no gradient reached it.")
    return delta

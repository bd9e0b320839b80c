"""The verb that says before a run what memory it will take, and what each number is based on."""

from __future__ import annotations

from typing import Any

import psutil

from rec_core.llm.backbone import SAMPLE_LM, is_local
from rec_core.store import Workspace
from rec_core.types import Progress, ignore_progress
from rec_core.workbench.data_verbs import load_dataset
from rec_core.workbench.run_verbs import config_of

_MB = 1024**2
_RUNTIME_MB = 900  # torch, transformers and the packaged encoder in memory, measured on a 64-bit Linux CPU


def preflight(
    system: str,
    data: str,
    preset: str = "small",
    overrides: dict[str, Any] | None = None,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return an estimate of the memory a run takes: rows of {what, mb, basis}, total_mb, available_mb, ok.

    `mb` is None where nothing can be known before the model is read; `ok` then speaks of the rest.
    """
    config: Any = config_of(system, preset, overrides)
    dataset = load_dataset(data, progress, workspace=workspace)
    users, items, n = dataset.interactions.n_users, dataset.interactions.n_items, len(dataset.interactions)
    width = config.behaviour.embedding_size
    rows: list[dict[str, Any]] = [
        {"what": "runtime", "mb": _RUNTIME_MB, "basis": "libraries and text encoder, measured"},
        {
            "what": "behaviour view",
            "mb": ((users + items) * width * 4 * (4 + config.behaviour.n_layers) + 2 * n * 12) / _MB,
            "basis": f"({users:,} + {items:,}) x {width} floats x (weights, Adam, layers); edges twice",
        },
        {
            "what": "alignment",
            "mb": 3 * items * items * 4 / _MB,
            "basis": f"{items:,} x {items:,} cosines, 3 times",
        },
        _language_model(config),
    ]
    total = sum(row["mb"] or 0.0 for row in rows)
    available = psutil.virtual_memory().available / _MB
    return {"rows": rows, "total_mb": total, "available_mb": available, "ok": total < available}


def _language_model(config: Any) -> dict[str, Any]:
    name = config.backbone.name
    if name == SAMPLE_LM:
        lm = config.sample_lm
        parameters = lm.vocab_size * lm.hidden_size + lm.n_layers * 12 * lm.hidden_size**2
        logits = lm.training.batch_size * lm.block_length * lm.vocab_size * 4 * 3
        basis = f"{parameters / 1e6:.1f} M parameters x 16 bytes (weights and Adam), logits of a batch"
        return {"what": "language model", "mb": (parameters * 16 + logits) / _MB, "basis": basis}
    if is_local(name):
        from pathlib import Path

        size = sum(file.stat().st_size for file in Path(name).glob("*.safetensors"))
        share = {"fp32": 1.0, "bf16": 0.5, "8bit": 0.3, "4bit": 0.2}[config.backbone.precision]
        basis = f"{size / _MB:,.0f} MB on disk x {share} for {config.backbone.precision}, x 1.2 to run"
        return {"what": "language model", "mb": size * share * 1.2 / _MB, "basis": basis}
    return {"what": "language model", "mb": None, "basis": f"{name} is not on this machine yet"}

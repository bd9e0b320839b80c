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
_RUNTIME_MB = 330  # torch, pandas and scipy in memory, measured on a 64-bit Linux CPU
_LANGUAGE_RUNTIME_MB = 900  # with transformers and the packaged encoder
_BLOCK_CELLS = 2**20  # scores that an evaluation holds at once on a CPU
_TRAINED = 4  # weights, gradient and Adam's two moments
_WEIGHT_BYTES = 12  # an item weight in float32 and its inverse in float64, or with its index

Row = dict[str, Any]


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

    What a run holds is read off the fields of its config: vectors, graph, item weights, scores, language
    model. `mb` is None where nothing can be known before the model is read; `ok` then speaks of the rest.
    """
    config: Any = config_of(system, preset, overrides, data)
    dataset = load_dataset(data, progress, workspace=workspace)
    sizes = dataset.interactions.n_users, dataset.interactions.n_items, len(dataset.interactions)
    rows = _language_parts(config, *sizes) if hasattr(config, "backbone") else _id_parts(config, *sizes)
    total = sum(row["mb"] or 0.0 for row in rows)
    available = psutil.virtual_memory().available / _MB
    return {"rows": rows, "total_mb": total, "available_mb": available, "ok": total < available}


def _row(what: str, n_bytes: float, basis: str) -> Row:
    return {"what": what, "mb": n_bytes / _MB, "basis": basis}


def _language_parts(config: Any, users: int, items: int, n: int) -> list[Row]:
    """Return what a language model and the views it reads from take."""
    rows = [_row("runtime", _LANGUAGE_RUNTIME_MB * _MB, "libraries and text encoder, measured")]
    if hasattr(config, "behaviour"):
        width, depth = config.behaviour.embedding_size, config.behaviour.n_layers
        size = (users + items) * width * 4 * (4 + depth) + 2 * n * 12
        basis = f"({users:,} + {items:,}) x {width} floats x (weights, Adam, layers); edges twice"
        rows.append(_row("behaviour view", size, basis))
    if hasattr(config, "alignment"):
        rows.append(_row("alignment", 3 * items * items * 4, f"{items:,} x {items:,} cosines, 3 times"))
    return [*rows, _language_model(config)]


def _id_parts(config: Any, users: int, items: int, n: int) -> list[Row]:
    """Return what a system of ids alone takes."""
    rows = [_row("runtime", _RUNTIME_MB * _MB, "libraries, measured")]
    width = getattr(config, "embedding_size", 0)
    if width:
        copies = _TRAINED if hasattr(config, "loop") else 2
        words = "weights, gradient, Adam" if hasattr(config, "loop") else "vectors and a copy"
        basis = f"({users:,} + {items:,}) x {width} floats x {copies} ({words})"
        rows.append(_row("vectors", (users + items) * width * 4 * copies, basis))
    if hasattr(config, "n_layers"):
        layers = (users + items) * width * 4 * 2 * (config.n_layers + 1)
        basis = f"{2 * n:,} entries x 16 bytes; {config.n_layers + 1} layers of nodes with gradients"
        rows.append(_row("graph", 2 * n * 16 + layers, basis))
    if getattr(config, "loss", "") == "cross_entropy":
        basis = f"{config.batch_size:,} x {items:,} floats x 3 (scores, probabilities, gradient)"
        rows.append(_row("next-item scores", config.batch_size * items * 4 * 3, basis))
    if _sums_over_history(config):
        kept = getattr(config, "n_neighbours", items)
        basis = f"{items:,} x {min(kept, items):,} weights x {_WEIGHT_BYTES} bytes"
        rows.append(_row("item weights", items * min(kept, items) * _WEIGHT_BYTES, basis))
    cells = max(_BLOCK_CELLS, items)
    rows.append(
        _row("evaluation", cells * 4 * 3, "a block of scores at a time, 3 times; never users x items")
    )
    return rows


def _sums_over_history(config: Any) -> bool:
    from rec_core.systems.item_weights import ItemWeightConfig

    return isinstance(config, ItemWeightConfig)


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

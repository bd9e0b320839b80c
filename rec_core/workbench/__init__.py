"""The verbs: what pages, command line and notebooks call; with `types`, all of the engine that is public."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_VERBS = {
    "data_verbs": (
        "datasets",
        "describe",
        "filter_dataset",
        "filter_recipes",
        "import_table",
        "load_dataset",
        "preview_table",
        "split_preview",
    ),
    "run_verbs": (
        "annotate_run",
        "build_sample",
        "config_of",
        "load_run",
        "new_run",
        "rename_run",
        "resume",
        "runs",
        "sample_run",
        "show_run",
        "systems",
        "train",
    ),
    "capability_verbs": ("capabilities", "lacking", "runs_with"),
    "compare_verbs": ("compare",),
    "seeded_verbs": ("ensure_run",),
    "tune_verbs": ("new_tuning", "tune"),
    "user_verbs": ("users_of_run",),
    "map_verbs": ("agreement", "embed", "embeddings", "is_projected", "neighbours", "project", "views"),
    "recommend_verbs": ("recommend", "user_history", "users"),
    "explain_verbs": ("explain",),
    "rerank_verbs": ("rerank",),
    "surface_verbs": ("surface",),
    "auc_surface_verbs": ("auc_surface", "known_auc_surface"),
    "audit_verbs": ("audit", "audits", "probes_of"),
    "memory_verbs": ("preflight",),
    "description_verbs": ("estimate_descriptions", "show_descriptions", "write_descriptions"),
    "doctor_verbs": ("doctor",),
}
_MODULE_OF = {verb: module for module, verbs in _VERBS.items() for verb in verbs}
__all__ = sorted(_MODULE_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Import a verb's module when the verb is first asked for, so that light verbs stay light."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)

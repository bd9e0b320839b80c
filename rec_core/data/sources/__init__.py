"""The built-in datasets by name; one module per dataset, imported only when asked for."""

from __future__ import annotations

from importlib import import_module

from rec_core.types import Dataset, InputError, Progress, ignore_progress

SOURCES: dict[str, str] = {
    "sample": "rec_core.data.sources.sample.load",
    "ml-100k": "rec_core.data.sources.ml_100k",
    "ml-1m": "rec_core.data.sources.ml_1m",
    "ml-latest-small": "rec_core.data.sources.ml_latest_small",
}
EMBEDDED = "sample"  # comes with the package: needs no file and no download


def load_source(name: str, progress: Progress = ignore_progress) -> Dataset:
    """Load a built-in dataset.

    Args:
        name: a key of `SOURCES`.
        progress: hears about a download.

    Raises:
        InputError: there is no such dataset, or its files cannot be found, downloaded or understood.
    """
    if name not in SOURCES:
        raise InputError(f"There is no built-in dataset {name!r}; choose one of {', '.join(SOURCES)}.")
    load = import_module(SOURCES[name]).load
    return load() if name == EMBEDDED else load(progress=progress)

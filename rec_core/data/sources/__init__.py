"""The built-in datasets by name; one module per dataset, imported only when asked for.

Most have a `load` of their own; where one module gives several, the function follows a colon.
"""

from __future__ import annotations

from importlib import import_module

from rec_core.types import Dataset, InputError, Progress, ignore_progress

SOURCES: dict[str, str] = {
    "sample": "rec_core.data.sources.sample.load",
    "ml-100k": "rec_core.data.sources.ml_100k",
    "ml-1m": "rec_core.data.sources.ml_1m",
    "ml-latest-small": "rec_core.data.sources.ml_latest_small",
    "bookcrossing": "rec_core.data.sources.bookcrossing",
    "amazon-beauty": "rec_core.data.sources.amazon_beauty",
    "lastfm-llara": "rec_core.data.sources.lastfm_llara",
    "rlmrec-amazon": "rec_core.data.sources.rlmrec:load_amazon",
    "rlmrec-yelp": "rec_core.data.sources.rlmrec:load_yelp",
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
    module, _, function = SOURCES[name].partition(":")
    load = getattr(import_module(module), function or "load")
    return load() if name == EMBEDDED else load(progress=progress)

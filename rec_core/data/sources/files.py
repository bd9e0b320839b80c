"""One door for a person's own data: a table, or files of a known format at a path.

Formats: `table` (one file, see `table.py`), `amazon`, `steam`, `yelp` (review lines), `recbole` (atomic
files), `matrices` (scipy) and `datasets` (a Hugging Face datasets folder). The files show which one it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from rec_core.data.sources import amazon_reviews, hf_folder, recbole, sparse_matrices, steam, yelp
from rec_core.data.sources.file_set import FileSet, open_files
from rec_core.data.sources.json_lines import SUFFIXES as JSON_LINES
from rec_core.data.sources.json_lines import first_record
from rec_core.data.sources.table import load_table
from rec_core.data.sources.table_file import ATOMIC
from rec_core.types import Dataset, InputError

_REVIEWS = {"amazon": amazon_reviews, "steam": steam, "yelp": yelp}
FORMATS = ("table", *_REVIEWS, "recbole", "matrices", "datasets")
_TAKES = {  # what each format can use besides the path and the name
    "table": ("items", "users", "mapping"),
    **dict.fromkeys(_REVIEWS, ("items",)),
    "recbole": ("mapping",),
    "matrices": (),
    "datasets": ("items", "mapping"),
}


def load_files(
    path: Path,
    format: str | None = None,
    name: str = "files",
    items: Path | None = None,
    users: Path | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Dataset:
    """Read a dataset from a file, a folder or a zip.

    Args:
        path: where the files are.
        format: one of `FORMATS`; None = what the files look like.
        name: what the dataset will be called.
        items: item texts that are not at the path (a table; for review lines a file of theirs).
        users: a table of user attributes, beside a table.
        mapping: our column -> theirs, for tables, atomic files and datasets folders.

    Raises:
        InputError: the format is unknown or cannot use what was given; or the first fault in the files.
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise InputError(f"There is no format {format!r}; choose one of {', '.join(FORMATS)}.")
    format = format or recognise(path)
    given = {"items": items, "users": users, "mapping": mapping}
    for option, value in given.items():
        if value and option not in _TAKES[format]:
            able = ", ".join(name for name, options in _TAKES.items() if option in options)
            raise InputError(f"Files of the format {format} take no {option}; only these do: {able}.")
    if format == "table":
        return load_table(path, items=items, users=users, name=name, mapping=mapping)
    if format in _REVIEWS:
        return _REVIEWS[format].load(path, name, items)
    if format == "recbole":
        return recbole.load(path, name, mapping)
    if format == "matrices":
        return sparse_matrices.load(path, name)
    return hf_folder.load(path, name, items, mapping)


def recognise(path: Path) -> str:
    """Return the format of the files at a path; what nothing else fits counts as a table.

    Raises:
        InputError: there is nothing, or a folder without a known format.
    """
    path = Path(path)
    if not path.exists():
        return "table"  # whose reader says what is missing
    if path.is_file() and path.suffix.lower() != ".zip" and not _is_streamed(path.name):
        return "table"
    files = open_files(path)
    several = files.kind == "folder" or len(files.named(*ATOMIC)) > 1
    if several and files.named(ATOMIC[0]):
        return "recbole"
    if files.named(".npz"):
        return "matrices"
    found = _reviews_in(files)
    if found is not None:
        return found
    if files.kind != "zip" and files.named(".arrow", *([".parquet"] if files.kind == "folder" else [])):
        return "datasets"
    if files.kind == "zip":
        return "table"
    raise InputError(
        f"{path} holds nothing of a known format ({', '.join(FORMATS)}); give the one table file, or name "
        "the format."
    )


def _is_streamed(name: str) -> bool:
    return name.lower().endswith((*JSON_LINES, ".npz", ".arrow"))


def _reviews_in(files: FileSet) -> str | None:
    """Return the collection whose reviews are among the files."""
    for name in files.named(*JSON_LINES):
        if PurePosixPath(name).name == sparse_matrices.MAPPER:
            continue
        first = first_record(files, name)
        for format, module in _REVIEWS.items():
            if first is not None and module.COLLECTION.edition_of(first) is not None:
                return format
    return None

"""Interactions as sparse matrices, users x items, in scipy's `.npz`: one file, or one per part.

A file is what `scipy.sparse.save_npz` writes, or its cells as the arrays `user`, `item` and `shape` (users,
items), as RLMRec's matrices come. Parts are told by file names: trn, train; val, valid, validation; tst, test
(also `trn_mat.npz`); a single file is not cut. An optional `mapper_item.json` (per item a line
{"iid": 0, "asin": "..."}) gives the items' ids; without it a column's number is its id. A row's number is the
user's id. When all values are 1 they say "there was an interaction" and are no ratings. Nothing is known of
order: rows stand part after part as the files hold them.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np

from rec_core.data.sources.archive import check_member
from rec_core.data.sources.catalogue_rows import CatalogueRows
from rec_core.data.sources.dataset_record import make_dataset
from rec_core.data.sources.event_log import PARTS, EventLog
from rec_core.data.sources.file_set import FileSet, open_files
from rec_core.data.sources.json_lines import parse_records
from rec_core.types import Dataset, InputError

MAPPER = "mapper_item.json"
_PART_OF = {
    **{"trn": 0, "train": 0},
    **{"val": 1, "valid": 1, "validation": 1},
    **{"tst": 2, "test": 2},
}
Cells = tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]  # users, items, values, (U, I)


def load(path: Path, name: str = "matrices") -> Dataset:
    """Read a `.npz` file, or a folder or zip with one per part.

    Raises:
        InputError: naming the file that is no matrix, or that does not fit the others.
    """
    files = open_files(path)
    matrices = {part: _bytes(files, file) for part, file in _by_part(files).items()}
    mapper = next((file for file in files.names if PurePosixPath(file).name == MAPPER), None)
    return make_matrix_dataset(
        matrices,
        None if mapper is None else _bytes(files, mapper),
        name=name,
        source=f"Imported from {Path(path).name}",
        licence="Not stated by the files; ask where they come from.",
        item_noun="item",
    )


def make_matrix_dataset(
    matrices: dict[str, bytes],
    mapper: bytes | None,
    *,
    name: str,
    source: str,
    licence: str,
    item_noun: str,
    notes: tuple[str, ...] = (),
) -> Dataset:
    """Put matrices together: the rows of every part, all users and items of the common shape.

    Args:
        matrices: the bytes of a `.npz` by file name; the name tells the part.
        mapper: the bytes of `mapper_item.json`; None = numbers are the ids.
        name: what the dataset is called.
        source: where it comes from, for people.
        licence: the terms in short.
        item_noun: what prompts call an item.
        notes: what a reader should know.

    Raises:
        InputError: as `load`.
    """
    cells = {file: read_cells(data, file) for file, data in matrices.items()}
    shapes = {shape for *_, shape in cells.values()}
    if len(shapes) > 1:
        raise InputError(f"{', '.join(cells)} have different shapes; use matrices of one dataset.")
    n_users, n_items = shapes.pop()
    item_ids = [str(item) for item in range(n_items)] if mapper is None else _mapped(mapper, n_items)
    log = EventLog(item_ids, (str(user) for user in range(n_users)))
    has_ratings = any((values != 1).any() for _, _, values, _ in cells.values())
    for file, (users, items, values, _) in cells.items():
        log.add_numbers(users, items, values if has_ratings else None, part=_PART_OF.get(_stem(file), 0))
    log.check_size(", ".join(cells))
    catalogue, untitled = CatalogueRows(log.items).finish()
    return make_dataset(
        log,
        catalogue,
        name=name,
        source=source,
        licence=licence,
        item_noun=item_noun,
        has_ratings=has_ratings,
        has_time=False,
        is_cut=len(cells) > 1,
        notes=(*notes, *untitled),
    )


def read_cells(data: bytes, file: str) -> Cells:
    """Return the filled cells of a matrix in the file's order; nothing in a file is ever executed.

    Raises:
        InputError: the bytes are no such matrix, or one that does not fit its own shape.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                check_member(Path(file), member)
            names = set(archive.namelist())
        if {"user.npy", "item.npy", "shape.npy"} <= names:
            users, items, values, shape = _arrays(data)
        else:
            users, items, values, shape = _scipy(data)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{file} is no sparse matrix; write it with scipy.sparse.save_npz, users as rows."
        ) from None
    inside = len(users) == 0 or bool(
        users.min() >= 0 and users.max() < shape[0] and items.min() >= 0 and items.max() < shape[1]
    )
    if not inside or len(users) != len(items) or not np.isfinite(values).all():
        raise InputError(f"{file} has cells outside its shape or without a number; write it again.")
    return users, items, values, shape


def _arrays(data: bytes) -> Cells:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        users, items = arrays["user"].astype(np.int64), arrays["item"].astype(np.int64)
        n_users, n_items = (int(size) for size in arrays["shape"])
    return users, items, np.ones(len(users)), (n_users, n_items)


def _scipy(data: bytes) -> Cells:
    from scipy.sparse import load_npz

    matrix = load_npz(io.BytesIO(data)).tocoo()
    filled = matrix.data != 0
    n_users, n_items = matrix.shape
    values = matrix.data[filled].astype(np.float64)
    return matrix.row[filled], matrix.col[filled], values, (int(n_users), int(n_items))


def _by_part(files: FileSet) -> dict[str, str]:
    """Return the matrices' paths by their bare names, train first."""
    found = files.named(".npz")
    if not found:
        raise InputError(f"{files.place} holds no .npz file; give a matrix or a folder with one per part.")
    parts = [_PART_OF.get(_stem(file)) for file in found]
    if len(found) > 1 and (None in parts or len(set(parts)) < len(parts)):
        names = ", ".join(found)
        raise InputError(
            f"{files.place} holds {names}, which are not one matrix per part; name them {', '.join(PARTS)}."
        )
    found.sort(key=lambda file: _PART_OF.get(_stem(file), 0))
    return {PurePosixPath(file).name: file for file in found}


def _stem(file: str) -> str:
    return PurePosixPath(file).stem.lower().removesuffix("_mat")


def _bytes(files: FileSet, name: str) -> bytes:
    with files.open(name) as file:
        return file.read()


def _mapped(data: bytes, n_items: int) -> list[str]:
    """Return the id of each column from the mapper's lines."""
    ids: dict[int, str] = {}
    for row, record in parse_records(data, MAPPER):
        number = record.get("iid")
        other = [value for field, value in record.items() if field != "iid" and isinstance(value, str)]
        if not isinstance(number, int) or len(other) != 1 or number in ids:
            raise InputError(
                f'{MAPPER}, row {row}: the line must read {{"iid": number, "name": id}} with a new number; '
                "use the original file."
            )
        ids[number] = other[0]
    if sorted(ids) != list(range(n_items)) or len(set(ids.values())) < n_items:
        raise InputError(
            f"{MAPPER} does not give each of the {n_items:,} items an id of its own; use the original file."
        )
    return [ids[item] for item in range(n_items)]

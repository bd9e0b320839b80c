"""Columns of Arrow and parquet files as they stream by, a batch of records at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rec_core.data.sources import record_fields as fields
from rec_core.types import InputError

_BATCH = 1 << 16  # records
_LATEST_SECOND = 100_000_000_000  # the year 5138: larger whole numbers are milliseconds
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def column_names(path: Path) -> list[str]:
    """Return the columns of a file.

    Raises:
        InputError: it is neither Arrow nor parquet.
    """
    try:
        if path.suffix == ".parquet":
            return pq.read_schema(path).names
        with pa.memory_map(str(path)) as source:
            return _reader(source).schema.names
    except (pa.ArrowException, OSError, ValueError):
        raise InputError(f"{path} is no readable Arrow or parquet file; write it again.") from None


def batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the wanted columns, a batch at a time.

    Raises:
        InputError: the file is damaged.
    """
    try:
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                yield from file.iter_batches(_BATCH, columns=columns)
        else:
            with pa.memory_map(str(path)) as source:
                for batch in _reader(source):
                    yield batch.select(columns)
    except (pa.ArrowException, OSError):
        raise InputError(f"{path} is damaged; write it again.") from None


def ids(column: pa.Array, file: str, name: str, first_row: int) -> np.ndarray:
    """Return ids (M,) as text.

    Raises:
        InputError: naming the first record whose id is missing, empty, too long or a fraction.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    whole = pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not whole:
        fields.fault(file, first_row, name, str(kind), "is no type of ids; write text or whole numbers")
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    lengths = pc.fill_null(pc.utf8_length(text), 0).to_numpy(zero_copy_only=False)
    _refuse(
        (lengths < 1) | (lengths > fields.MAX_ID),
        column,
        file,
        name,
        first_row,
        "is no id; fill it in or drop it",
    )
    return text.to_numpy(zero_copy_only=False)


def ratings(column: pa.Array, file: str, name: str, first_row: int) -> np.ndarray:
    """Return ratings (M,) of at least 0.

    Raises:
        InputError: naming the first record without one.
    """
    numbers = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(float, na_value=np.nan)
    bad = ~((numbers >= 0) & (numbers < 1e9))
    _refuse(bad, column, file, name, first_row, "is not a rating; write a number of at least 0 or drop it")
    return numbers


def seconds(column: pa.Array, file: str, name: str, first_row: int) -> np.ndarray:
    """Return whole seconds since 1970 (M,) from seconds, milliseconds, Arrow times or ISO text.

    Raises:
        InputError: naming the first record without a time.
    """
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(column.type):
        units = column.cast(pa.int64()).fill_null(np.iinfo(np.int64).max).to_numpy()
        numbers = np.where(units == np.iinfo(np.int64).max, np.nan, units // _PER_SECOND[column.type.unit])
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        dates = pd.to_datetime(column.to_pandas(), format="ISO8601", utc=True, errors="coerce")
        numbers = ((dates - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)).to_numpy(float)
    else:
        numbers = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(float, na_value=np.nan)
        numbers = np.where(np.abs(numbers) < _LATEST_SECOND, numbers, numbers / 1000)
    bad = ~(np.abs(numbers) < _LATEST_SECOND)  # also true for NaN
    _refuse(bad, column, file, name, first_row, "is not a time; write seconds since 1970, or a date")
    return np.floor(numbers).astype(np.int64)


def _reader(source: pa.NativeFile) -> pa.RecordBatchReader:
    """Return the batches of an Arrow stream (what `save_to_disk` writes) or of an Arrow file."""
    try:
        return pa.ipc.open_stream(source)
    except pa.ArrowInvalid:
        source.seek(0)
        opened = pa.ipc.open_file(source)
        return pa.RecordBatchReader.from_batches(
            opened.schema, (opened.get_batch(place) for place in range(opened.num_record_batches))
        )


def _refuse(bad: np.ndarray, column: pa.Array, file: str, name: str, first_row: int, mend: str) -> None:
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        fields.fault(file, first_row + place, name, column[place].as_py(), mend)

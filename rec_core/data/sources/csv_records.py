"""Rows of an original CSV file as they stream by, checked for the columns that are wanted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from rec_core.types import InputError


def csv_records(data: bytes, file: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a comma-separated UTF-8 file with a header, each with its row (the header is 1).

    Args:
        data: the file's bytes.
        file: its name, for sentences.
        columns: the columns it must have.

    Raises:
        InputError: a column is missing, or a row has too few or too many values or is no UTF-8.
    """
    reader = csv.DictReader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline=""))
    try:
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{file}, row 1: there is no column {missing[0]!r}; use the original file.")
        for record in reader:
            if None in record or None in record.values():
                n_columns = len(reader.fieldnames or ())
                raise InputError(
                    f"{file}, row {reader.line_num}: there are not exactly {n_columns} values; use the "
                    "original file."
                )
            yield reader.line_num, record
    except (csv.Error, UnicodeDecodeError):
        raise InputError(
            f"{file}, row {reader.line_num + 1}: the row is no CSV in UTF-8; use the original file."
        ) from None

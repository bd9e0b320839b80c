"""One file of a person's into rows of text, each under the number that an editor shows for it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import pandas as pd

from rec_core.data.sources.archive import check_member
from rec_core.types import InputError

_Quoting = Literal[0, 3]  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE
ATOMIC = (".inter", ".item", ".user")
EXTENSIONS = (".csv", ".tsv", ".parquet", *ATOMIC)
_ATOMIC_NAME = re.compile(r"(.+):(token|token_seq|float|float_seq)")


@dataclass(frozen=True)
class TableFile:
    """A table as it was read.

    `rows` holds trimmed text ("" where empty). Its index is what people call the row: the line in a text file
    (the header is line 1), the record in a parquet file (the first is 1). `sequences` names the columns that
    a RecBole header calls `token_seq`: words separated by blanks.
    """

    name: str
    rows: pd.DataFrame
    sequences: frozenset[str]
    data: bytes

    @property
    def columns(self) -> str:
        """Return the column names for a sentence."""
        return ", ".join(self.rows.columns)


def read_table_file(path: Path) -> TableFile:
    """Read a CSV (comma, semicolon, tab, bar), TSV, parquet or RecBole atomic file, or a zip with one.

    Columns without a name and rows without a value are dropped.

    Raises:
        InputError: one sentence that names the file and, where there is one, the row.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {str(path)!r}; check the path.")
    return parse_table(*(_unzip(path) if path.suffix.lower() == ".zip" else (path.name, path.read_bytes())))


def parse_table(name: str, data: bytes) -> TableFile:
    """Read the bytes of a table whose format the end of its name tells.

    Raises:
        InputError: as `read_table_file`.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in EXTENSIONS:
        kinds = ", ".join(EXTENSIONS)
        raise InputError(f"{name} is none of {kinds} or .zip; save the table as CSV and import that.")
    if not data.strip():
        raise InputError(f"{name} is empty; it needs a header row and one row per record.")
    header, rows = _read_parquet(name, data) if suffix == ".parquet" else _read_text(name, data, suffix)
    sequences: frozenset[str] = frozenset()
    if suffix in ATOMIC:
        header, sequences = without_types(header)
    _check_header(name, header)
    rows = rows.set_axis(header, axis=1).loc[:, [column != "" for column in header]]
    rows = rows[(rows != "").any(axis=1)]
    if not len(rows):
        raise InputError(f"{name} has a header and no row below it; add the records and import it again.")
    return TableFile(name, rows, sequences, data)


def _unzip(path: Path) -> tuple[str, bytes]:
    """Return the name and the bytes of the one table in a zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            for member in members:
                check_member(path, member)
            tables = [member for member in members if _is_table(member.filename)]
            if len(tables) != 1:
                found = ", ".join(sorted(member.filename for member in tables)) or "none"
                raise InputError(
                    f"{path.name} must hold exactly one table ({', '.join(EXTENSIONS)}) but the tables in it "
                    f"are: {found}; pack one, or unpack it and import the file you mean."
                )
            return PurePosixPath(tables[0].filename).name, archive.read(tables[0])
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError):
        raise InputError(
            f"{path.name} is damaged, encrypted or no zip archive; pack it again without a password."
        ) from None


def _is_table(member: str) -> bool:
    path = PurePosixPath(member)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not hidden and path.suffix.lower() in EXTENSIONS


def _read_text(name: str, data: bytes, suffix: str) -> tuple[list[str], pd.DataFrame]:
    whole = _decoded(name, data)
    text = whole.lstrip("\r\n")
    first_row = 1 + whole[: len(whole) - len(text)].count("\n")
    separator = max(",;\t|", key=text.split("\n", 1)[0].count) if suffix == ".csv" else "\t"
    quoting: _Quoting = csv.QUOTE_NONE if suffix in ATOMIC else csv.QUOTE_MINIMAL
    try:
        rows = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            quoting=quoting,
        )
    except pd.errors.ParserError:
        raise InputError(_broken_row(name, text, separator, quoting, first_row)) from None
    rows.index = _line_numbers(rows, first_row)
    rows = rows.apply(lambda column: column.str.strip())
    return rows.iloc[0].tolist(), rows.iloc[1:]


def _decoded(name: str, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:200]:
        raise InputError(
            f"{name}, row 1: the bytes look like UTF-16 or a binary file; save it as UTF-8 text."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte, row = data[error.start], data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name}, row {row}: the byte 0x{byte:02X} (number {error.start + 1} of the file) is not UTF-8; "
            "save the file as UTF-8 and import it again."
        ) from None


def _line_numbers(rows: pd.DataFrame, first_row: int) -> pd.Index:
    """Return the line on which each record begins; quoted cells may span several lines."""
    breaks = rows.apply(lambda column: column.str.count("\n")).sum(axis=1).to_numpy(int)
    return pd.Index(first_row + np.arange(len(rows)) + breaks.cumsum() - breaks)


def _broken_row(name: str, text: str, separator: str, quoting: _Quoting, first_row: int) -> str:
    """Return the sentence about the first record with too many cells or without a closing quote."""
    records = csv.reader(io.StringIO(text), delimiter=separator, quoting=quoting, strict=True)
    n_columns = 0
    begin = first_row
    try:
        for cells in records:
            n_columns = n_columns or len(cells)
            if len(cells) > n_columns:
                return (
                    f"{name}, row {begin}: there are {len(cells)} values for {n_columns} columns; put a "
                    "value that holds the separator in double quotes."
                )
            begin = first_row + records.line_num
    except csv.Error:
        return f"{name}, row {begin}: a double quote is out of place or never closed; close or remove it."
    return f"{name} cannot be read as a table; save it as CSV and import it again."


def _read_parquet(name: str, data: bytes) -> tuple[list[str], pd.DataFrame]:
    import pyarrow as pa

    try:
        rows = pd.read_parquet(io.BytesIO(data), dtype_backend="numpy_nullable")
    except (pa.ArrowException, OSError, ValueError):
        raise InputError(f"{name} is no readable parquet file; write it again.") from None
    header = [str(column).strip() for column in rows.columns]
    rows = rows.set_axis(range(rows.shape[1]), axis=1).reset_index(drop=True)
    rows = rows.apply(lambda column: column.astype("string").fillna("").str.strip())
    rows.index = pd.RangeIndex(1, len(rows) + 1)
    return header, rows


def without_types(header: list[str]) -> tuple[list[str], frozenset[str]]:
    """Return RecBole's "name:type" headers as names, and the names whose type is token_seq."""
    parts = [_ATOMIC_NAME.fullmatch(column) for column in header]
    names = [part.group(1) if part else column for part, column in zip(parts, header, strict=True)]
    return names, frozenset(part.group(1) for part in parts if part and part.group(2) == "token_seq")


def _check_header(name: str, header: list[str]) -> None:
    named = [column for column in header if column]
    twice = [column for column in named if named.count(column) > 1]
    if twice:
        raise InputError(f"{name}, row 1: the column {twice[0]!r} comes twice; rename or remove one of them.")

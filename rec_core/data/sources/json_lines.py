"""One record per line: JSON, or the Python literals that some published "JSON" files hold instead.

A literal (`{u'name': 'x', 'ok': True}`) is read by `ast.literal_eval`, which builds values and runs nothing.
"""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from rec_core.data.sources.file_set import FileSet, decoded_lines
from rec_core.types import InputError

SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")


def records(files: FileSet, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records of a file with their rows (the first line is 1); one line is held at a time.

    Raises:
        InputError: naming the row that holds no record.
    """
    return _records(files.lines(name), PurePosixPath(name).name)


def parse_records(data: bytes, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records of a file whose bytes are at hand, as `records` does.

    Raises:
        InputError: naming the row that holds no record.
    """
    return _records(decoded_lines(io.BytesIO(data), name), name)


def first_record(files: FileSet, name: str) -> dict[str, Any] | None:
    """Return the first record of a file, or None where the first line is none."""
    for _, line in files.lines(name):
        record = _parsed(line)
        return record if isinstance(record, dict) else None
    return None


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return _literal(line)


def _literal(line: str) -> Any:
    """Return what a line says in Python's notation, as older dumps are written, or None."""
    try:
        return ast.literal_eval(line.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _records(lines: Iterator[tuple[int, str]], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for row, line in lines:
        record = _parsed(line)
        if not isinstance(record, dict):
            raise InputError(
                f"{name}, row {row}: the line is no record in braces; write one JSON object per line."
            )
        yield row, record

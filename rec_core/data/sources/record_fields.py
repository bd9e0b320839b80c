"""One field of a record that was read from somebody's file: checked, or named with file and row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from rec_core.types import InputError

Record = Mapping[str, Any]

MAX_ID = 200  # characters; ids are kept in arrays as wide as the longest
MAX_TEXT = 4_000  # characters of a text that are kept
_MAX_RATING = 1e9
_LATEST_SECOND = 100_000_000_000  # the year 5138: larger numbers are milliseconds


def fault(file: str, row: int, field: str, value: object, mend: str) -> NoReturn:
    """Raise the sentence about one value.

    Raises:
        InputError: "FILE, row 17, field 'rating': 'abc' is not ...".
    """
    shown = repr(value if not isinstance(value, str) or len(value) <= 40 else value[:37] + "...")
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    raise InputError(f"{file}, row {row}, field {field!r}: {shown} {mend}.")


def get(record: Record, field: str, file: str, row: int) -> Any:
    """Return a field that must be there.

    Raises:
        InputError: it is not.
    """
    if field not in record:
        raise InputError(f"{file}, row {row}: there is no field {field!r}; use the original file.")
    return record[field]


def identifier(record: Record, field: str, file: str, row: int) -> str:
    """Return an id as text, without blanks around it.

    Raises:
        InputError: it is missing, empty, too long, or neither text nor a whole number.
    """
    value = get(record, field, file, row)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_ID or not _is_clean(value):
        fault(file, row, field, value, f"is no id; give 1 to {MAX_ID} characters or delete the row")
    return value.strip()


def rating(record: Record, field: str, file: str, row: int) -> float:
    """Return a rating of at least 0; text that spells a number counts.

    Raises:
        InputError: it is none.
    """
    number = _number(get(record, field, file, row))
    if not 0 <= number < _MAX_RATING:  # also true for NaN
        fault(file, row, field, record[field], "is not a rating; write a number such as 4 or delete the row")
    return number


def seconds(record: Record, field: str, file: str, row: int, per_second: int = 1) -> int:
    """Return whole seconds since 1970 from a number that counts `per_second` units to the second.

    Raises:
        InputError: it is no such number.
    """
    number = _number(get(record, field, file, row)) / per_second
    if not abs(number) < _LATEST_SECOND:
        unit = "seconds" if per_second == 1 else "milliseconds"
        fault(file, row, field, record[field], f"is not a time in {unit} since 1970; mend or delete the row")
    return math.floor(number)


def iso_seconds(record: Record, field: str, file: str, row: int) -> int:
    """Return seconds since 1970 from a date like 2018-07-07 or 2018-07-07 22:09:11, in UTC.

    Raises:
        InputError: it is no such date.
    """
    value = get(record, field, file, row)
    try:
        time = datetime.fromisoformat(value.strip())
        return math.floor((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    except (AttributeError, TypeError, ValueError, OverflowError):
        fault(file, row, field, value, "is not a date like 2018-07-07 22:09:11; mend or delete the row")


def text(value: object) -> str:
    """Return text on one line, at most `MAX_TEXT` characters; a list is joined, everything else is empty."""
    if isinstance(value, list | tuple):
        value = " ".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    line = " ".join(value[: 2 * MAX_TEXT].split())[:MAX_TEXT]
    return line if _is_clean(line) else line.encode("utf-8", "replace").decode()


def labels(value: object) -> str:
    """Return a (possibly nested) list of words as "Drama|War", each once, in order."""
    found: dict[str, None] = {}
    stack: list[object] = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, list | tuple):
            stack.extend(reversed(top))
        elif label := text(top).replace("|", "/"):
            found[label] = None
    return "|".join(found)


def _number(value: object) -> float:
    try:
        return math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _is_clean(value: str) -> bool:
    """Tell whether the text can be written as UTF-8 (JSON may spell half a character)."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)

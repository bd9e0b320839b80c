"""What a verb prints on stdout: one JSON document, or tables for people."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from rec_core.cli.session import current

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Draw = Callable[["Console"], None]
PIPE_WIDTH = 160


def emit(payload: Any, as_json: bool, draw: Draw) -> None:
    """Print a verb's result, and keep it as result.json when the verb is a detached job.

    Args:
        payload: what `--json` prints.
        as_json: print JSON instead of what `draw` draws.
        draw: draws the result on a console.
    """
    job = current().job
    if job is not None:
        from rec_core.store import write_json

        write_json(job.path / "result.json", plain(payload))
    if as_json:
        sys.stdout.write(json.dumps(plain(payload), ensure_ascii=False, allow_nan=False, indent=1) + "\n")
        return
    from rich.console import Console

    draw(
        Console(
            file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, highlight=False
        )
    )


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: tables as lists of rows, missing and infinite numbers as null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(entry) for entry in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return plain(value.to_dict(orient="records"))
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return plain(value.tolist())
    if value != value or str(value) == "<NA>":  # what pandas puts for a missing value
        return None
    return str(value)


def table(rows: Iterable[Mapping[Any, Any]], columns: Sequence[str] = (), title: str = "") -> Table:
    """Return a table of rows, all text taken literally; without `columns`, the columns of the first row."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    names = list(columns) or list(listed[0] if listed else ())
    drawn = Table(
        title=Text(title) if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        caption_justify="left",
    )
    for name in names:
        numeric = any(_is_number(row.get(name)) for row in listed)
        drawn.add_column(
            Text(name.replace("_", " ")), justify="right" if numeric else "left", overflow="fold"
        )
    for row in listed:
        drawn.add_row(*(Text(shown(row.get(name))) for name in names))
    return drawn


def pairs(values: Mapping[str, Any], title: str = "") -> Table:
    """Return a two-column table of names and plain values; nested values are left out."""
    rows = [
        {"what": name, "value": value}
        for name, value in values.items()
        if not isinstance(value, Mapping | list | tuple)
    ]
    return table(rows, ("what", "value"), title)


def shown(value: Any) -> str:
    """Return a value as a table shows it: "-" for none, four digits of a fraction, no control characters."""
    value = plain(value)
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, list):
        return ", ".join(shown(entry) for entry in value)
    return "".join(c for c in str(value) if c.isprintable() or c == "\n")


def _is_number(value: Any) -> bool:
    return isinstance(plain(value), int | float) and not isinstance(plain(value), bool)

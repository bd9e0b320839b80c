"""What the small measurements share: a clock for one piece of work, and a command that prints rows."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rec_core.device import set_threads

Row = dict[str, Any]


def seconds(work: Callable[[], Any], at_least: float = 2.0) -> float:
    """Return the median seconds of a call, over calls that together last about two seconds."""
    found: list[float] = []
    work()
    end = time.perf_counter() + at_least
    while time.perf_counter() < end or len(found) < 5:
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return float(np.median(found))


def command(description: str, measure: Callable[[str], Iterable[Row]], line: Callable[[Row], str]) -> None:
    """Read the options, measure, print.

    Args:
        description: for the help.
        measure: rows for the name of a built-in dataset.
        line: a row for people.
    """
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--data", default="ml-100k", help="a built-in dataset")
    options.add_argument("--threads", type=int, default=1, help="threads of torch")
    options.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = options.parse_args()
    set_threads(chosen.threads)
    rows = list(measure(chosen.data))
    words = json.dumps(rows, indent=1) if chosen.json else "\n".join(map(line, rows))
    sys.stdout.write(words + "\n")

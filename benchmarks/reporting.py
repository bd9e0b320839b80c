"""How a benchmark tells what it found, and on which machine."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def show(rows: list[dict[str, Any]]) -> None:
    """Print a line per comparison, ours beside the peer's."""
    for entry in rows:
        values = [_number(entry[side]) for side in ("ours", "peer", "ratio")]
        interval = ""
        if "difference" in entry:
            interval = f"  difference {entry['difference']:+.4f} [{entry['low']:+.4f}, {entry['high']:+.4f}]"
        line = (
            f"{entry['metric']:<38} ours {values[0]:>9}  peer {values[1]:>9}  ratio {values[2]:>7} {interval}"
        )
        print(f"{entry['name']:<30} {line}", flush=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def machine() -> dict[str, Any]:
    """Return what a reader needs to know of the machine that a result comes from."""
    import torch

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()

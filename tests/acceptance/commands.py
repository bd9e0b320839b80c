"""Run verbs as a newcomer would: by the command line, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def environment(workspace: Path) -> dict[str, str]:
    """Return this process's environment for a command on `workspace`, without the tests' thread limit."""
    kept = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    return {**kept, "ROSETTA_WORKSPACE": str(workspace), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}


def command(workspace: Path, *arguments: str, timeout: float = 900) -> Any:
    """Run a verb with --json and return its document."""
    done = subprocess.run(
        [sys.executable, "-m", "rec_core", *arguments, "--json"],
        cwd=ROOT,
        env=environment(workspace),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Sample:
    """The built sample: where, which run, and how long it took."""

    workspace: Path
    run: str
    seconds: float

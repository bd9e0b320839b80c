"""Two processes that share every batch end where one process ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rec_core.store import read_tensors
from tests.acceptance.commands import ROOT, command, environment

pytestmark = pytest.mark.slow

SETTINGS = ["--preset", "tiny", "--set", "loop.epochs=4", "--set", "batch_size=511"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("processes")


@pytest.mark.parametrize("system", ["matrix_factorisation", "graph_cf"])
def test_two_processes_equal_one(system: str, workspace: Path) -> None:
    """An odd batch size: the two shares of a batch are never of the same size."""
    one = command(workspace, "train", system, "--data", "sample", *SETTINGS)
    two = together(workspace, "train", system, "--data", "sample", *SETTINGS, "--seed", "0")
    assert one["run"] != two["run"]
    for name, interval in one["metrics"].items():
        assert abs(interval["value"] - two["metrics"][name]["value"]) < 1e-3, name
    files = [workspace / "runs" / run / "vectors.safetensors" for run in (one["run"], two["run"])]
    alone, shared = (read_tensors(file) for file in files)
    for name in ("users", "items"):
        np.testing.assert_allclose(shared[name], alone[name], atol=1e-5)


def together(workspace: Path, *arguments: str) -> Any:
    """Run a verb in two processes that find each other through torch's launcher, one document between them."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    done = subprocess.run(
        [*launcher, "-m", "rec_core", *arguments, "--json"],
        cwd=ROOT,
        env=environment(workspace) | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)

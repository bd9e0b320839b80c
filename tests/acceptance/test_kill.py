"""A worker killed in any stage is lost; resumed, it ends where an uninterrupted one ends, bit for bit."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from rec_core import jobs
from rec_core.llm.text_encoder import CHUNK_TEXTS
from rec_core.run_folder import RunFolder
from rec_core.store import Workspace, read_json, read_tensors
from rec_core.workbench import new_run
from tests.acceptance.commands import command, environment

pytestmark = pytest.mark.slow

QUICK = {
    "behaviour.loop.epochs": 8,
    "behaviour.loop.checkpoint_seconds": 0,  # at the end of every epoch
    "alignment.loop.epochs": 6,
    "sample_lm.hidden_size": 32,
    "sample_lm.n_layers": 2,
    "sample_lm.vocab_size": 1200,
    "sample_lm.training.epochs": 0.25,
    "sample_lm.training.checkpoint_steps": 10,
    "tuning.n_shots": 256,
    "tuning.training.checkpoint_steps": 3,
    "n_test": 100,
    "n_threads": 1,
}


# Where a run is killed, and the steps between two of its checkpoints; an epoch of 8 is an eighth of all.
STAGES = {
    "text view: descriptions": lambda total: CHUNK_TEXTS,
    "behaviour view": lambda total: total / 8,
    "language model": lambda total: 10,
    "tuning": lambda total: 3,
    "scoring recent": lambda total: 1024,
}


def test_killed_in_every_stage_and_resumed_equals_uninterrupted(
    settings: dict[str, Any], uninterrupted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill -9 within a stage, see "lost", resume, kill within the next; in the end compare every tensor.

    What a resumed stage does again is no more than what lies between two of its checkpoints.
    """
    for key, value in environment(tmp_path).items():
        monkeypatch.setenv(key, value)
    space = Workspace(tmp_path)
    run_id = new_run("rallrec", "sample", "tiny", settings, workspace=space)
    run, killed = RunFolder(space.run_path(run_id)), {}
    for stage in STAGES:
        pid = jobs.start(space, run_id)
        _wait_for(run, stage)
        os.kill(pid, signal.SIGKILL)
        _until(lambda: jobs.state(space, run_id) == "lost")
        killed[stage] = len(run.events())
        assert not (run.path / "metrics.json").exists()
    document = command(tmp_path, "resume", run_id)
    assert document["arms"]["rallrec"]["auc"]["n"] > 0
    assert jobs.state(space, run_id) == "done"
    for stage, interval in STAGES.items():
        before, after = (
            [e for e in events if e["stage"] == stage]
            for events in (run.events()[: killed[stage]], run.events()[killed[stage] :])
        )
        reached, total = before[-1]["step"], before[-1]["total"]
        first = min((e["step"] for e in after if e["total"] == total), default=total)
        assert reached - first <= interval(total), stage
    assert document["arms"] == read_json(uninterrupted / "metrics.json")["arms"]
    for name in ("behaviour.safetensors", "views.safetensors", "adapter/adapter_model.safetensors"):
        ours, theirs = read_tensors(space.run_path(run_id) / name), read_tensors(uninterrupted / name)
        assert ours.keys() == theirs.keys()
        for key in ours:
            assert ours[key].tobytes() == theirs[key].tobytes(), f"{name}: {key}"


@pytest.fixture(scope="module")
def settings(tiny_bert: Path) -> dict[str, Any]:
    """Return small sizes, and words read by a random model: what is tested is where a run goes on."""
    return QUICK | {"encoder.name": str(tiny_bert)}


@pytest.fixture(scope="module")
def uninterrupted(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the same run without any interruption in a workspace of its own and return its folder."""
    workspace = tmp_path_factory.mktemp("uninterrupted")
    given = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    document = command(workspace, "train", "rallrec", "--data", "sample", "--preset", "tiny", *given)
    return workspace / "runs" / document["run"]


def _wait_for(run: RunFolder, stage: str) -> None:
    """Wait until the stage is well under way but not over."""

    def reached() -> bool:
        steps = [e["step"] / e["total"] for e in run.events() if e["stage"] == stage]
        return bool(steps) and steps[-1] >= 0.5

    _until(reached, 900)


def _until(condition: object, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)

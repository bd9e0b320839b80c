"""Processes that share a run in which a language model reads end with the run of one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rec_core.data.storage import save_dataset
from rec_core.run_folder import RunFolder
from rec_core.store import Workspace, read_json, read_tensors
from rec_core.workbench import new_run, resume

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5  # of weights up to 0.2 and of probabilities
SETTINGS = {
    "backbone.max_length": 512,
    "sample_lm.hidden_size": 16,
    "sample_lm.n_layers": 1,
    "sample_lm.n_heads": 2,
    "sample_lm.vocab_size": 600,
    "sample_lm.block_length": 64,
    "sample_lm.training.epochs": 1,
    "sample_lm.training.batch_size": 15,
    "n_test": 31,
    "n_threads": 1,
    "tuning.n_shots": 23,
    "tuning.lora.rank": 2,
    "tuning.lora.dropout": 0.0,  # of which every process draws its own
    "tuning.training.batch_size": 15,
    "behaviour.embedding_size": 8,
    "behaviour.loop.epochs": 6,
    "alignment.hidden_size": 16,
    "alignment.loop.epochs": 5,
    "reranker.top_k": 5,
}


@pytest.fixture(scope="module")
def opened(planted, tiny_bert, tmp_path_factory):
    """A function that queues the same run in a workspace of its own and returns workspace and run."""

    def queue(name: str) -> tuple[Workspace, str]:
        space = Workspace(tmp_path_factory.mktemp(name))
        save_dataset(planted, space.dataset_path("planted"))
        overrides = {**SETTINGS, "encoder.name": str(tiny_bert)}
        return space, new_run("rallrec", "planted", "tiny", overrides, 0, workspace=space)

    return queue


def resume_by_two(space: Workspace, run: str, *script: str) -> subprocess.CompletedProcess[str]:
    """Carry out a run by two processes; `script` takes the place of `-m rec_core`."""
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ROSETTA_WORKSPACE": str(space.root)}
    return subprocess.run(
        [sys.executable, *launcher, *(script or ["-m", "rec_core"]), "resume", run, "--json"],
        cwd=ROOT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def alone(opened) -> Path:
    """The folder of a run that one process has carried out."""
    space, run = opened("alone")
    resume(run, workspace=space)
    return space.run_path(run)


@pytest.fixture(scope="module")
def shared(opened) -> tuple[Workspace, str, subprocess.CompletedProcess[str]]:
    """A run of two processes of which the second one failed, and how they ended."""
    space, run = opened("shared")
    return space, run, resume_by_two(space, run, "tests/systems/failing_reader.py")


def test_a_process_that_fails_ends_both_with_one_sentence(shared):
    space, run, ended = shared
    sentence = "Process 1 ended with MemoryError: no room"
    (line,) = [line for line in ended.stderr.splitlines() if "no room" in line]
    assert ended.returncode == 1 and line.startswith(f"RuntimeError: {sentence}.")
    status = RunFolder(space.run_path(run)).status
    assert (status["state"], status["error"]) == ("failed", f"RuntimeError: {sentence}")
    assert "MemoryError: no room" in (space.run_path(run) / "log.txt").read_text()
    chunks = list((space.run_path(run) / "scores").rglob("*.safetensors"))
    assert sorted(file.name for file in chunks) == ["00000000.safetensors"] * 2 + ["00000016.safetensors"]


def test_two_processes_go_on_to_the_run_of_one(shared, alone):
    """Of 31 prompts they scored 16 and 15; 23 tuning samples give 46 rows, in batches of 15 shared as 8 and 7."""
    space, run, _ = shared
    done = resume_by_two(space, run)
    assert done.returncode == 0, done.stderr[-3000:]
    told, folder = json.loads(done.stdout), space.run_path(run)
    for file, names in (
        ("behaviour", {"users", "items", "known"}),
        ("views", {"text", "aligned", "popularity"}),
    ):
        found, expected = (read_tensors(place / f"{file}.safetensors") for place in (folder, alone))
        assert found.keys() == names and all(np.array_equal(found[name], expected[name]) for name in names)
    for weights in ("adapter/adapter_model", "language model"):
        found, expected = (weights_of(place, weights) for place in (folder, alone))
        assert found.keys() == expected.keys()
        assert max(float(np.abs(found[name] - expected[name]).max()) for name in found) < TOLERANCE
    found, expected = (pd.read_parquet(place / "predictions.parquet") for place in (folder, alone))
    pd.testing.assert_frame_equal(found, expected, atol=TOLERANCE, rtol=0)
    metrics = read_json(alone / "metrics.json")["arms"]
    assert told["arms"].keys() == metrics.keys()
    for arm, expected_arm in metrics.items():
        for name, interval in expected_arm.items():
            assert told["arms"][arm][name]["value"] == pytest.approx(interval["value"], abs=TOLERANCE), (
                arm,
                name,
            )
    assert RunFolder(folder).status["state"] == "done" and done.stderr.count("comparing arms 1/1") == 1


def weights_of(run: Path, name: str) -> dict[str, np.ndarray]:
    """The tensors of a run's adapter, or of the embedded model it reads with."""
    model = run / read_json(run / "backbone.json")["folder"] / "model"
    return read_tensors((model if name == "language model" else run / name).with_suffix(".safetensors"))

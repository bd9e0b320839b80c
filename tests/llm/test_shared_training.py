"""Processes that share a training end where one process ends, with each of the launch configs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rec_core.store import read_json, read_tensors

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "accelerate_configs"
FACTS: dict[str, Any] = {
    "config": {"epochs": 3, "batch_size": 4, "accumulation": 2, "learning_rate": 0.01, "checkpoint_steps": 2}
}
TOLERANCE = 1e-5  # of adapter weights up to 0.2, after 6 steps of AdamW at 0.01


def run(folder: Path, facts: dict[str, Any], n_processes: int, **environment: str) -> dict[str, np.ndarray]:
    """Train in processes of their own and return the adapter they saved."""
    folder.mkdir()
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node", str(n_processes), "--standalone"]
    done = subprocess.run(
        [sys.executable, *(launcher if n_processes > 1 else []), "tests/llm/shared_training.py"]
        + [str(folder), json.dumps(facts)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return read_tensors(folder / "adapter" / "adapter_model.safetensors")


def launched_by(config: str) -> dict[str, str]:
    """The environment `accelerate launch --config_file` gives a script, as accelerate itself makes it."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_multi_gpu_env

    arguments = launch_command_parser().parse_args(["--config_file", str(CONFIGS / config), "script.py"])
    arguments, _, _ = _validate_launch_command(arguments)
    return {
        name: value
        for name, value in prepare_multi_gpu_env(arguments).items()
        if name.startswith(("ACCELERATE_", "FSDP_"))
    }


def furthest(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    assert one.keys() == other.keys() and len(one) == 8
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("shared") / "alone"
    return folder, run(folder, FACTS, 1)


@pytest.mark.slow
def test_two_processes_equal_one(alone, tmp_path):
    """13 rows in batches of 4: the last batch has one row, and the second process none of it."""
    folder, expected = alone
    two = run(tmp_path / "two", FACTS, 2, **launched_by("ddp.yaml"))
    assert furthest(two, expected) < TOLERANCE < 0.01 < max(float(np.abs(b).max()) for b in expected.values())
    told, told_alone = (read_json(place / "told.json")["events"] for place in (tmp_path / "two", folder))
    assert [event[:2] for event in told] == [event[:2] for event in told_alone]
    assert [step for step, _, metrics in told if "loss" in metrics] == list(range(1, 7))
    assert [step for step, _, metrics in told if "validation_loss" in metrics] == [2, 4, 6]
    for (_, _, metrics), (_, _, expected_metrics) in zip(told, told_alone, strict=True):
        assert metrics == pytest.approx(expected_metrics, abs=1e-5)
    looked_at = [read_json(tmp_path / "two" / f"process-{rank}.json")["looked_at"] for rank in (0, 1)]
    # three looks at 4 rows and at 3, shared; and one row read twice, with the last block whole and narrow
    assert looked_at == [3 * (2 + 2) + 2, 3 * (2 + 1) + 2]


@pytest.mark.slow
def test_a_resumed_pair_equals_one_that_was_never_cut(alone, tmp_path):
    """With dropout, of which each process draws its own; the main one alone is told, and both end together."""
    facts = FACTS | {"dropout": 0.3}
    whole = run(tmp_path / "whole", facts, 2)
    cut = run(tmp_path / "cut", facts | {"cut_after": 3}, 2)
    assert furthest(cut, whole) == 0.0 and furthest(whole, alone[1]) > TOLERANCE
    found = [read_json(tmp_path / "cut" / f"process-{rank}.json") for rank in (0, 1)]
    assert [(process["ended"], process["events"]) for process in found] == [("enough", 4 + 6), ("enough", 0)]
    seeds = [read_json(tmp_path / "whole" / f"process-{rank}.json")["seed"] for rank in (0, 1)]
    assert seeds[0] != seeds[1]


@pytest.mark.slow
def test_two_processes_with_a_shard_each_equal_one(alone, tmp_path):
    """The sharded adapter is saved whole, also after a cut."""
    environment = launched_by("fsdp.yaml")
    assert environment["FSDP_VERSION"] == "2" and environment["ACCELERATE_USE_FSDP"] == "true"
    facts = FACTS | {"as_accelerators": True, "cut_after": 3}
    two = run(tmp_path / "two", facts, 2, **environment)
    assert furthest(two, alone[1]) < TOLERANCE
    checkpoints = {path.name for path in (tmp_path / "two" / "work" / "checkpoint-6").iterdir()}
    assert {"pytorch_model_fsdp.bin", "optimizer.bin"} <= checkpoints  # it was sharded


@pytest.mark.parametrize("name", ["ddp.yaml", "fsdp.yaml"])
def test_launch_configs_are_what_the_installed_accelerate_reads(name):
    """Every key is known, and neither sets what the training itself sets."""
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(CONFIGS / name))
    assert (config.num_machines, config.num_processes, config.mixed_precision) == (1, 2, "no")
    environment = launched_by(name)
    assert environment["ACCELERATE_MIXED_PRECISION"] == "no"
    settings = yaml.safe_load((CONFIGS / name).read_text()).get("fsdp_config", {})
    assert ("ACCELERATE_USE_FSDP" in environment) == bool(settings) == (name == "fsdp.yaml")
    for key, value in settings.items():
        spelled = str(value).lower() if isinstance(value, bool) else str(value)
        assert environment[key.upper()] == spelled, key

"""Seeds for purposes, and what a machine computes on."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from rec_core import device
from rec_core.seeding import derive_seed, numpy_generator, torch_generator


def test_seeds_are_fixed_for_ever():
    """Written down: a change would change every result that was ever published with a seed."""
    assert derive_seed(0) == 3456079177858693020
    assert derive_seed(7, "fit", 3) == 8043954254411326606


def test_purposes_do_not_share_a_stream():
    seeds = {
        derive_seed(s, *purpose) for s in range(20) for purpose in [(), ("a",), ("b",), ("a", 1), ("a", 2)]
    }
    assert len(seeds) == 100 and all(0 <= seed < 2**63 for seed in seeds)


def test_generators_repeat_and_leave_the_global_ones_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first = numpy_generator(3, "x").random(4), torch.rand(4, generator=torch_generator(3, "x"))
    again = numpy_generator(3, "x").random(4), torch.rand(4, generator=torch_generator(3, "x"))
    assert np.array_equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("requested", "cuda", "problem", "expected", "dtype"),
    [
        ("fp32", False, "", ("cpu", "fp32"), torch.float32),
        ("fp32", True, "", ("cuda", "fp32"), torch.float32),
        ("bf16", False, "", ("cpu", "bf16"), torch.bfloat16),
        ("8bit", False, "", ("cpu", "8bit"), torch.float32),
        ("4bit", True, "", ("cuda", "4bit"), torch.bfloat16),
        ("8bit", False, "broken", ("cpu", "fp32"), torch.float32),
        ("4bit", True, "broken", ("cuda", "bf16"), torch.bfloat16),
    ],
)
def test_choices(monkeypatch, requested, cuda, problem, expected, dtype):
    monkeypatch.setattr(device, "cuda_available", lambda: cuda)
    monkeypatch.setattr(device, "_bitsandbytes_problem", lambda: problem)
    choice = device.choose(requested)
    assert (choice.device, choice.precision) == expected and choice.dtype == dtype
    assert choice.reason.endswith(".") and (problem in choice.reason)


def test_a_missing_bitsandbytes_is_told(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert device._bitsandbytes_problem() == "bitsandbytes is not installed"


def test_threads_can_be_fixed():
    code = "import torch; from rec_core.device import set_threads; set_threads(1); assert torch.get_num_threads() == 1"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ".", "OMP_NUM_THREADS": "2"})

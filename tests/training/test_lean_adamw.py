"""The lean step against torch's own, bit for bit, and what a checkpoint takes of it."""

from copy import deepcopy

import pytest
import torch

from rec_core.training.lean_adamw import LeanAdamW


def tables(seed: int) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((7, 3), (5,), (2, 2))]


def give_gradients(parameters: list[torch.nn.Parameter], step: int) -> None:
    """Gradients of a step; the last table gets its first one late, and the second skips one."""
    for number, parameter in enumerate(parameters):
        absent = (number == 2 and step < 2) or (number == 1 and step == 3)
        parameter.grad = None if absent else torch.full_like(parameter, 0.1 * step + number - 1.0)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_it_moves_as_torchs_own_does(decay):
    ours, theirs = tables(0), tables(0)
    lean = LeanAdamW(ours, 0.05, decay)
    plain = torch.optim.AdamW(theirs, lr=0.05, weight_decay=decay, fused=True)
    for step in range(6):
        for parameters in (ours, theirs):
            give_gradients(parameters, step)
        lean.advance()
        plain.step()
        for one, other in zip(ours, theirs, strict=True):
            assert torch.equal(one, other), step


def test_its_moments_can_be_kept_and_given_back():
    first, second = tables(0), tables(0)
    lean, later = LeanAdamW(first, 0.05, 0.0), LeanAdamW(second, 0.05, 0.0)
    for step in range(6):
        if step == 3:
            later.load_state_dict(deepcopy(lean.state_dict()))
            with torch.no_grad():
                for one, other in zip(second, first, strict=True):
                    one.copy_(other)
        for optimiser, parameters in ((lean, first), *([(later, second)] if step >= 3 else [])):
            give_gradients(parameters, step)
            optimiser.advance()
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)

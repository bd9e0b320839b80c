"""A batch of questions for CTR nets: five rows of three single-valued fields, two counted bags and a history."""

from collections.abc import Callable

import pytest
import torch

from rec_core.nets.field_embedding import FieldBatch, FieldSizes


@pytest.fixture
def field_sizes() -> FieldSizes:
    return FieldSizes(singles=(4, 3, 5), bags=(3, 2), n_history_codes=6)


@pytest.fixture
def field_batch() -> FieldBatch:
    generator = torch.Generator().manual_seed(9)
    starts = torch.tensor([0, 4, 7])
    codes = torch.stack([torch.randint(1, n, (5,), generator=generator) for n in (4, 3, 5)], dim=1) + starts
    counts = torch.randint(0, 3, (5, 5), generator=generator).double()
    return codes, counts, torch.randint(0, 6, (5, 4), generator=generator)


@pytest.fixture
def check_gradients(field_batch: FieldBatch) -> Callable[[torch.nn.Module], None]:
    """A function that holds a float64 net's gradients against differences and finds a parameter without one.

    Biases are drawn, above zero: at zero, rows whose inputs are all dropped by a ReLU stand on the next one's kink.
    """

    def check(net: torch.nn.Module) -> None:
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                if name.endswith("bias"):
                    parameter.uniform_(0.2, 1.0, generator=generator)
        names, values = zip(*net.named_parameters(), strict=True)

        def logits(*tensors: torch.Tensor) -> torch.Tensor:
            return torch.func.functional_call(net, dict(zip(names, tensors, strict=True)), (field_batch,))

        assert torch.autograd.gradcheck(logits, values, fast_mode=True)
        net(field_batch).square().sum().backward()
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None and parameter.grad.any(), name

    return check

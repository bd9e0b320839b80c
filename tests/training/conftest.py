"""The first optimiser of a process imports for seconds; no single test should be charged for that."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _optimisers_are_loaded():
    import torch

    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])

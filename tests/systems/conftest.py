"""What the parts of a system need: questions about planted viewers and a tokenizer of their films."""

from typing import Any

import numpy as np
import pytest

from rec_core.types import CTRSamples, Dataset, History, ScoreRequest


@pytest.fixture(scope="session")
def samples(planted: Dataset) -> CTRSamples:
    from rec_core.data.ctr import make_ctr_samples

    return make_ctr_samples(planted.interactions, planted.like_threshold, 5).take(np.arange(100, 112))


@pytest.fixture(scope="session")
def requests(planted: Dataset, samples: CTRSamples) -> list[ScoreRequest]:
    from rec_core.systems.like_questions import requests_of

    return requests_of(planted, samples)


@pytest.fixture(scope="session")
def film_tokenizer(planted: Dataset) -> Any:
    from rec_core.llm.sample_lm import train_tokenizer
    from rec_core.systems.sample_backbone import documents

    return train_tokenizer(documents(planted, np.arange(400), 0), 900)


@pytest.fixture(scope="session")
def values() -> np.ndarray:
    """A space of 30 items without ties."""
    return np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)


@pytest.fixture
def history() -> History:
    """Item 3 twice, item 7 in between, oldest first."""
    nums = np.array([3, 9, 7, 3, 12, 20], dtype=np.int32)
    return History(nums, np.array([5, 1, 4, 2, 3, 5], dtype=np.float32), np.arange(6, dtype=np.int64))


@pytest.fixture(scope="session", autouse=True)
def _libraries_are_loaded():
    """The first optimiser and the first Trainer of a process import for seconds; no single test pays for that."""
    import peft  # noqa: F401
    import torch
    from transformers import Trainer  # noqa: F401

    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])

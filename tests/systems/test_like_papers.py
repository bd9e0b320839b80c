"""The paper preset of each reader on each published dataset, as the papers and their authors state it."""

import pytest

from rec_core.systems.ctr_baselines import CTRBaselinesConfig
from rec_core.systems.hybrid_score import HybridScoreConfig
from rec_core.systems.rallrec import RALLRecConfig
from rec_core.systems.rella import ReLLaConfig


@pytest.mark.parametrize(
    ("config_class", "data", "shots", "k"),
    [
        (ReLLaConfig, "bookcrossing", 256, 60),
        (ReLLaConfig, "ml-1m", 8192, 30),
        (ReLLaConfig, "amazon-movies", 8192, 30),
        (RALLRecConfig, "bookcrossing", 256, 30),
        (RALLRecConfig, "ml-1m", 8192, 30),
        (RALLRecConfig, "amazon-movies", 8192, 30),
        (HybridScoreConfig, "bookcrossing-core", 256, 30),
        (HybridScoreConfig, "ml-1m", 8192, 30),
        (HybridScoreConfig, "mine", 8192, 30),
    ],
)
def test_shots_and_items_shown(config_class, data, shots, k):
    config = config_class.preset("paper", data)
    assert (config.tuning.n_shots, config.n_shown) == (shots, k)


@pytest.mark.parametrize(("data", "steps"), [("bookcrossing", 2), ("ml-1m", 64)])
def test_a_look_at_validation_comes_once_an_epoch(data, steps):
    """Two rows a sample, 4 x 64 rows a step."""
    tuning = RALLRecConfig.preset("paper", data).tuning
    assert tuning.training.batch_size * tuning.training.accumulation == 256
    assert tuning.training.checkpoint_steps == tuning.n_shots * 2 // 256 == steps


@pytest.mark.parametrize(
    ("data", "length"), [("bookcrossing", 60), ("ml-1m", 30), ("amazon", 30), ("mine", 30)]
)
def test_history_of_the_ctr_nets(data, length):
    assert CTRBaselinesConfig.preset("paper", data).history_length == length

"""Metrics of arms and their paired differences."""

import numpy as np
import pandas as pd
import pytest

from rec_core.metrics.ctr import accuracy, auc, log_loss
from rec_core.store import write_json
from rec_core.systems.arms import compare_arms


@pytest.fixture
def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    scores = {f"p_{arm}": rng.uniform(size=60) for arm in ("recent", "zero_shot")}
    scores["p_rallrec"] = np.clip(0.3 * labels + rng.uniform(0, 0.7, 60), 0.01, 0.99)
    return pd.DataFrame({"user_num": np.arange(60) % 12, "label": labels, **scores})


def test_values_are_the_plain_metrics_and_their_differences(predictions):
    found = compare_arms(predictions, "rallrec", 0, 200)
    labels = predictions["label"].to_numpy()
    plain = {
        arm: {m.__name__: m(labels, predictions[f"p_{arm}"].to_numpy()) for m in (auc, log_loss, accuracy)}
        for arm in ("recent", "zero_shot", "rallrec")
    }
    assert set(found["arms"]) == set(plain)
    assert set(found["differences"]) == {"rallrec - recent", "rallrec - zero_shot"}
    for arm, metrics in plain.items():
        for name, value in metrics.items():
            got = found["arms"][arm][name]
            assert got["value"] == pytest.approx(value) and got["low"] <= value <= got["high"]
            assert (got["n"], got["n_rows"]) == (12, 60)
            if arm != "rallrec":
                difference = found["differences"][f"rallrec - {arm}"][name]
                assert difference["value"] == pytest.approx(plain["rallrec"][name] - value)


def test_the_seed_decides_the_intervals(predictions):
    assert (
        compare_arms(predictions, "rallrec", 1, 50)
        == compare_arms(predictions, "rallrec", 1, 50)
        != compare_arms(predictions, "rallrec", 2, 50)
    )


def test_one_class_alone_gives_null_and_not_a_crash(predictions, tmp_path):
    found = compare_arms(predictions.assign(label=1), "rallrec", 0, 50)
    assert found["arms"]["rallrec"]["auc"]["value"] is None
    write_json(tmp_path / "metrics.json", found)

"""Intervals and comparisons of per-user metrics against the one-metric functions they bundle."""

import numpy as np
import pandas as pd
import pytest

from rec_core.evaluation.report import compare_per_user, with_intervals
from rec_core.metrics.intervals import clustered_bootstrap, holm, weighted_mean
from rec_core.metrics.permutation import sign_flip_test
from rec_core.types import InputError


def frame(seed: int, n_users: int = 200, gain: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    base = np.random.default_rng(99).random(n_users)  # what makes users easy or hard for every system
    values = {name: base + 0.1 * rng.normal(size=n_users) for name in ("ndcg@10", "recall@10", "hit@1")}
    values["ndcg@10"] += gain
    return pd.DataFrame({"user_num": np.arange(n_users) * 3, **values})


def test_intervals_equal_the_bootstrap_of_one_metric():
    table = frame(0)
    found = with_intervals(table, seed=5, n_resamples=300)
    assert list(found) == ["ndcg@10", "recall@10", "hit@1"]
    for name, entry in found.items():
        one = clustered_bootstrap(weighted_mean(table[name].to_numpy()), table["user_num"].to_numpy(), 300, 5)
        assert entry == pytest.approx(one.as_dict())
        assert entry["low"] < table[name].mean() < entry["high"] and entry["n"] == 200


def test_absent_values_are_left_out_and_counted():
    table = frame(0)
    table.loc[:49, "hit@1"] = np.nan
    table["nothing"] = np.nan
    found = with_intervals(table, seed=0, n_resamples=100)
    assert found["hit@1"]["n"] == 150 and found["hit@1"]["value"] == pytest.approx(table["hit@1"].mean())
    assert found["nothing"] == {"value": None, "low": None, "high": None, "n": 0}
    compared = compare_per_user(table, frame(1), seed=0, n_resamples=100).set_index("metric")
    assert compared.loc["hit@1", "n"] == 150
    assert compared.loc["hit@1", "a"] == pytest.approx(table["hit@1"].mean())
    assert compared.loc["hit@1", "b"] == pytest.approx(frame(1)["hit@1"][50:].mean())


def test_a_comparison_pairs_users_whatever_the_order_of_rows():
    a, b = frame(1, gain=0.03), frame(2)
    table = compare_per_user(a, b.sample(frac=1, random_state=0), seed=7, n_resamples=400)
    assert list(table.columns) == ["metric", "a", "b", "difference", "low", "high", "p", "p_corrected", "n"]
    for row in table.itertuples():
        difference = (a[row.metric] - b[row.metric]).to_numpy()
        one = clustered_bootstrap(weighted_mean(difference), a["user_num"].to_numpy(), 400, 7)
        assert (row.difference, row.low, row.high) == pytest.approx((one.value, one.low, one.high))
        assert row.difference == pytest.approx(row.a - row.b)
        assert row.p == sign_flip_test(difference, 400, 7)
    assert table["p_corrected"].to_numpy() == pytest.approx(holm(table["p"].to_numpy()))
    by_name = table.set_index("metric")
    assert by_name.loc["ndcg@10", "p_corrected"] < 0.05 < by_name.loc["recall@10", "p"]


def test_pairing_is_what_makes_small_gains_visible():
    """Users differ by 0.3, the gain is 0.03: apart the intervals overlap, paired the gain is clear."""
    a, b = frame(1, gain=0.03), frame(2)
    apart = [with_intervals(table, 0, 300)["ndcg@10"] for table in (a, b)]
    assert apart[0]["low"] < apart[1]["high"]
    assert compare_per_user(a, b, 0, 300).set_index("metric").loc["ndcg@10", "low"] > 0


def test_only_shared_users_and_metrics_are_compared():
    a, b = frame(1), frame(2)[50:].drop(columns="hit@1")
    table = compare_per_user(a, b, seed=0, n_resamples=50)
    assert table["metric"].tolist() == ["ndcg@10", "recall@10"] and set(table["n"]) == {150}
    assert table["a"].tolist() == pytest.approx(a[50:][["ndcg@10", "recall@10"]].mean().tolist())


def test_wrong_tables_are_named():
    with pytest.raises(InputError, match="one row per user"):
        with_intervals(pd.concat([frame(0), frame(0)]), 0)
    with pytest.raises(InputError, match="one row per user"):
        with_intervals(frame(0)[:0], 0)
    with pytest.raises(InputError, match="share no user"):
        compare_per_user(frame(0)[:10], frame(0)[10:], 0)
    with pytest.raises(InputError, match="share no user or no metric"):
        compare_per_user(frame(0)[["user_num", "hit@1"]], frame(0)[["user_num", "ndcg@10"]], 0)

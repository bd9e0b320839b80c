"""Ways of answering, measured over seeds and compared on the same rows."""

import numpy as np
import pandas as pd
import pytest

from rec_core.metrics.ctr import accuracy, auc, double_softmax_log_loss, log_loss
from rec_core.metrics.intervals import delong
from rec_core.studies.readings import (
    METRICS,
    PUBLISHED_LOSS,
    Reading,
    compared,
    evidence_measured,
    measured,
)
from rec_core.types import InputError

N = 80
RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 2, N)


def predictions(**columns) -> pd.DataFrame:
    return pd.DataFrame({"row": np.arange(N), "user_num": np.arange(N) // 8, "label": LABELS, **columns})


@pytest.fixture
def tables() -> list[pd.DataFrame]:
    return [
        predictions(
            p_good=np.clip(0.3 * LABELS + RNG.uniform(0, 0.7, N), 0.01, 0.99),
            p_poor=RNG.uniform(0.01, 0.99, N),
            mass_poor=RNG.uniform(0.2, 1, N),
            text_cosine_good=RNG.uniform(0, 1, N),
        )
        for _ in range(2)
    ]


def test_metrics_are_means_over_seeds_of_the_plain_ones(tables):
    rows = {row["metric"]: row for row in measured(Reading.of("x", tables, "poor"), {"auc": 0.7}, 0)}
    assert tuple(rows) == METRICS and [row["paper"] for row in rows.values()] == [0.7, None, None, None]
    probs = [table["p_poor"].to_numpy() for table in tables]
    for name, plain in (("auc", auc), ("log_loss", log_loss), ("accuracy", accuracy)):
        assert rows[name]["value"] == pytest.approx(np.mean([plain(LABELS, p) for p in probs]))
    masses = [table["mass_poor"].to_numpy() for table in tables]
    doubled = [
        double_softmax_log_loss(LABELS, p * m, (1 - p) * m) for p, m in zip(probs, masses, strict=True)
    ]
    assert rows[PUBLISHED_LOSS]["value"] == pytest.approx(np.mean(doubled))
    assert all(row["low"] < row["value"] < row["high"] and row["n"] == 10 for row in rows.values())


def test_without_other_words_the_published_loss_takes_the_pair_alone(tables):
    rows = {row["metric"]: row for row in measured(Reading.of("x", tables[:1], "good"), {}, 0)}
    expected = double_softmax_log_loss(LABELS, tables[0]["p_good"].to_numpy())
    assert rows[PUBLISHED_LOSS]["value"] == pytest.approx(expected)


def test_differences_are_paired_and_delong_is_of_the_rows(tables):
    good, poor = (Reading.of(arm, tables[:1], arm) for arm in ("good", "poor"))
    rows = {row["metric"]: row for row in compared(good, poor, 0)}
    values = [auc(LABELS, tables[0][f"p_{arm}"].to_numpy()) for arm in ("good", "poor")]
    assert rows["auc"]["value"] == pytest.approx(values[0] - values[1])
    assert rows["auc"]["label"] == "good - poor" and rows["auc"]["low"] < rows["auc"]["value"]
    expected = delong(LABELS, tables[0]["p_good"].to_numpy(), tables[0]["p_poor"].to_numpy()).p
    assert rows["auc"]["p_delong"] == pytest.approx(expected)
    twice = compared(Reading.of("good", tables, "good"), Reading.of("poor", tables, "poor"), 0)
    assert 0 < twice[0]["p_delong"] < 1


def test_other_rows_cannot_be_compared(tables):
    moved = tables[0].assign(row=tables[0]["row"] + 1)
    with pytest.raises(InputError, match="same test rows"):
        compared(Reading.of("a", tables[:1], "good"), Reading.of("b", [moved], "good"), 0)


def test_evidence_is_measured_where_there_is_any(tables):
    (row,) = evidence_measured(Reading.of("x", tables, "good"), 0)
    assert row["metric"] == "text cosine to the target"
    assert row["value"] == pytest.approx(np.mean([table["text_cosine_good"].mean() for table in tables]))
    assert evidence_measured(Reading.of("x", tables, "poor"), 0) == []

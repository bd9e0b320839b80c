"""What the real datasets show. Skipped where ROSETTA_DATA does not point at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.commands import command

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_text_retrieval_on_ml_1m_and_the_published_off_by_one(tmp_path: Path) -> None:
    """Retrieved history is closer to the target than random picks by at least 0.1; the quirk falls towards random."""
    rows = command(tmp_path, "study", "retrieval.quality", "--data", "ml-1m", timeout=1500)["rows"]
    value = {row["label"]: row["value"] for row in rows}
    low = {row["label"]: row["low"] for row in rows}
    assert low["retrieved - random"] >= 0.1, rows
    assert value["shifted_neighbours - random"] < value["retrieved - random"] / 3, rows


def test_tuned_rallrec_beats_zero_shot_on_ml_100k(tmp_path: Path) -> None:
    """All six arms on the same rows; the tuned model beats the untuned one by an interval that excludes zero."""
    document = command(tmp_path, "train", "rallrec", "--data", "ml-100k", "--preset", "small", timeout=1500)
    assert list(document["arms"]) == [
        "zero_shot",
        "recent",
        "text_retrieval",
        "id_retrieval",
        "concatenation",
        "rallrec",
    ]
    n_rows = {arm["auc"]["n_rows"] for arm in document["arms"].values()}
    assert len(n_rows) == 1
    assert document["differences"]["rallrec - zero_shot"]["auc"]["low"] > 0, document["differences"]

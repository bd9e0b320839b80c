"""Two ranking runs beside each other: user by user, judged alike or not at all."""

import pandas as pd
import pytest

from rec_core.types import InputError
from rec_core.workbench import compare, new_run, train


def test_ranking_runs_are_compared_user_by_user(trained_runs):
    a, b, space = trained_runs["ease"], trained_runs["popularity"], trained_runs.space
    found = compare(a, b, workspace=space)
    tables = [
        pd.read_parquet(space.run_path(run) / "per_user.parquet").set_index("user_num") for run in (a, b)
    ]
    rows = {row["metric"]: row for row in found["rows"]}
    assert set(rows) == set(tables[0].columns)
    for name, row in rows.items():
        means = [table[name].mean() for table in tables]
        assert (row["a"], row["b"]) == pytest.approx(means) and row["n"] == len(tables[0])
        assert row["difference"] == pytest.approx(means[0] - means[1])
        assert row["low"] <= row["difference"] <= row["high"]
        assert 0 < row["p"] <= row["p_corrected"] <= 1
    assert "leave_one_out" in found["protocol"] and (found["a"], found["b"]) == (a, b)


def test_the_order_of_two_runs_turns_the_sign_alone(trained_runs):
    a, b, space = trained_runs["ease"], trained_runs["popularity"], trained_runs.space
    there, back = (compare(*pair, workspace=space)["rows"] for pair in ((a, b), (b, a)))
    assert [row["difference"] for row in there] == pytest.approx([-row["difference"] for row in back])
    assert [row["p"] for row in there] == pytest.approx([row["p"] for row in back], abs=0.02)


def test_runs_that_were_asked_different_questions_are_refused(trained_runs):
    with pytest.raises(InputError, match="nothing can be paired"):
        compare(trained_runs["ease"], trained_runs["ctr_baselines"], workspace=trained_runs.space)


def test_runs_that_were_judged_differently_are_refused(trained_runs):
    space = trained_runs.space
    likes = train("popularity", "planted", "tiny", {"task.positives": "likes"}, workspace=space)["run"]
    with pytest.raises(InputError, match="judged differently"):
        compare(trained_runs["popularity"], likes, workspace=space)


def test_a_run_without_results_is_refused(trained_runs):
    space = trained_runs.space
    queued = new_run("popularity", "planted", "tiny", seed=7, workspace=space)
    with pytest.raises(InputError, match="no test results yet"):
        compare(trained_runs["popularity"], queued, workspace=space)


def test_like_runs_are_compared_row_by_row(trained_runs):
    """Another net on the same questions: AUC, log loss and accuracy by a loop over the shared rows."""
    from rec_core.metrics.ctr import accuracy, auc, log_loss

    space, a = trained_runs.space, trained_runs["ctr_baselines"]
    b = train("ctr_baselines", "planted", "tiny", {"model": "dcn", "loop.epochs": 1}, workspace=space)["run"]
    found = compare(a, b, workspace=space)
    first, second = (pd.read_parquet(space.run_path(run) / "predictions.parquet") for run in (a, b))
    labels = first["label"].to_numpy()
    for row, measure in zip(found["rows"], (auc, log_loss, accuracy), strict=True):
        values = measure(labels, first["p_deepfm"].to_numpy()), measure(labels, second["p_dcn"].to_numpy())
        assert (row["a"], row["b"]) == pytest.approx(values)
        assert row["difference"] == pytest.approx(values[0] - values[1])
        assert row["p_corrected"] >= row["p"]
    assert found["arms"] == ["deepfm", "dcn"] and found["n_rows"] == len(labels)
    with pytest.raises(InputError, match="has no arm 'dcn'"):
        compare(a, b, arm_a="dcn", workspace=space)

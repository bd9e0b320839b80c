"""Metrics from ranks against hit tables, loops, scikit-learn and, where it is installed, ranx."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from rec_core.evaluation.full_ranking import Ranking, rank_catalogue
from rec_core.evaluation.held_out import HeldOut
from rec_core.evaluation.per_user import per_user_metric, per_user_metrics
from rec_core.metrics import ranking as formulas
from rec_core.types import InputError


def by_hand() -> Ranking:
    """User 4 finds two of three items at ranks 2 and 4, user 7 the only one at rank 9."""
    held_out = HeldOut(
        np.array([4, 7]),
        (np.array([0, 3, 4]), np.array([0, 1, 2, 5])),
        (np.zeros(3, np.int64), np.zeros(0, np.int64)),
    )
    return Ranking(held_out, np.zeros((2, 0), np.int32), np.array([4, 30, 2, 9]))


def test_by_hand():
    frame = per_user_metrics(by_hand(), [4, 10])
    assert list(frame.columns) == ["user_num"] + [
        f"{name}@{k}" for name in ("recall", "ndcg", "map", "mrr", "hit") for k in (4, 10)
    ]
    assert frame["user_num"].tolist() == [4, 7]
    assert frame["recall@4"].tolist() == pytest.approx([2 / 3, 0])
    assert frame["hit@4"].tolist() == [1, 0] and frame["hit@10"].tolist() == [1, 1]
    assert frame["mrr@10"].tolist() == pytest.approx([1 / 2, 1 / 9])
    assert frame["map@4"].tolist() == pytest.approx([(1 / 2 + 2 / 4) / 3, 0])
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert frame["ndcg@4"].tolist() == pytest.approx([(1 / np.log2(3) + 1 / np.log2(5)) / ideal, 0])
    assert frame["ndcg@10"][1] == pytest.approx(1 / np.log2(10))
    for name in frame.columns[1:]:
        assert per_user_metric(by_hand(), name).tolist() == frame[name].tolist()


@pytest.mark.parametrize("name", ["ndcg", "ndcg@0", "ndcg@-1", "precision@10", "@10"])
def test_a_name_that_is_no_metric_is_refused(name):
    with pytest.raises(InputError, match="no metric"):
        per_user_metric(by_hand(), name)


def test_equals_hit_tables_of_the_lists(make_case):
    """The ranks alone (no lists kept) say what the lists say."""
    case = make_case(0, n_users=20)
    held_out = case.held_out
    top = rank_catalogue(case.score, held_out, case.n_items, 20).top
    hits = np.array(
        [[item in case.wanted[user] for item in row] for user, row in zip(held_out.users, top, strict=True)]
    )
    frame = per_user_metrics(rank_catalogue(case.score, held_out, case.n_items, 0), [1, 5, 20])
    n_wanted = np.diff(held_out.wanted[0])
    for name in ("recall", "ndcg", "map", "mrr", "hit"):
        for k in (1, 5, 20):
            expected = getattr(formulas, f"{name}_at_k")(hits, n_wanted, k)
            assert frame[f"{name}@{k}"].to_numpy() == pytest.approx(expected)
    assert 0.05 < frame["ndcg@20"].mean() < 0.95


def test_ndcg_equals_sklearn_where_nothing_is_hidden(make_case):
    case = make_case(1, n_users=15)
    case.hidden = [set() for _ in case.hidden]
    relevance = np.zeros(case.scores.shape)
    for user in case.users:
        relevance[user, list(case.wanted[user])] = 1
    frame = per_user_metrics(rank_catalogue(case.score, case.held_out, case.n_items, 0), [3, 10])
    for k in (3, 10):
        expected = ndcg_score(relevance[case.users], case.scores[case.users], k=k)
        assert frame[f"ndcg@{k}"].mean() == pytest.approx(expected)


def test_a_repeated_length_counts_once_and_wrong_ones_are_named():
    assert list(per_user_metrics(by_hand(), [5, 5]).columns).count("ndcg@5") == 1
    with pytest.raises(InputError, match="at least one k"):
        per_user_metrics(by_hand(), [])
    with pytest.raises(InputError, match="k of at least 1"):
        per_user_metrics(by_hand(), [0, 3])


@pytest.mark.slow  # ranx compiles itself on first use: 40 s
def test_equals_ranx(make_case):
    ranx = pytest.importorskip("ranx", exc_type=ImportError)
    case = make_case(2, n_users=15)
    frame = per_user_metrics(rank_catalogue(case.score, case.held_out, case.n_items, 0), [3, 10]).set_index(
        "user_num"
    )
    qrels = {str(u): {str(i): 1 for i in case.wanted[u] - case.hidden[u]} for u in case.users}
    run = {
        str(u): {str(item): 1000.0 - place for place, item in enumerate(case.order(u))} for u in case.users
    }
    names = {"recall": "recall", "ndcg": "ndcg", "mrr": "mrr", "hit": "hit_rate"}
    # not MAP: there it is divided by all relevant items, here by at most k of them
    for ours, theirs in names.items():
        for k in (3, 10):
            truth = ranx.Qrels(qrels)
            found = ranx.evaluate(truth, ranx.Run(run), f"{theirs}@{k}", return_mean=False)
            users = [int(user) for user in truth.keys()]  # noqa: SIM118
            assert frame.loc[users, f"{ours}@{k}"].to_numpy() == pytest.approx(found)

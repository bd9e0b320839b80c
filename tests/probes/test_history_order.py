import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from rec_core.probes import history_order
from rec_core.probes.position import PositionConfig, run
from rec_core.probes.verdicts import EVIDENCE
from rec_core.types import EvidenceItem, History, InputError, ScoreRequest

QUICK = PositionConfig(n_permutations=199, n_resamples=300)


class Reader:
    """Scores the mean rating of the evidence; `last_weight` lets the last item shown speak louder."""

    def __init__(self, last_weight=1.0, noise=0.0, seed=0):
        self.last_weight, self.noise, self.rng = last_weight, noise, np.random.default_rng(seed)

    def select_evidence(self, request):
        return tuple(
            EvidenceItem(int(num), float(rating), at, "recency", at + 1, 0.0)
            for at, (num, rating) in enumerate(
                zip(request.history.item_nums, request.history.ratings, strict=True)
            )
        )

    def score_evidence(self, requests, evidence):
        scores = []
        for items in evidence:
            ratings = np.array([item.rating for item in items])
            weights = np.ones(len(items))
            weights[-1] = self.last_weight
            scores.append(np.average(ratings, weights=weights) / 5)
        return np.array(scores) + self.noise * self.rng.normal(size=len(scores))


def questions(n_users=60, length=6, seed=0):
    """Labels follow the last (newest) item, so that reading it loudest ranks best."""
    rng = np.random.default_rng(seed)
    ratings = rng.integers(1, 6, (n_users, length)).astype(np.float32)
    requests = [
        ScoreRequest(user, History(np.arange(length, dtype=np.int32), row, np.arange(length)), 40)
        for user, row in enumerate(ratings)
    ]
    return requests, (ratings[:, -1] + rng.normal(size=n_users) > 3).astype(int)


def audit(system, config=QUICK, **kwargs):
    requests, labels = questions(**kwargs)
    return run(system, requests, labels, [], [], config)


def cell(result, measure, group):
    rows = result.rows[(result.rows["measure"] == measure) & (result.rows["group"] == group)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_planted_bias_is_flagged():
    result = audit(Reader(last_weight=5.0))
    for arm in ("reversed", "shuffled"):
        assert cell(result, "score_change_excess", arm)["verdict"] == EVIDENCE
        difference = cell(result, "auc_difference", f"{arm} - as given")
        assert difference["verdict"] == EVIDENCE and difference["high"] < 0 and difference["n"] == 60
    assert cell(result, "decision_flip_rate", "reversed")["value"] > 0.1
    assert cell(result, "decision_flip_rate", "exact repeat")["value"] == 0


def test_a_reader_without_order_is_cleared():
    result = audit(Reader())
    headlines = result.rows[result.rows["verdict"] != ""]
    assert len(headlines) == 4
    assert headlines["verdict"].str.startswith("no effect larger than").all()
    assert cell(result, "auc", "reversed")["value"] == pytest.approx(cell(result, "auc", "as given")["value"])


def test_noise_alone_is_not_taken_for_bias():
    config = PositionConfig(n_permutations=99, n_resamples=100)
    alarms = dict.fromkeys(("score_change_excess", "auc_difference"), 0)
    for seed in range(40):
        requests, labels = questions(30, seed=seed)
        scores = history_order.ask(Reader(noise=0.2, seed=1000 + seed), requests, labels, 2, seed)
        assert np.abs(scores.arms["exact repeat"] - scores.given).mean() > 0.1  # answers do change
        for row in history_order.measure(scores, config):
            if row.material is not None and row.group.startswith("reversed"):
                alarms[row.measure] += row.p <= 0.05
    for count in alarms.values():
        assert stats.binomtest(count, 40, 0.05, alternative="greater").pvalue > 0.01


def test_measures_equal_a_naive_count():
    reader, (requests, labels) = Reader(last_weight=3.0), questions(20)
    result = run(reader, requests, labels, [], [], QUICK)
    given = reader.score_evidence(requests, [reader.select_evidence(r) for r in requests])
    back = reader.score_evidence(requests, [reader.select_evidence(r)[::-1] for r in requests])
    middle = np.median(given)
    assert cell(result, "score_change", "reversed")["value"] == pytest.approx(np.abs(back - given).mean())
    assert cell(result, "decision_flip_rate", "reversed")["value"] == np.mean(
        (back > middle) != (given > middle)
    )
    assert cell(result, "auc", "reversed")["value"] == pytest.approx(roc_auc_score(labels, back))
    assert cell(result, "auc_difference", "reversed - as given")["value"] == pytest.approx(
        roc_auc_score(labels, back) - roc_auc_score(labels, given)
    )
    raw = result.raw.pivot(index="question", columns="arm", values="score")
    assert raw["as given"].to_numpy() == pytest.approx(given)
    shuffled = raw[[f"shuffled {n}" for n in (1, 2, 3)]].to_numpy()
    assert cell(result, "score_change", "shuffled")["value"] == pytest.approx(
        np.abs(shuffled - given[:, None]).mean()
    )
    assert cell(result, "auc", "shuffled")["value"] == pytest.approx(
        np.mean([roc_auc_score(labels, column) for column in shuffled.T])
    )


def test_shuffles_keep_the_items_and_change_the_order():
    seen = []

    class Recorder(Reader):
        def score_evidence(self, requests, evidence):
            seen.append([tuple(item.position for item in items) for items in evidence])
            return super().score_evidence(requests, evidence)

    requests, labels = questions(10)
    history_order.ask(Recorder(), requests, labels, n_shuffles=2, seed=0)
    given, repeat, back, *shuffles = seen
    assert given == repeat and len(shuffles) == 2 and shuffles[0] != shuffles[1]
    assert back == [order[::-1] for order in given]
    assert all(sorted(order) == list(range(6)) for step in shuffles for order in step)
    assert shuffles[0] != given


def test_short_histories_are_left_out_and_counted():
    requests, labels = questions(10)
    lone = ScoreRequest(99, requests[0].history.without(0), 40)
    for _ in range(4):
        lone = ScoreRequest(99, lone.history.without(0), 40)
    result = run(Reader(), [lone, *requests], [1, *labels], [], [], QUICK)
    assert (result.settings["n_requests"], result.settings["requests_left_out"]) == (10, 1)
    assert 99 not in set(result.raw["user"])
    assert result.raw[result.raw["arm"] == "as given"]["label"].tolist() == labels.tolist()
    with pytest.raises(InputError, match="two evidence items"):
        run(Reader(), [lone], [1], [], [], QUICK)


def test_one_label_only_gives_no_auc_and_wrong_labels_are_refused():
    requests, labels = questions(10)
    measures = set(run(Reader(), requests, np.ones(10, int), [], [], QUICK).rows["measure"])
    assert measures == {"score_change_excess", "score_change", "decision_flip_rate"}
    with pytest.raises(InputError, match="as many labels"):
        run(Reader(), requests, labels[:3], [], [], QUICK)


def test_progress_counts_the_batches():
    events = []
    requests, labels = questions(5)
    run(Reader(), requests, labels, [], [], QUICK, events.append)
    assert [(e.step, e.total) for e in events] == [(n, 6) for n in range(1, 7)]

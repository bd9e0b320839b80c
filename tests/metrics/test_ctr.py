import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from rec_core.metrics import ctr
from rec_core.types import InputError

rng = np.random.default_rng(1)
LABELS = rng.integers(0, 2, 200)
PROBS = rng.uniform(0.01, 0.99, 200).round(2)  # rounding makes ties


def test_auc_by_hand():
    # positives 0.4, 0.8; negatives 0.1, 0.4: pairs won 1, tied 0.5, won 1, won 1 -> 3.5 of 4
    assert ctr.auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.8])) == 3.5 / 4


def test_auc_equals_sklearn_with_ties():
    assert ctr.auc(LABELS, PROBS) == pytest.approx(roc_auc_score(LABELS, PROBS), abs=1e-12)


def test_auc_of_one_class_is_nan():
    assert np.isnan(ctr.auc(np.ones(3), np.array([0.1, 0.2, 0.3])))


def test_midranks_share_the_mean():
    assert ctr.midranks(np.array([5.0, 1.0, 5.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_log_loss_equals_sklearn():
    assert ctr.log_loss(LABELS, PROBS) == pytest.approx(sklearn_log_loss(LABELS, PROBS), abs=1e-12)


def test_log_loss_clips_certain_mistakes():
    assert ctr.log_loss(np.array([1]), np.array([0.0])) == pytest.approx(-np.log(1e-15))


def test_accuracy_equals_sklearn_and_is_strict_at_the_threshold():
    assert ctr.accuracy(LABELS, PROBS) == accuracy_score(LABELS, PROBS > 0.5)
    assert ctr.accuracy(np.array([1]), np.array([0.5])) == 0.0
    assert ctr.accuracy(np.array([1]), np.array([0.5]), threshold=0.4) == 1.0


def test_double_softmax_stays_in_its_published_bounds():
    # a certain right answer: sigmoid(1 - 0) = 0.7310586; a certain wrong one: 0.2689414
    assert ctr.double_softmax_log_loss(np.array([1]), np.array([1.0])) == pytest.approx(0.3132617)
    assert ctr.double_softmax_log_loss(np.array([1]), np.array([0.0])) == pytest.approx(1.3132617)


def test_double_softmax_with_probabilities_of_the_whole_vocabulary():
    pair = np.exp([0.3, 0.1])
    expected = -np.log(pair[1] / pair.sum())  # label 0
    assert ctr.double_softmax_log_loss(np.array([0]), np.array([0.3]), np.array([0.1])) == pytest.approx(
        expected
    )


def test_calibration_error_equals_a_naive_loop():
    total = 0.0
    for b in range(10):
        rows = [i for i, p in enumerate(PROBS) if b / 10 <= p < (b + 1) / 10 or (b == 9 and p == 1)]
        if rows:
            gap = np.mean([LABELS[i] for i in rows]) - np.mean([PROBS[i] for i in rows])
            total += len(rows) / len(PROBS) * abs(gap)
    # 0.3 * 10 and 0.6 * 10 etc. fall on bin edges: both ways must agree on which side
    assert ctr.expected_calibration_error(LABELS, PROBS) == pytest.approx(total, abs=1e-12)


def test_calibration_error_of_a_sure_wrong_model_is_one():
    assert ctr.expected_calibration_error(np.zeros(4), np.ones(4)) == 1.0


def test_calibration_error_puts_one_into_the_last_bin():
    # 0.95 (right) and 1.0 (wrong) share a bin: |(1 + 0) - (0.95 + 1)| / 2
    assert ctr.expected_calibration_error(np.array([1, 0]), np.array([0.95, 1.0])) == pytest.approx(0.475)


@pytest.mark.parametrize("metric", [ctr.log_loss, ctr.accuracy, ctr.expected_calibration_error, ctr.auc])
def test_no_rows_give_nan(metric):
    assert np.isnan(metric(np.array([]), np.array([])))


@pytest.mark.parametrize(
    ("labels", "probs", "words"),
    [([0, 1], [0.5], "pair up"), ([0, 2], [0.5, 0.5], "0 or 1"), ([0, 1], [0.5, np.nan], "Score 1")],
)
def test_wrong_input_is_named(labels, probs, words):
    with pytest.raises(InputError, match=words):
        ctr.auc(np.array(labels), np.array(probs))


def test_user_aucs_equal_a_loop_and_sklearn():
    users = rng.integers(0, 12, 200)
    users[LABELS == 1] = np.where(users[LABELS == 1] == 3, 4, users[LABELS == 1])  # user 3 has one class only
    found = ctr.user_aucs(LABELS, PROBS, users)
    assert found.users.tolist() == list(range(12)) and found.n_rows.tolist() == np.bincount(users).tolist()
    wanted = [
        roc_auc_score(LABELS[users == user], PROBS[users == user]) if user != 3 else np.nan
        for user in range(12)
    ]
    np.testing.assert_allclose(found.aucs, wanted, atol=1e-12)
    known = np.delete(np.arange(12), 3)
    mean = np.mean(np.array(wanted)[known])
    weighted = np.average(np.array(wanted)[known], weights=np.bincount(users)[known])
    assert ctr.user_auc(LABELS, PROBS, users) == pytest.approx(mean)
    assert ctr.user_auc(LABELS, PROBS, users, weighted=True) == pytest.approx(weighted)
    assert mean != pytest.approx(weighted, abs=1e-4)


def test_user_auc_by_hand():
    # user a: 0.9 above 0.2, 1 of 1; user b: a tie, 0.5; user c has no negative
    labels, probs = np.array([1, 0, 1, 0, 1]), np.array([0.9, 0.2, 0.4, 0.4, 0.1])
    assert ctr.user_auc(labels, probs, np.array(["a", "a", "b", "b", "c"])) == 0.75
    assert np.isnan(ctr.user_auc(labels[:1], probs[:1], np.array([1])))
    assert np.isnan(ctr.user_auc(labels[:0], probs[:0], np.array([])))

import numpy as np
import pytest
from scipy import stats

from rec_core.probes import candidate_order
from rec_core.probes.position import PositionConfig, run
from rec_core.probes.verdicts import EVIDENCE, NOT_ENOUGH
from rec_core.types import ChoiceRequest, History, InputError

QUICK = PositionConfig(n_permutations=199, n_resamples=300)
EMPTY = History(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.int64))
N_CANDIDATES = 5


class Chooser:
    """Picks by taste (a fixed score per user and item), a bonus per slot, and fresh noise per question."""

    def __init__(self, slot_bonus=0.0, noise=0.0, taste=1.0, seed=0):
        self.bonus = np.zeros(N_CANDIDATES)
        self.bonus[0] = slot_bonus
        self.noise, self.rng = noise, np.random.default_rng(seed)
        self.taste = taste * np.random.default_rng(100 + seed).normal(size=(500, 50))

    def choose(self, requests):
        scores = np.stack([self.taste[r.user_num or 0, list(r.candidates)] for r in requests]) + self.bonus
        scores = scores + self.noise * self.rng.gumbel(size=scores.shape)
        return np.exp(scores) / np.exp(scores).sum(1, keepdims=True)


def questions(n_users=60, per_user=1, seed=0):
    rng = np.random.default_rng(seed)
    choices = [
        ChoiceRequest(user, EMPTY, tuple(rng.permutation(50)[:N_CANDIDATES].tolist()))
        for user in range(n_users)
        for _ in range(per_user)
    ]
    return choices, rng.integers(0, N_CANDIDATES, len(choices))


def audit(system, config=QUICK, n_users=60, seed=0, per_user=1):
    choices, targets = questions(n_users, per_user, seed)
    return run(system, [], [], choices, targets, config)


def cell(result, measure, group):
    rows = result.rows[(result.rows["measure"] == measure) & (result.rows["group"] == group)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("n_candidates", [2, 5, 6, 9])
def test_balanced_orders_put_everyone_everywhere(n_candidates):
    orders = candidate_order.balanced_orders(n_candidates, 2 * n_candidates, np.random.default_rng(0))
    for slot in range(n_candidates):
        assert np.bincount(orders[:, slot]).tolist() == [2] * n_candidates
    assert (np.sort(orders, axis=1) == np.arange(n_candidates)).all()


@pytest.mark.parametrize(("n_candidates", "n_orders"), [(6, 6), (5, 10)])
def test_balanced_orders_let_everyone_follow_everyone(n_candidates, n_orders):
    orders = candidate_order.balanced_orders(n_candidates, n_orders, np.random.default_rng(1))
    follows = np.zeros((n_candidates, n_candidates), int)
    np.add.at(follows, (orders[:, :-1].ravel(), orders[:, 1:].ravel()), 1)
    off_diagonal = follows[~np.eye(n_candidates, dtype=bool)]
    assert (off_diagonal == n_orders // n_candidates).all()


def test_balanced_orders_are_drawn_anew():
    rng = np.random.default_rng(2)
    draws = np.stack([candidate_order.balanced_orders(4, 8, rng) for _ in range(400)])
    first_slots = np.bincount(draws[:, 0, 0], minlength=4)  # the first order favours nobody
    assert stats.chisquare(first_slots).pvalue > 0.001
    squares = [{tuple(order) for order in half.tolist()} for draw in draws for half in (draw[:4], draw[4:])]
    assert any(a != b for a, b in zip(squares[::2], squares[1::2], strict=True))
    follows = {tuple(np.argsort(first)[second]) for first, second in draws[:, :2].tolist()}
    assert len(follows) > 1  # the second order is not always the same rearrangement of the first


def test_answers_are_read_back_to_the_candidate_that_stood_there():
    choices, targets = questions(7)
    chooser = Chooser()
    answers = candidate_order.ask(chooser, choices, targets, 0, seed=3)
    plain = chooser.choose(choices)  # no bonus, no noise: the order shown does not matter
    assert answers.by_candidate() == pytest.approx(np.repeat(plain[:, None], N_CANDIDATES + 1, axis=1))
    assert (answers.orders[:, -1] == answers.orders[:, 0]).all()
    for row, (choice, target) in enumerate(zip(choices, targets, strict=True)):
        slots = answers.target_slots()[row]
        shown = [choice.candidates[answers.orders[row, m, slots[m]]] for m in range(N_CANDIDATES)]
        assert shown == [choice.candidates[target]] * N_CANDIDATES


def test_ties_share_the_pick():
    probs = np.array([[[0.4, 0.4, 0.2]]])
    answers = candidate_order.OrderedAnswers(
        np.zeros(1), np.arange(3)[None], np.array([-1]), np.arange(3)[None, None], probs
    )
    assert answers.picks().tolist() == [[[0.5, 0.5, 0.0]]]
    assert answers.rankings().tolist() == [[[0, 1, 2]]]


def test_planted_bias_is_flagged():
    result = audit(Chooser(slot_bonus=1.5))
    found = cell(result, "slot_range", "all slots")
    assert found["verdict"] == EVIDENCE and found["p_corrected"] < 0.05 and found["low"] > 0.05
    assert found["value"] > 2 * cell(result, "slot_range_by_chance", "all slots")["value"]
    assert cell(result, "slot_pick_rate", "slot 1")["low"] > 1 / N_CANDIDATES
    assert cell(result, "slot_slope", "all slots")["high"] < 0
    flips = cell(result, "top1_flip_excess", "other orders")
    assert flips["verdict"] == EVIDENCE and flips["n"] == 60
    first, last = (cell(result, "hit_rate_by_slot", f"slot {s}")["value"] for s in (1, N_CANDIDATES))
    assert first > last
    assert cell(result, "kendall_tau", "other orders")["value"] < 0.95
    assert cell(result, "kendall_tau", "exact repeat")["value"] == pytest.approx(1)


def test_a_chooser_that_only_reads_the_items_is_cleared():
    result = audit(Chooser())
    for measure, group in (("slot_range", "all slots"), ("top1_flip_excess", "other orders")):
        assert cell(result, measure, group)["verdict"] == "no effect larger than 0.05"
    assert cell(result, "slot_total_variation", "all slots")["value"] == pytest.approx(0)
    assert cell(result, "rbo", "other orders")["value"] == pytest.approx(1)
    assert cell(result, "hit_rate_by_slot", "slot 2")["value"] == pytest.approx(
        cell(result, "hit_rate_by_slot", "slot 3")["value"]
    )


def test_noise_alone_is_not_taken_for_bias():
    result = audit(Chooser(noise=1.0))
    assert cell(result, "top1_flip_rate", "exact repeat")["value"] > 0.2  # answers do change
    assert EVIDENCE not in set(result.rows["verdict"])


def measured(system, config, n_users, seed):
    choices, targets = questions(n_users, seed=seed)
    return candidate_order.measure(candidate_order.ask(system, choices, targets, 0, seed), config)


@pytest.mark.parametrize("headline", ["slot_range", "top1_flip_excess"])
def test_false_alarms_stay_at_the_level(headline):
    config = PositionConfig(n_permutations=99, n_resamples=100)
    alarms = 0
    for seed in range(120):
        rows = measured(Chooser(noise=1.0, seed=seed), config, n_users=30, seed=seed)
        alarms += next(row.p for row in rows if row.measure == headline) <= 0.05
    assert stats.binomtest(alarms, 120, 0.05, alternative="greater").pvalue > 0.01


def test_intervals_hold_the_true_pick_rate():
    # no taste, gumbel noise: slot 1 is picked with probability e / (e + 4)
    truth, held = np.e / (np.e + N_CANDIDATES - 1), 0
    config = PositionConfig(n_permutations=99, n_resamples=200)
    for seed in range(120):
        rows = measured(
            Chooser(slot_bonus=1.0, noise=1.0, taste=0.0, seed=seed), config, n_users=40, seed=seed
        )
        limits = next(r.interval for r in rows if (r.measure, r.group) == ("slot_pick_rate", "slot 1"))
        held += limits.low <= truth <= limits.high
    assert stats.binomtest(held, 120, 0.95).pvalue > 0.01


def test_questions_of_one_user_count_once():
    # the same biased answers from 10 users with 6 questions each are 10 units, not 60
    result = audit(Chooser(slot_bonus=1.5), n_users=10, per_user=6)
    assert cell(result, "slot_range", "all slots")["n"] == 10
    assert cell(result, "slot_range", "all slots")["verdict"] == NOT_ENOUGH
    # two users who agree by chance on the best of five slots are no proof, however often they are asked
    pair = audit(Chooser(slot_bonus=1.5), n_users=2, per_user=30)
    assert cell(pair, "slot_range", "all slots")["p_corrected"] > 0.1


def test_range_by_chance_is_per_question_however_many_a_user_has():
    # pure noise: 30 users x 3 questions x 5 orders are 450 uniform picks
    result = audit(Chooser(noise=1.0, taste=0.0), n_users=30, per_user=3)
    simulated = np.ptp(np.random.default_rng(0).multinomial(450, np.full(5, 0.2), 4000) / 450, axis=1).mean()
    by_chance = cell(result, "slot_range_by_chance", "all slots")["value"]
    assert by_chance == pytest.approx(simulated, rel=0.25)


def test_slot_rates_equal_a_naive_count():
    choices, targets = questions(12)
    answers = candidate_order.ask(Chooser(slot_bonus=0.5), choices, targets, 0, seed=0)
    rows = {(r.measure, r.group): r.interval.value for r in candidate_order.measure(answers, QUICK)}
    counts, hits, stood = np.zeros(N_CANDIDATES), np.zeros(N_CANDIDATES), np.zeros(N_CANDIDATES)
    flips = 0
    for row in range(12):
        first = None
        for m in range(N_CANDIDATES):
            slot = int(answers.probs[row, m].argmax())
            candidate = answers.orders[row, m, slot]
            first = candidate if m == 0 else first
            flips += candidate != first
            counts[slot] += 1
            where = list(answers.orders[row, m]).index(targets[row])
            stood[where] += 1
            hits[where] += where == slot
    rates = counts / counts.sum()
    for slot in range(N_CANDIDATES):
        assert rows["slot_pick_rate", f"slot {slot + 1}"] == pytest.approx(rates[slot])
        assert rows["hit_rate_by_slot", f"slot {slot + 1}"] == pytest.approx(hits[slot] / stood[slot])
    assert rows["slot_range", "all slots"] == pytest.approx(rates.max() - rates.min())
    assert rows["slot_total_variation", "all slots"] == pytest.approx(np.abs(rates - 0.2).sum() / 2)
    assert rows["slot_slope", "all slots"] == pytest.approx(np.polyfit(range(N_CANDIDATES), rates, 1)[0])
    assert rows["top1_flip_rate", "other orders"] == pytest.approx(flips / (12 * (N_CANDIDATES - 1)))


def test_same_seed_same_rows_and_raw_answers():
    first, again = audit(Chooser(slot_bonus=1.0)), audit(Chooser(slot_bonus=1.0))
    assert first.rows.equals(again.rows)
    assert len(first.raw) == 60 * (N_CANDIDATES + 1)
    assert first.raw["arm"].tolist()[:6] == [*(f"order {m}" for m in range(1, 6)), "exact repeat"]
    slots = first.raw[first.raw["arm"] != "exact repeat"]["slot_picked"].value_counts(normalize=True)
    assert slots[1] == pytest.approx(cell(first, "slot_pick_rate", "slot 1")["value"])


def test_wrong_questions_are_refused():
    choices, targets = questions(4)
    short = ChoiceRequest(0, EMPTY, (1, 2))
    with pytest.raises(InputError, match="same number of candidates"):
        run(Chooser(), [], [], [*choices, short], [*targets, 0], QUICK)
    with pytest.raises(InputError, match="as many targets"):
        run(Chooser(), [], [], choices, targets[:2], QUICK)
    with pytest.raises(InputError, match="nothing to ask"):
        run(object(), [], [], choices, targets, QUICK)

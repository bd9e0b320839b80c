from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from rec_core.metrics import exposure
from rec_core.probes.baselines import popular_lists, profile_lists, random_lists
from rec_core.probes.popularity import PopularityConfig, run
from rec_core.probes.verdicts import COLUMNS, EVIDENCE, NOT_ENOUGH
from rec_core.types import InputError, Interactions

QUICK = PopularityConfig(n_permutations=199, n_resamples=300)
N_ITEMS = 100


def simulated(n_users=120, length=30, seed=0):
    """Zipf popularity; the higher a user's number, the more mainstream the history."""
    rng = np.random.default_rng(seed)
    weights = 1 / (np.arange(N_ITEMS) + 5.0)
    items = []
    for taste in np.linspace(0.3, 1.5, n_users):
        shares = weights**taste
        items.append(rng.choice(N_ITEMS, size=length, replace=False, p=shares / shares.sum()))
    users = np.repeat(np.arange(n_users), length).astype(np.int32)
    ids = np.array([f"i{n}" for n in range(N_ITEMS)])
    n = n_users * length
    return Interactions(
        np.array([f"u{n}" for n in range(n_users)]),
        ids,
        users,
        np.concatenate(items).astype(np.int32),
        np.full(n, np.nan, np.float32),
        np.arange(n),
    )


def faithful(interactions, seed=0, length=10):
    """Draws each list from the user's own history: neither more nor less popular than the user likes."""
    rng = np.random.default_rng(seed)
    profiles = profile_lists(interactions, range(interactions.n_users))
    return {user: rng.choice(items, size=length, replace=False).tolist() for user, items in profiles.items()}


@pytest.fixture(scope="module")
def interactions():
    return simulated()


@pytest.fixture(scope="module")
def baselines(interactions):
    users = range(interactions.n_users)
    return {
        "training data": profile_lists(interactions, users),
        "random": random_lists(interactions, users, 10, seed=0),
        "most popular": popular_lists(interactions, users, 10),
    }


def cell(result, measure, group):
    rows = result.rows[(result.rows["measure"] == measure) & (result.rows["group"] == group)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_planted_bias_is_flagged(interactions, baselines):
    pushy = popular_lists(interactions, range(interactions.n_users), 10, exclude_seen=False)
    result = run({"pushy": pushy, **baselines}, interactions, QUICK)
    change = cell(result, "popularity_change", "pushy, all users")
    assert change["verdict"] == EVIDENCE and change["low"] > 0.2 and change["n"] == 120
    gap = cell(result, "popularity_change_gap", "pushy, niche - mainstream")
    assert gap["verdict"] == EVIDENCE and gap["low"] > 0  # the niche users are moved most
    assert cell(result, "log_popularity_difference", "pushy - training data")["verdict"] == EVIDENCE
    assert cell(result, "exposure_share", "pushy, decile 10")["value"] == 1
    assert cell(result, "gini", "pushy")["value"] == pytest.approx(0.9)  # ten items take it all
    assert cell(result, "gini_difference", "pushy - random")["low"] > 0
    assert cell(result, "coverage_difference", "pushy - random")["high"] < 0


def test_lists_like_the_histories_are_cleared(interactions, baselines):
    result = run({"faithful": faithful(interactions), **baselines}, interactions, QUICK)
    for measure, group in (
        ("popularity_change", "faithful, all users"),
        ("popularity_change_gap", "faithful, niche - mainstream"),
        ("log_popularity_difference", "faithful - training data"),
    ):
        assert cell(result, measure, group)["verdict"] == "no effect larger than 0.2"
    assert cell(result, "log_popularity_difference", "faithful - random")["verdict"] == EVIDENCE
    assert cell(result, "popularity_change", "training data, all users")["value"] == 0
    assert cell(result, "popularity_change", "training data, all users")["verdict"] == ""


def test_false_alarms_stay_at_the_level():
    config = PopularityConfig(n_permutations=99, n_resamples=100, material_log_change=1e-9)
    alarms = 0
    for seed in range(25):
        interactions = simulated(n_users=40, seed=seed)
        result = run({"faithful": faithful(interactions, seed)}, interactions, config)
        alarms += EVIDENCE in set(result.rows["verdict"])
    assert stats.binomtest(alarms, 25, 0.05, alternative="greater").pvalue > 0.01


def test_measures_equal_naive_counts(interactions, baselines):
    lists = faithful(interactions, length=7)
    result = run({"system": lists, **baselines}, interactions, QUICK)
    popularity = np.bincount(interactions.item_nums, minlength=N_ITEMS)
    profiles = profile_lists(interactions, range(120))
    shown = np.bincount(np.concatenate([lists[u] for u in range(120)]), minlength=N_ITEMS)
    change = [
        np.mean(np.log1p(popularity[lists[u]])) - np.mean(np.log1p(popularity[profiles[u]]))
        for u in range(120)
    ]
    lift = [popularity[lists[u]].mean() / popularity[profiles[u]].mean() - 1 for u in range(120)]
    assert cell(result, "arp", "system")["value"] == pytest.approx(
        np.mean([popularity[lists[u]].mean() for u in range(120)])
    )
    head = set(np.argsort(-popularity, kind="stable")[:20].tolist())
    tail_shares = [np.mean([item not in head for item in lists[u]]) for u in range(120)]
    assert cell(result, "aplt", "system")["value"] == pytest.approx(np.mean(tail_shares))
    assert cell(result, "popularity_change", "system, all users")["value"] == pytest.approx(np.mean(change))
    assert cell(result, "popularity_lift", "system, all users")["value"] == pytest.approx(np.mean(lift))
    assert cell(result, "coverage", "system")["value"] == (shown > 0).mean()
    assert cell(result, "gini", "system")["value"] == pytest.approx(exposure.gini(shown))
    shares = exposure.exposure_by_decile(shown, popularity)
    for decile in range(1, 11):
        assert cell(result, "exposure_share", f"system, decile {decile}")["value"] == pytest.approx(
            shares[decile - 1]
        )
    mainstream = sorted(range(120), key=lambda u: np.mean(np.log1p(popularity[profiles[u]])))
    for third, users in (("niche", mainstream[:40]), ("mainstream", mainstream[80:])):
        row = cell(result, "popularity_change", f"system, {third}")
        assert (row["value"], row["n"]) == (pytest.approx(np.mean([change[u] for u in users])), 40)
    gap = np.mean([change[u] for u in mainstream[:40]]) - np.mean([change[u] for u in mainstream[80:]])
    assert cell(result, "popularity_change_gap", "system, niche - mainstream")["value"] == pytest.approx(gap)
    for measure in ("log_popularity", "arp", "aplt", "gini", "coverage"):
        difference = cell(result, f"{measure}_difference", "system - random")["value"]
        parts = [cell(result, measure, name)["value"] for name in ("system", "random")]
        assert difference == pytest.approx(parts[0] - parts[1])


def test_differences_are_paired_by_user(interactions):
    lists = faithful(interactions)
    twin = {user: items[::-1] for user, items in lists.items()}
    row = cell(run({"a": lists, "b": twin}, interactions, QUICK), "log_popularity_difference", "a - b")
    assert (row["low"], row["high"]) == pytest.approx((0, 0), abs=1e-12)
    assert row["p_corrected"] == 1


def test_intervals_of_gini_and_coverage_hold_what_was_observed(interactions):
    result = run({"system": faithful(interactions)}, interactions, QUICK)
    for measure in ("gini", "coverage"):
        row = cell(result, measure, "system")
        assert row["low"] < row["value"] < row["high"]


def test_users_without_lists_or_history_are_left_out_and_counted(interactions):
    lists = faithful(interactions)
    fewer = {user: items for user, items in lists.items() if user != 5} | {7: []}
    result = run({"a": lists, "b": fewer}, interactions, QUICK)
    assert (result.settings["n_users"], result.settings["users_left_out"]) == (118, 2)
    assert result.settings["audited"] == "a" and result.settings["baselines"] == ["b"]
    assert not {5, 7} & set(result.raw["user"])
    assert len(result.raw) == 2 * 118
    known = interactions.user_nums != 3
    without = replace(
        interactions, user_nums=interactions.user_nums[known], item_nums=interactions.item_nums[known]
    )
    result = run({"a": lists}, without, QUICK)
    assert (result.settings["n_users"], result.settings["users_left_out"]) == (119, 1)


def test_small_groups_are_hidden_and_small_samples_not_judged(interactions):
    few = {user: items for user, items in faithful(interactions).items() if user < 27}
    result = run({"a": few}, interactions, QUICK)
    hidden = cell(result, "popularity_change", "a, niche")
    assert np.isnan(hidden["value"]) and hidden["n"] == 9
    assert np.isnan(cell(result, "popularity_change_gap", "a, niche - mainstream")["value"])
    assert set(result.rows["verdict"]) == {"", NOT_ENOUGH}


def test_rows_progress_and_repeatability(interactions, baselines):
    events = []
    systems = {"a": faithful(interactions), **baselines}
    first = run(systems, interactions, QUICK, events.append)
    assert tuple(first.rows.columns) == COLUMNS
    assert [e.step for e in events] == list(range(1, events[0].total + 1))
    assert first.rows.equals(run(systems, interactions, QUICK).rows)
    tested = first.rows[~first.rows["p_corrected"].isna()]
    assert len(tested) == 5 and (tested["verdict"] != "").all()


def test_wrong_input_is_named(interactions):
    with pytest.raises(InputError, match="item number 100"):
        run({"a": {0: [1, 100]}}, interactions, QUICK)
    with pytest.raises(InputError, match="No user has"):
        run({"a": {0: [1]}, "b": {1: [1]}}, interactions, QUICK)
    with pytest.raises(InputError, match="at least one system"):
        run({}, interactions, QUICK)

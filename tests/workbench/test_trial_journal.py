"""Proposals come from seed, number and finished trials alone; a kill leaves nothing but whole lines."""

import json
import warnings

import pytest

from rec_core.config import Between, OneOf
from rec_core.workbench.trial_journal import TrialJournal

RANGES = {"rate": Between(1e-4, 1e-1, log=True), "depth": Between(1, 5), "kind": OneOf(("a", "b"))}


@pytest.fixture
def journal(tmp_path):
    """Open a search in one folder, anew at every call."""

    def make(name="one", seed=0):
        (tmp_path / name).mkdir(exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return TrialJournal(tmp_path / name, RANGES, seed)

    return make


def search(make, n_trials, **which):
    """Add trials, the journal opened anew before each; the higher the rate, the better."""
    for _ in range(n_trials):
        journal = make(**which)
        values = journal.propose()
        journal.add(values, values["rate"], 0.5)
    return [trial.values for trial in make(**which).trials]


def test_a_journal_opened_before_every_trial_proposes_as_one_that_stays_open(journal):
    anew, stays = search(journal, 14), journal("two")
    for values in anew:
        assert stays.propose() == values == stays.propose()
        stays.add(values, values["rate"], 0.5)
    assert stays.trials == journal().trials


def test_every_number_and_every_seed_draws_anew_within_the_ranges(journal):
    values = search(journal, 8) + search(journal, 2, name="two", seed=1)
    assert len({value["rate"] for value in values}) == 10
    assert all(1e-4 <= value["rate"] <= 1e-1 and value["depth"] in range(1, 6) for value in values)
    assert {type(value["depth"]) for value in values} == {int}
    assert {value["kind"] for value in values} == {"a", "b"}


def test_a_logarithmic_range_is_drawn_by_powers_of_ten(journal):
    rates = sorted(values["rate"] for values in search(journal, 10))
    assert rates[4] < 0.02  # by every number alike, half would lie above 0.05


def test_after_the_first_ten_trials_proposals_follow_the_values(journal):
    chosen = [values["rate"] for values in search(journal, 25)]
    assert sum(chosen[10:]) / 15 > 2 * sum(chosen[:10]) / 10


def test_a_failed_trial_is_kept_and_counts(journal):
    journal().add({"rate": 0.1, "depth": 1, "kind": "a"}, None, 0.25, "The loss is inf.")
    (trial,) = journal().trials
    assert (trial.number, trial.value, trial.state, trial.error) == (0, None, "failed", "The loss is inf.")
    other = journal("two").propose()
    assert journal().propose() != other  # it is trial 1 that comes next here


def test_half_a_line_and_a_lock_left_by_a_kill_are_cleared_away(journal, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("waits for a lock that nobody holds"))
    search(journal, 2)
    file = tmp_path / "one" / "trials.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"op_code":4,"sta')
    file.with_name("trials.jsonl.lock").touch()
    assert search(journal, 1)[:2] == search(journal, 2, name="two")
    assert file.read_bytes().startswith(whole)
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == 1 + 3
    assert [path.name for path in file.parent.iterdir()] == ["trials.jsonl"]

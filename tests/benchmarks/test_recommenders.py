"""What is asked of both libraries, and how their records become rows."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks import recommenders
from benchmarks.recommenders import Comparison, _names
from rec_core.types import InputError


@dataclass
class Case:
    name: str = "case"

    def export(self, folder: Path) -> None:
        (folder / self.name).mkdir(parents=True)


@dataclass
class Records:
    """A runner that answers from a table instead of training."""

    root: Path
    results: dict
    asked: list = field(default_factory=list)

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    def run(self, library, job, turn=None):
        self.asked.append((library, job, turn))
        folder = self.root / f"{library}-{job['mode']}"
        folder.mkdir(exist_ok=True)
        (folder / "result.json").write_text(json.dumps(self.results[library, job["mode"]]))
        return folder


def timed(epoch, evaluation, megabytes):
    return {"epoch_seconds": [9.0, epoch], "evaluation_seconds": [9.0, evaluation], "peak_rss_mb": megabytes}


def trained(curve):
    validation = [[float(epoch), value] for epoch, value in enumerate(curve, start=1)]
    return {"validation": validation, "best_validation": max(curve), "stopped_epoch": len(curve)}


@pytest.fixture
def compare(tmp_path: Path, monkeypatch):
    """Return a function: our curves, the peer's curve -> a comparison on made-up records."""
    monkeypatch.setattr(recommenders, "_case", lambda model, source, n_users: Case())

    def make(ours, peer, longer=(), **settings):
        results = {
            ("ours", "time_epochs"): timed(1.0, 0.5, 100.0),
            ("recbole", "time_epochs"): timed(4.0, 2.0, 300.0),
            ("ours", "train_to_stop"): trained(ours),
            ("recbole", "train_to_stop"): trained(peer),
            ("ours", "train_to_target"): trained([*ours, *longer]),
        }
        records = Records(tmp_path, results)
        options = {"n_users": 0, "threads": 2, "seeds": (7,), "rounds": 2, "patience": 10} | settings
        return Comparison("deepfm", "ml-100k", runner=records, **options), records

    return make


def test_speed_rows_come_from_turns_and_leave_the_warm_up_out(compare):
    comparison, records = compare([0.1], [0.1])
    epoch, validation, memory = comparison.speed_rows()
    assert (epoch["ours"], epoch["peer"], epoch["ratio"]) == (1.0, 4.0, 4.0)
    assert (validation["ratio"], memory["ratio"]) == (4.0, 3.0)
    assert [(library, turn) for library, _, turn in records.asked] == [
        ("ours", 0),
        ("recbole", 0),
        ("ours", 1),
        ("recbole", 1),
    ]
    assert {job["threads"] for _, job, _ in records.asked} == {2}


def test_time_to_the_peers_best_counts_its_first_best_epoch_and_ours_that_reaches_it(compare):
    comparison, records = compare([0.1, 0.4], [0.1, 0.2, 0.3, 0.3])
    row = comparison.time_to_best_rows()[1]
    # ours: 2 epochs of 1 + 0.5 s; the peer: 3 of 4 + 2 s
    assert (row["ours"], row["peer"], row["ratio"], row["target"]) == (3.0, 18.0, 6.0, 0.3)
    assert "train_to_target" not in {job["mode"] for _, job, _ in records.asked}


def test_ours_goes_on_where_it_stopped_below_the_peers_best(compare):
    comparison, records = compare([0.1, 0.2], [0.1, 0.3, 0.2], longer=[0.25, 0.31])
    assert comparison.time_to_best_rows()[1]["ours"] == 4 * 1.5
    longer = [job for _, job, _ in records.asked if job["mode"] == "train_to_target"]
    assert [(job["target"], job["epochs"]) for job in longer] == [(0.3, 6)]


def test_what_is_never_reached_has_no_ratio(compare):
    comparison, _ = compare([0.1, 0.2], [0.1, 0.3])
    assert comparison.time_to_best_rows()[1]["ratio"] is None


def test_both_sides_get_the_same_seed_and_patience(compare):
    comparison, records = compare([0.3], [0.3], patience=30)
    _ = comparison.trained
    assert {(job["seed"], job["patience"], job["threads"]) for _, job, _ in records.asked} == {(7, 30, 1)}
    assert [job["model"] for _, job, _ in records.asked] == ["deepfm", "DeepFM"]


def test_every_seed_is_trained_on_both_sides_and_the_first_gives_the_curves(compare):
    comparison, records = compare([0.3], [0.3], seeds=(7, 8))
    ours, peer = comparison.trained
    assert (len(ours), len(peer)) == (2, 2)
    asked = [(library, job["seed"]) for library, job, _ in records.asked]
    assert asked == [("ours", 7), ("ours", 8), ("recbole", 7), ("recbole", 8)]
    assert comparison.time_to_best_rows()[1]["target"] == 0.3
    assert {job["seed"] for _, job, turn in records.asked if turn is not None} == {7}


def test_names_are_checked():
    assert _names(" BPR,lightgcn,", "all") == ["bpr", "lightgcn"]
    with pytest.raises(InputError, match="'bprr'"):
        _names("bprr", "all")
    with pytest.raises(InputError, match="speed, quality or all"):
        _names("bpr", "fast")

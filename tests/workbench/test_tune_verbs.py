"""Searches for settings: judged on validation, resumable to the same end, one worker, failures survived."""

import math
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from types import ModuleType

import pytest
from pydantic import Field

from rec_core.config import Between, Config, OneOf, parse_assignments
from rec_core.data.storage import save_dataset
from rec_core.roster import SystemCard
from rec_core.run_folder import RunFolder, true_state
from rec_core.store import PROJECT_ROOT, Workspace, read_json, write_json
from rec_core.types import Cancelled, InputError, ProgressEvent
from rec_core.workbench import new_tuning, tune
from rec_core.workbench.run_verbs import config_of

# A process of its own that is in the middle of the third trial when `at_work` appears.
WORKER = """
import pathlib, runpy, sys, time
from rec_core import roster
from rec_core.store import Workspace
from rec_core.workbench import tune
tests = runpy.run_path({tests!r})
stub = tests["Stub"]()
sys.modules[stub.__name__], roster.SYSTEMS = stub, (tests["CARD"],)
stub.before = {{2: lambda: (pathlib.Path("{at_work}").touch(), time.sleep(60))}}
tune("stub", "planted", "tiny", None, 4, workspace=Workspace(pathlib.Path("{root}")))
"""


class Loop(Config):
    rate: float = Field(1.0, gt=0, description="How fast.")


class StubConfig(Config):
    loop: Loop = Field(Loop(), description="Its own group.")
    width: int = Field(8, ge=1, description="How wide.")
    kind: str = Field("plain", description="Which.")
    noise: float = Field(0.0, ge=0, description="Of the noisy kind.")

    @classmethod
    def search_space(cls):
        return {
            "loop.rate": Between(1e-6, 1e-1, log=True),
            "width": OneOf((4, 8, 16)),
            "noise": Between(0.1, 1.0, when={"kind": ("noisy",)}),
        }


class Killed(BaseException):
    """What nothing may catch."""


class Stub(ModuleType):
    """A system whose validation value is best at a rate of 1e-3; `before[k]` happens inside its k-th call."""

    def __init__(self):
        super().__init__(CARD.module)
        self.StubConfig, self.calls, self.before, self.fitted, self.found = StubConfig, [], {}, 0, []

    def fit(self, *_):
        self.fitted += 1

    def validate(self, dataset, config, folder, workspace, seed, progress):
        self.calls.append((config, seed))
        self.found.append(sorted(path.name for path in folder.iterdir()))
        (folder / "half").touch()
        happens = self.before.get(len(self.calls) - 1, lambda: None)()
        progress(ProgressEvent("stub", 1, 2))
        return -abs(math.log10(config.loop.rate) + 3) - config.width / 100 if happens is None else happens


CARD = SystemCard("stub", "Stub", "-", "a_stub", "a_stub.Stub", "a_stub.StubConfig", (), "auc", "none")


@pytest.fixture
def stub(monkeypatch):
    """The roster holds a stub alone."""
    module = Stub()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("rec_core.roster.SYSTEMS", (CARD,))
    return module


@pytest.fixture
def space(tmp_path, planted):
    """A workspace that holds the planted dataset."""
    save_dataset(planted, tmp_path / "a" / "datasets" / "planted")
    return Workspace(tmp_path / "a")


@pytest.fixture
def other(tmp_path, planted):
    """A second one."""
    save_dataset(planted, tmp_path / "b" / "datasets" / "planted")
    return Workspace(tmp_path / "b")


def run(space, n_trials, overrides=None, system="stub", **more):
    return tune(system, "planted", "tiny", overrides, n_trials, workspace=space, **more)


def told(result):
    """Everything in a result that does not depend on the clock."""
    trials = [{key: value for key, value in row.items() if key != "seconds"} for row in result["trials"]]
    return {**result, "trials": trials}


def fail(sentence):
    raise InputError(sentence)


def kill():
    raise Killed


def test_the_best_trial_is_reported_with_the_command_that_trains_it(stub, space):
    seen = []
    result = run(space, 6, {"kind": "[x]: y"}, seed=3, progress=seen.append)
    assert [row["number"] for row in result["trials"]] == list(range(6))
    for row, (config, seed) in zip(result["trials"], stub.calls, strict=True):
        assert (config.loop.rate, config.width) == (row["values"]["loop.rate"], row["values"]["width"])
        assert row["value"] == -abs(math.log10(config.loop.rate) + 3) - config.width / 100
        assert (row["state"], row["error"], seed) == ("done", "", 3)
    top = max(result["trials"], key=lambda row: row["value"])
    assert result["best"] == {"values": top["values"], "value": top["value"]}
    assert (result["system"], result["dataset"], result["metric"]) == ("stub", "planted", "auc")

    words = shlex.split(result["command"])
    assert words[:8] == ["python", "-m", "rec_core", "train", "stub", "--data", "planted", "--preset"]
    assert words[8] == "tiny" and words[-2:] == ["--seed", "3"]
    settings = [after for word, after in zip(words, words[1:], strict=False) if word == "--set"]
    assert parse_assignments(settings) == {"kind": "[x]: y", **top["values"]}

    trials = [event for event in seen if event.stage == "trials"]
    assert [(event.step, event.total) for event in trials] == [(step, 6) for step in range(7)]
    assert trials[-1].metrics == {"best": top["value"]} and trials[0].metrics == {}


def test_a_small_number_survives_the_way_through_the_command(stub, space, monkeypatch):
    only = {"loop.rate": OneOf((1e-05,))}  # Python's spelling, which YAML would read as a word
    monkeypatch.setattr(StubConfig, "search_space", classmethod(lambda cls: only))
    words = shlex.split(run(space, 1)["command"])
    assert parse_assignments(words[10:11]) == {"loop.rate": 1e-05}


def test_training_folders_go_and_a_finished_search_is_only_reported(stub, space):
    first = run(space, 3)
    folder = space.root / "tunings" / first["tuning"]
    assert not (folder / "trial").exists() and RunFolder(folder).status["state"] == "done"
    assert run(space, 3) == first == run(space, 2)
    assert len(stub.calls) == 3


def test_a_longer_search_goes_on_from_a_shorter_one(stub, space, other):
    run(space, 4)
    assert told(run(space, 12)) == told(run(other, 12))
    assert len(stub.calls) == 24


def test_a_search_whose_process_was_killed_is_taken_up(stub, space, other, tmp_path):
    script = WORKER.format(tests=__file__, root=space.root, at_work=tmp_path / "at_work")
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT_ROOT)
    while not (tmp_path / "at_work").exists():
        assert worker.poll() is None
        time.sleep(0.01)
    with pytest.raises(InputError, match=f"already worked on by process {worker.pid}"):
        run(space, 4)
    worker.kill()
    worker.wait()
    folder = new_tuning("stub", "planted", "tiny", workspace=space)
    assert true_state(folder.status) == "lost"
    assert told(run(space, 4)) == told(run(other, 4))
    assert len(stub.calls) == 2 + 4  # two of four were finished there


@pytest.mark.parametrize("killed_in", [0, 5, 12])
def test_a_killed_search_ends_as_an_uninterrupted_one(stub, space, other, killed_in):
    whole = run(other, 14)
    stub.calls.clear()
    stub.before = {killed_in: kill}
    with pytest.raises(Killed):
        run(space, 14)
    folder = RunFolder(space.root / "tunings" / whole["tuning"])
    gone = {"state": "running", "pid": 2**22 + 1, "pid_started": 0.0}
    write_json(folder.path / "status.json", {**folder.status, **gone})  # nobody wrote "failed" at a real kill
    assert told(run(space, 14)) == told(whole)
    assert len(stub.calls) == 15  # the killed trial twice, every other once
    assert stub.calls[killed_in] == stub.calls[killed_in + 1]


def test_the_trial_at_work_is_continued_where_it_was_unless_it_is_another(stub, space):
    stub.before = {0: kill, 1: kill}
    with pytest.raises(Killed):
        run(space, 2)
    (folder,) = (space.root / "tunings").iterdir()
    file = folder / "trial" / "trial.json"
    with pytest.raises(Killed):
        run(space, 2)
    write_json(file, {**read_json(file), "width": 5})
    run(space, 2)
    assert stub.found == [["trial.json"], ["half", "trial.json"], ["trial.json"], ["trial.json"]]


def test_a_trial_that_breaks_off_has_failed_and_the_search_goes_on(stub, space):
    stub.before = {1: lambda: fail("The loss of epoch 2 is inf."), 2: lambda: math.nan}
    result = run(space, 4)
    assert [row["state"] for row in result["trials"]] == ["done", "failed", "failed", "done"]
    assert [row["value"] is None for row in result["trials"]] == [False, True, True, False]
    assert result["trials"][1]["error"] == "The loss of epoch 2 is inf."
    assert "nan" in result["trials"][2]["error"]
    assert run(space, 4) == result and len(stub.calls) == 4  # a failed trial is not repeated


def test_values_that_the_config_refuses_are_a_failed_trial(stub, space, monkeypatch):
    monkeypatch.setattr(StubConfig, "search_space", classmethod(lambda cls: {"width": Between(0, 1)}))
    rows = run(space, 6)["trials"]
    assert {(row["values"]["width"], row["state"]) for row in rows} == {(0, "failed"), (1, "done")}


def test_a_search_without_any_value_says_why(stub, space):
    stub.before = dict.fromkeys(range(3), lambda: fail("The square does not fit."))
    with pytest.raises(InputError, match="All 3 trials failed, the last one so: The square does not fit;"):
        run(space, 3)
    assert run(space, 4)["best"]["value"] is not None


def test_stop_ends_it_at_a_step_and_it_can_be_taken_up(stub, space, other):
    folder = new_tuning("stub", "planted", "tiny", workspace=space)
    stub.before = {2: folder.request_stop}
    with pytest.raises(Cancelled):
        run(space, 4)
    assert folder.status["state"] == "cancelled" and len(stub.calls) == 3
    assert told(run(space, 4)) == told(run(other, 4))
    assert folder.status["state"] == "done" and not folder.stop_requested


def test_any_other_error_ends_it_and_leaves_a_log(stub, space):
    stub.before = {1: lambda: 1 / 0}
    with pytest.raises(ZeroDivisionError):
        run(space, 3)
    folder = new_tuning("stub", "planted", "tiny", workspace=space)
    assert folder.status["state"] == "failed" and "ZeroDivisionError" in (folder.path / "log.txt").read_text()
    assert [row["number"] for row in run(space, 3)["trials"]] == [0, 1, 2]


def test_what_was_set_or_means_nothing_is_not_searched(stub, space):
    assert set(run(space, 1)["best"]["values"]) == {"loop.rate", "width"}
    assert set(run(space, 1, {"kind": "noisy"})["best"]["values"]) == {"loop.rate", "width", "noise"}
    assert set(run(space, 1, {"loop.rate": 0.5})["best"]["values"]) == {"width"}
    assert stub.calls[-1][0].loop.rate == 0.5
    assert set(run(space, 1, {"loop": {"rate": 0.5}, "kind": "x"})["best"]["values"]) == {"width"}
    with pytest.raises(InputError, match="leave out --set for one of loop.rate, width"):
        run(space, 1, {"loop.rate": 0.5, "width": 3})


def test_every_question_has_a_folder_of_its_own(stub, space, monkeypatch):
    def name(overrides=None, seed=0, preset="tiny"):
        return new_tuning("stub", "planted", preset, overrides, seed, workspace=space).run_id

    names = [name(), name({"width": 8}), name({"kind": "b"}), name(seed=1), name(preset="small")]
    assert len(set(names)) == 5 and name() == names[0]  # a width of 8 is the preset's, but unsearched
    monkeypatch.setattr(StubConfig, "search_space", classmethod(lambda cls: {"width": Between(1, 9)}))
    assert name() not in names


def test_a_system_without_ranges_cannot_be_searched(stub, space, monkeypatch):
    monkeypatch.setattr(StubConfig, "search_space", classmethod(lambda cls: {}))
    with pytest.raises(InputError, match="'stub' declares no range"):
        run(space, 1)
    assert not (space.root / "tunings").exists()


def test_a_search_needs_one_process_and_a_workspace_to_write_to(stub, space, monkeypatch):
    with pytest.raises(InputError, match="read-only"):
        run(Workspace(space.root, read_only=True), 1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="one process"):
        run(space, 1)


def test_nothing_is_fitted(stub, space):
    run(space, 3)
    assert stub.fitted == 0


def test_a_real_search_never_looks_at_the_test_items(space, other, planted):
    settings = {"loop.epochs": 1, "embedding_size": 4, "batch_size": 64}

    def values(where, place):
        changed = with_other_item(planted, place) if place else planted
        save_dataset(changed, where.root / "datasets" / f"planted{place}")
        rows = tune("matrix_factorisation", f"planted{place}", "tiny", settings, 1, workspace=where)["trials"]
        return [(row["values"], row["value"]) for row in rows]

    as_it_is = values(space, 0)
    assert values(space, 1) == as_it_is  # the last item of each user is the test
    assert values(space, 2) != as_it_is  # the one before is the validation
    config = config_of("matrix_factorisation", "tiny", settings)
    assert config.task.split == "leave_one_out"


def with_other_item(dataset, from_the_end):
    """Replace one item of each user, counted from the end, by one that the user never took."""
    interactions = dataset.interactions
    items = interactions.item_nums.copy()
    for user in range(interactions.n_users):
        rows = (interactions.user_nums == user).nonzero()[0]
        unseen = sorted(set(range(interactions.n_items)) - set(items[rows].tolist()))
        items[rows[-from_the_end]] = unseen[0]
    return replace(dataset, name="x", interactions=replace(interactions, item_nums=items))

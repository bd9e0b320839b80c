"""A run that was stopped again and again ends exactly where an undisturbed one does."""

import numpy as np
import pandas as pd
import pytest

from rec_core.run_folder import RunFolder
from rec_core.store import read_json, read_tensors
from rec_core.types import Cancelled, InputError, ProgressEvent
from rec_core.workbench import load_run, resume


def middles(events: list[ProgressEvent]) -> dict[str, int]:
    """Return for each stage that reported from its middle the place there at which to stop."""
    totals = {event.stage: event.total for event in events if event.step < event.total}
    places = {stage: (total + 1) // 2 for stage, total in totals.items() if total > 2}
    reported = {event.stage for event in events if places.get(event.stage, 0) <= event.step < event.total}
    return {stage: place for stage, place in places.items() if stage in reported}


@pytest.fixture(scope="module")
def stopped_often(trained, fresh_run, tmp_path_factory):
    """The same run in a workspace of its own, stopped once in the middle of every stage."""
    space, run_id = fresh_run(trained.card.name, tmp_path_factory.mktemp("stopped"))
    run, states = RunFolder(space.run_path(run_id)), []
    waiting = middles(trained.events)
    for _ in range(len(waiting) + 1):

        def stop(event: ProgressEvent) -> None:
            if waiting.get(event.stage) is not None and waiting[event.stage] <= event.step < event.total:
                del waiting[event.stage]
                run.request_stop()

        try:
            resume(run_id, stop, workspace=space)
            states.append("done")
            break
        except Cancelled:
            states.append(run.status["state"])
    return space, run_id, states


def test_it_was_stopped_in_the_middle_and_then_finished(stopped_often, trained):
    _, _, states = stopped_often
    assert states[-1] == "done" and set(states[:-1]) <= {"cancelled"}
    training = [stage for stage in middles(trained.events) if not stage.startswith("scoring")]
    assert len(states) > len(training)  # short scoring stages may pass between two looks


def test_every_artefact_is_the_same_to_the_bit(stopped_often, trained):
    space, run_id, _ = stopped_often
    folder = space.run_path(run_id)
    artefacts = [file.relative_to(trained.folder) for file in trained.folder.rglob("*.safetensors")]
    kept = [file for file in artefacts if file.parts[0] != "checkpoints"]
    assert kept
    for file in kept:
        ours, theirs = read_tensors(folder / file), read_tensors(trained.folder / file)
        assert ours.keys() == theirs.keys()
        assert [name for name in ours if not np.array_equal(ours[name], theirs[name])] == [], file
    tables = list(trained.folder.glob("*.parquet"))
    assert tables
    for table in tables:
        pd.testing.assert_frame_equal(pd.read_parquet(folder / table.name), pd.read_parquet(table))
    assert read_json(folder / "metrics.json") == read_json(trained.folder / "metrics.json")


def test_the_same_seed_gives_the_same_scores(stopped_often, trained, questions):
    space, run_id, _ = stopped_often
    assert space.root != trained.workspace.root
    again = load_run(run_id, workspace=space)
    assert np.array_equal(again.score(questions), trained.system.score(questions))


def test_a_finished_run_is_only_reported(trained):
    before = {file: file.stat().st_mtime_ns for file in trained.folder.rglob("*") if file.is_file()}
    events: list[ProgressEvent] = []
    assert resume(trained.run_id, events.append, workspace=trained.workspace) == trained.result
    assert not events
    assert before == {file: file.stat().st_mtime_ns for file in trained.folder.rglob("*") if file.is_file()}


def test_an_unfinished_run_is_not_loaded(fresh_run, trained, tmp_path):
    space, run_id = fresh_run(trained.card.name, tmp_path)
    with pytest.raises(InputError, match="is queued, not done"):
        load_run(run_id, workspace=space)

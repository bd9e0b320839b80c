"""Scores stay on disk chunk by chunk: what was scored is never scored again, what changed is."""

from contextlib import suppress

import numpy as np
import pytest

from rec_core.systems import kept_logits as module
from rec_core.systems.kept_logits import kept_logits
from rec_core.types import Cancelled, ProgressEvent, ignore_progress

PROMPTS = [f"prompt {i}" for i in range(10)]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 4)


class Model:
    def __init__(self, stop_after=10**6):
        self.asked: list[str] = []
        self._stop_after = stop_after

    def __call__(self, prompts, report):
        if len(self.asked) >= self._stop_after:
            raise Cancelled
        self.asked += prompts
        report(ProgressEvent("", 1, len(prompts)))
        return np.array([[float(text.split()[1]), -1.0] for text in prompts], np.float32)


def test_a_stopped_scoring_goes_on_where_it_was(tmp_path):
    with pytest.raises(Cancelled):
        kept_logits(PROMPTS, Model(stop_after=8), tmp_path, ignore_progress, "scoring")
    model, events = Model(), []
    logits = kept_logits(PROMPTS, model, tmp_path, events.append, "scoring")
    assert logits[:, 0].tolist() == list(range(10)) and model.asked == PROMPTS[8:]
    assert [(event.stage, event.step, event.total) for event in events] == [
        ("scoring", step, 10) for step in (9, 10)
    ]
    again = Model()
    assert np.array_equal(kept_logits(PROMPTS, again, tmp_path, ignore_progress, "scoring"), logits)
    assert again.asked == []


def test_other_prompts_and_other_folders_are_scored_anew(tmp_path):
    kept_logits(PROMPTS, Model(), tmp_path / "a", ignore_progress, "scoring")
    for prompts, folder in ((PROMPTS[::-1], "a"), (PROMPTS, "b")):
        model = Model()
        kept_logits(prompts, model, tmp_path / folder, ignore_progress, "scoring")
        assert model.asked == prompts
    assert kept_logits([], Model(), tmp_path, ignore_progress, "scoring").shape == (0, 2)


class Waits(Exception):
    """A process has come to where it waits for the others."""


def score_by(models, folder, monkeypatch):
    """Score in as many processes as models, one after the other; what the last one, which never waits, returns."""
    told = []
    monkeypatch.setattr(module, "share", lambda value: told.append(value) or told[0])
    monkeypatch.setattr(module, "n_processes", lambda: len(models))
    logits = None
    for rank, model in enumerate(models):

        def wait(others=models[rank + 1 :]):
            if others:
                raise Waits

        monkeypatch.setattr(module, "rank", lambda rank=rank: rank)
        monkeypatch.setattr(module, "wait_for_everyone", wait)
        with suppress(Waits, Cancelled):
            logits = kept_logits(PROMPTS, model, folder, ignore_progress, "scoring")
    return logits


@pytest.mark.parametrize(("size", "n_first"), [(4, 6), (64, 5)])
def test_processes_share_what_is_missing(size, n_first, tmp_path, monkeypatch):
    """Chunk by chunk in turn (0 to 3 and 8, 9; 4 to 7), in smaller chunks where there would not be one each."""
    monkeypatch.setattr(module, "_CHUNK", size)
    models = [Model(), Model()]
    logits = score_by(models, tmp_path, monkeypatch)
    assert logits[:, 0].tolist() == list(range(10))
    assert [len(model.asked) for model in models] == [n_first, 10 - n_first]
    assert sorted(models[0].asked + models[1].asked) == PROMPTS


@pytest.mark.parametrize("n_processes", [1, 2, 3])
def test_any_number_of_processes_goes_on_from_what_two_have_left(n_processes, tmp_path, monkeypatch):
    """The main one is stopped before its second chunk, prompts 8 and 9, the second one before its first."""
    score_by([Model(stop_after=4), Model(stop_after=0)], tmp_path, monkeypatch)
    models = [Model() for _ in range(n_processes)]
    logits = score_by(models, tmp_path, monkeypatch)
    assert logits[:, 0].tolist() == list(range(10))
    asked = [text for model in models for text in model.asked]
    assert sorted(asked) == PROMPTS[4:] and all(model.asked for model in models)

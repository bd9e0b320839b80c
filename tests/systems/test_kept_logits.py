"""Scores stay on disk chunk by chunk: what was scored is never scored again, what changed is."""

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
        ("scoring", step, 10) for step in (4, 8, 9, 10)
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

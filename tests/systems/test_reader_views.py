"""Views are learned once per content and kept in the run."""

import numpy as np
import pytest

from rec_core.store import Workspace
from rec_core.systems import reader_views
from rec_core.systems.behaviour_view import BEHAVIOUR_FILE, BehaviourViewConfig
from rec_core.systems.like_questions import Parts
from rec_core.systems.reader_views import ViewLearner
from rec_core.types import ignore_progress

QUICK = BehaviourViewConfig.from_values({"embedding_size": 8, "loop.epochs": 2})


@pytest.fixture
def learn(planted, tmp_path, monkeypatch):
    """Learn the ID view for a run of that name and say whether anything was trained."""
    trained = []
    train = reader_views.train_behaviour_view

    def counted(*given):
        trained.append(1)
        train(*given)

    monkeypatch.setattr(reader_views, "train_behaviour_view", counted)

    def behaviour(run, config=QUICK, seed=0, leaky=False, parts=None):
        trained.clear()
        folder = tmp_path / run
        learner = ViewLearner(
            planted, parts or Parts.of(planted, 5), folder, Workspace(tmp_path), seed, ignore_progress
        )
        values = learner.behaviour(config, leaky).values
        assert (folder / BEHAVIOUR_FILE).exists()
        return values, bool(trained)

    return behaviour


def test_runs_that_differ_elsewhere_share_the_view_and_each_keeps_its_own_copy(learn):
    first, trained = learn("first")
    assert trained
    second, trained = learn("second")
    assert not trained and np.array_equal(first, second)
    again, trained = learn("first", seed=9)  # what a run has is its own
    assert not trained and np.array_equal(first, again)


def test_whatever_decides_the_view_makes_another(learn, planted):
    first, _ = learn("first")
    others = {
        "seed": {"seed": 1},
        "config": {"config": BehaviourViewConfig.from_values({"embedding_size": 8, "loop.epochs": 3})},
        "edges": {"leaky": True},
        "questions": {"parts": Parts.of(planted, 8)},
    }
    for name, changed in others.items():
        found, trained = learn(name, **changed)
        assert trained and not np.array_equal(found, first), name

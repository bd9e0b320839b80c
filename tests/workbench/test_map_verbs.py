"""Maps, neighbours and agreement of runs with any number of views."""

import numpy as np
import pytest

from rec_core.types import EmbeddingTable, InputError
from rec_core.workbench import agreement, embed, map_verbs, neighbours, project, views


class Spaces:
    """A system with the views it is given, over the dataset of another."""

    def __init__(self, system, *names):
        self.dataset, self.names = system.dataset, names

    def embeddings(self):
        rng = np.random.default_rng(1)
        known = np.arange(30) != 4
        tables = [(name, rng.normal(size=(30, 6)).astype(np.float32) * known[:, None]) for name in self.names]
        return {name: EmbeddingTable(name, values, known, "drawn") for name, values in tables}


@pytest.fixture
def spaces(trained_runs, monkeypatch):
    """Put a system with these views in the place of a run's."""
    from rec_core.workbench import load_run

    run, space = trained_runs["matrix_factorisation"], trained_runs.space
    system = load_run(run, workspace=space)

    def put(*names):
        monkeypatch.setattr(map_verbs, "capable", lambda *_, **__: Spaces(system, *names))
        return run, space

    return put


def test_a_single_view_agrees_with_nothing(trained_runs):
    run, space = trained_runs["matrix_factorisation"], trained_runs.space
    found = embed(run, workspace=space)
    assert list(found["views"]) == views(run, workspace=space) == ["id"]
    assert found["agreement"]["pairs"] == [] and found["agreement"]["partner"] is None
    assert found["agreement"]["uniformity"].keys() == {"id"}


@pytest.mark.parametrize(
    ("names", "pairs", "partner"),
    [
        (("text",), [], False),
        (("text", "id"), [("id", "text")], False),
        (("aligned", "id"), [("id", "aligned")], True),
        (("aligned", "text", "id"), [("id", "text"), ("id", "aligned"), ("text", "aligned")], True),
    ],
)
def test_agreement_is_of_the_views_there_are(spaces, names, pairs, partner):
    run, space = spaces(*names)
    found = agreement(run, workspace=space)
    assert found["items"] == 29
    assert [(pair["a"], pair["b"]) for pair in found["pairs"]] == pairs
    assert (found["partner"] is not None) == partner
    assert found["uniformity"].keys() == set(names)


@pytest.mark.parametrize(
    ("names", "residual"), [(("id",), False), (("id", "text"), False), (("id", "aligned"), True)]
)
def test_a_map_has_a_residual_where_two_vectors_can_be_compared(spaces, names, residual):
    run, space = spaces(*names)
    frame = project(run, names[-1], "pca", workspace=space)
    assert len(frame) == 29 and ("residual" in frame) == residual
    assert {"item_id", "title", "x", "y", "trust", "popularity"} <= set(frame)


def test_popularity_on_a_map_is_that_of_training(trained_runs):
    from rec_core.workbench import load_run

    run, space = trained_runs["matrix_factorisation"], trained_runs.space
    frame = project(run, "id", "pca", workspace=space)
    counted = load_run(run, workspace=space).popularity
    assert frame["popularity"].tolist() == counted[frame["item_num"]].tolist()


def test_neighbours_are_nearest_by_cosine_and_have_display_titles(trained_runs):
    from rec_core.workbench import load_run

    run, space = trained_runs["matrix_factorisation"], trained_runs.space
    values = load_run(run, workspace=space).embeddings()["id"].values.astype(np.float64)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    expected = [i for i in np.argsort(-(unit @ unit[7]), kind="stable") if i != 7][:4]
    found = neighbours(run, "id", "f07", 4, workspace=space)
    assert found["item_num"].tolist() == expected
    assert found["title"].iloc[0].endswith(f"({1950 + expected[0]})")


def test_a_view_that_a_run_has_not_is_named_with_those_it_has(trained_runs):
    run, space = trained_runs["matrix_factorisation"], trained_runs.space
    with pytest.raises(InputError, match="'text'; choose one of id"):
        project(run, "text", workspace=space)
    with pytest.raises(InputError, match="no item vectors"):
        views(trained_runs["ease"], workspace=space)

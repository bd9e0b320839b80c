"""The paper preset asks which dataset it is for, wherever a run begins."""

import pytest

from rec_core.data.storage import save_dataset
from rec_core.store import Workspace
from rec_core.systems.sequential import SequentialConfig
from rec_core.workbench import new_run, preflight
from rec_core.workbench.tune_verbs import new_tuning


@pytest.fixture
def space(planted, tmp_path):
    """A workspace with the same data under names that papers know and under one of its own."""
    workspace = Workspace(tmp_path)
    for name in ("ml-mine", "mine", "rlmrec-yelp"):
        save_dataset(planted, workspace.dataset_path(name))
    return workspace


@pytest.mark.parametrize(("data", "length"), [("ml-mine", 200), ("mine", 50)])
def test_a_run_takes_what_was_published_for_its_dataset(space, data, length):
    run = new_run("sequential", data, "paper", workspace=space)
    assert SequentialConfig.load(space.run_path(run) / "config.yaml").max_length == length


def test_a_search_is_another_one_on_another_dataset(space):
    folders = [new_tuning("sequential", data, "paper", workspace=space) for data in ("ml-mine", "mine")]
    kept = [folder.run_id.rpartition("-")[2] for folder in folders]
    assert kept[0] != kept[1]


def test_memory_is_estimated_for_the_published_sizes(space):
    """RLMRec's vectors are half as wide as the others'."""
    vectors = {
        data: next(
            row["mb"]
            for row in preflight("graph_cf", data, "paper", workspace=space)["rows"]
            if row["what"] == "vectors"
        )
        for data in ("rlmrec-yelp", "mine")
    }
    assert vectors["rlmrec-yelp"] == pytest.approx(vectors["mine"] / 2)

"""Finished runs on planted viewers: one of each kind, trained in a second, and a stub of a reading system."""

from dataclasses import dataclass

import pytest

from rec_core.data.storage import save_dataset
from rec_core.store import Workspace
from rec_core.workbench import train

QUICK = {"epochs": 3, "learning_rate": 2e-2, "evaluate_every": 3, "patience": 3}
SETTINGS = {
    "matrix_factorisation": {"embedding_size": 4, "batch_size": 128, "loop": QUICK},
    "ease": {"reg": 10.0},
    "popularity": {},
    "ctr_baselines": {"embedding_size": 4, "hidden_sizes": (4,), "batch_size": 128, "loop": QUICK},
}


@dataclass(frozen=True)
class Runs:
    """A workspace and its runs by system."""

    space: Workspace
    ids: dict[str, str]

    def __getitem__(self, system: str) -> str:
        return self.ids[system]


@pytest.fixture(scope="session")
def trained_runs(planted, tmp_path_factory) -> Runs:
    space = Workspace(tmp_path_factory.mktemp("runs"))
    save_dataset(planted, space.dataset_path("planted"))
    ids = {
        system: train(system, "planted", "tiny", overrides, workspace=space)["run"]
        for system, overrides in SETTINGS.items()
    }
    return Runs(space, ids)

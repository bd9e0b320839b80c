"""Every system of the roster, trained once on planted viewers in a configuration that takes seconds."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rec_core.data.storage import save_dataset
from rec_core.roster import SYSTEMS, SystemCard
from rec_core.store import Workspace
from rec_core.types import Dataset, ProgressEvent, ScoreRequest
from rec_core.workbench import config_of, load_run, new_run, resume

LOOP = {"epochs": 6, "learning_rate": 2e-2, "evaluate_every": 2, "patience": 6, "checkpoint_seconds": 0.0}
VECTORS = {"embedding_size": 8, "batch_size": 64, "loop": LOOP}

MODEL = {
    "backbone.max_length": 512,
    "sample_lm.hidden_size": 16,
    "sample_lm.n_layers": 1,
    "sample_lm.n_heads": 2,
    "sample_lm.vocab_size": 600,
    "sample_lm.block_length": 64,
    "sample_lm.training": {"epochs": 1, "batch_size": 16, "checkpoint_steps": 2},
    "n_test": 30,
    "n_candidates": 8,
    "n_threads": 1,
}
TUNING = {
    "tuning.n_shots": 48,
    "tuning.lora.rank": 2,
    "tuning.training": {"batch_size": 16, "learning_rate": 1e-2, "checkpoint_steps": 2},
}
BEHAVIOUR = {
    "behaviour.embedding_size": 8,
    "behaviour.batch_size": 128,
    "behaviour.loop.epochs": 6,
    "behaviour.loop.evaluate_every": 2,
}
ALIGNMENT = {"alignment.hidden_size": 16, "alignment.loop.epochs": 5}

MICRO: dict[str, dict[str, Any]] = {
    "rallrec": {**MODEL, **TUNING, **BEHAVIOUR, **ALIGNMENT, "reranker.top_k": 5},
    "rella": {**MODEL, **TUNING, "top_k": 5},
    "hybrid_score": {**MODEL, **TUNING, **BEHAVIOUR, "top_k": 5},
    "zero_shot": {**MODEL, "top_k": 5},
    "matrix_factorisation": VECTORS,
    "graph_cf": VECTORS,
    "sequential": {**VECTORS, "max_length": 8, "sasrec": {"n_layers": 1, "n_heads": 2, "hidden_size": 16}},
    "amp_cf": {**VECTORS, "n_personas": 2},
    "ials": {"embedding_size": 8, "iterations": 6},
    "ease": {"reg": 10.0},
    "item_knn": {"n_neighbours": 6},
    "popularity": {},
    "ctr_baselines": {**VECTORS, "hidden_sizes": (8,), "history_length": 4},
}


@dataclass(frozen=True)
class Trained:
    """A finished run and what belongs to it."""

    card: SystemCard
    workspace: Workspace
    run_id: str
    system: Any
    dataset: Dataset
    result: dict[str, Any]
    events: list[ProgressEvent]

    @property
    def folder(self) -> Path:
        return self.workspace.run_path(self.run_id)

    def load(self) -> Any:
        """Read the system from its folder, past any cache."""
        config = type(config_of(self.card.name)).load(self.folder / "config.yaml")
        return import_module(self.card.module).load(self.dataset, config, self.folder)


@pytest.fixture(scope="session")
def fresh_run(planted: Dataset, tiny_bert: Path) -> Callable[[str, Path], tuple[Workspace, str]]:
    """A function that opens a workspace with the planted data and a queued micro run."""

    def make(name: str, root: Path, **changes: Any) -> tuple[Workspace, str]:
        space = Workspace(root)
        if not space.dataset_path("planted").exists():
            save_dataset(planted, space.dataset_path("planted"))
        reads_words = hasattr(config_of(name), "encoder") and hasattr(config_of(name), "backbone")
        words = {"encoder.name": str(tiny_bert)} if reads_words else {}
        overrides = {**MICRO[name], **words, **changes}
        return space, new_run(name, "planted", "tiny", overrides, 0, workspace=space)

    return make


@pytest.fixture(scope="session", params=[card.name for card in SYSTEMS])
def trained(request, fresh_run, planted, tmp_path_factory) -> Trained:
    (card,) = [card for card in SYSTEMS if card.name == request.param]
    events: list[ProgressEvent] = []
    space, run_id = fresh_run(card.name, tmp_path_factory.mktemp(card.name))
    result = resume(run_id, events.append, workspace=space)
    return Trained(card, space, run_id, load_run(run_id, workspace=space), planted, result, events)


@pytest.fixture(scope="session")
def questions(trained: Trained) -> list[ScoreRequest]:
    """Ten like questions about viewers, each with the history before its target."""
    from rec_core.data.histories import HistoryStore

    interactions = trained.dataset.interactions
    store = HistoryStore(interactions)
    return [
        ScoreRequest(user, store.of(user, 6 + user), int(store.of(user).item_nums[6 + user]))
        for user in range(0, 10)
    ]


@pytest.fixture
def copied_run(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the run's folder that a test may change."""
    return Path(shutil.copytree(trained.folder, tmp_path / "copy"))


@pytest.fixture(scope="session")
def everything_seen(planted: Dataset) -> np.ndarray:
    return np.arange(planted.interactions.n_items, dtype=np.int32)

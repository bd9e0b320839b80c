"""The item vectors that systems of the family retrieve by: learned once into the run's folder.

Paper: RALLRec section 2.2: text (equations 2, 3), behaviour (equation 4), text aligned to behaviour (5, 6).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rec_core.data.splits import leave_one_out
from rec_core.llm.text_encoder import TextEncoderConfig
from rec_core.processes import by_main, main_first
from rec_core.store import Workspace, content_hash, read_json, read_tensors, write_json, write_tensors
from rec_core.systems.aligned_view import AlignedViewConfig, train_aligned_view
from rec_core.systems.behaviour_view import (
    BEHAVIOUR_FILE,
    BehaviourViewConfig,
    load_behaviour_view,
    train_behaviour_view,
)
from rec_core.systems.description_writing import DescriptionConfig
from rec_core.systems.like_questions import Parts
from rec_core.systems.text_view import text_view
from rec_core.types import Dataset, EmbeddingTable, Progress

_FILE = "views.safetensors"
_SOURCES = "view_sources.json"
_TEXT, _ALIGNED = "text", "aligned"


class ViewLearner:
    """Learns views of one dataset into one run's folder; what is there is kept.

    Of several processes the main one learns and writes, so that views are those of one process to the bit;
    the others wait and read. All must call the same methods.

    Args:
        dataset: whose items.
        parts: which interactions may be learned from.
        folder: the run's folder.
        workspace: holds the cache of text vectors and ID views.
        seed: the run's seed.
        progress: called at every step.
    """

    def __init__(
        self,
        dataset: Dataset,
        parts: Parts,
        folder: Path,
        workspace: Workspace,
        seed: int,
        progress: Progress,
    ) -> None:
        self._dataset, self._parts, self._folder = dataset, parts, folder
        self._workspace, self._seed, self._progress = workspace, seed, progress
        self._work = folder / "checkpoints"

    def text(self, config: TextEncoderConfig, written: DescriptionConfig) -> EmbeddingTable:
        """Return the text view, from the cache when it was encoded before."""
        return main_first(lambda: text_view(self._dataset, config, self._workspace, self._progress, written))

    def behaviour(self, config: BehaviourViewConfig, leaky: bool = False) -> EmbeddingTable:
        """Return the ID view, learned from the interactions before the validation period, once per content.

        With `leaky` the edges are all interactions but each user's last one, as in the graph that RALLRec's
        notebook exports last: nearly all of the test period is among them.
        """
        return main_first(lambda: self._behaviour(config, leaky))

    def _behaviour(self, config: BehaviourViewConfig, leaky: bool) -> EmbeddingTable:
        own = self._folder / BEHAVIOUR_FILE
        if not own.exists():
            learned = self._learned_behaviour(config, *self._edges(leaky))
            write_tensors(own, read_tensors(learned / BEHAVIOUR_FILE))  # a run has all it needs
        return load_behaviour_view(self._folder).items

    def _edges(self, leaky: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the interactions that become edges, and those that decide when to stop."""
        if not leaky:
            return self._parts.train_rows, self._parts.valid_rows
        cut = leave_one_out(self._dataset.interactions)
        return np.union1d(cut.train, cut.valid), cut.test

    def _learned_behaviour(
        self, config: BehaviourViewConfig, train_rows: np.ndarray, valid_rows: np.ndarray
    ) -> Path:
        """Return the cache's folder with the view of these edges; runs that differ elsewhere share it."""
        key = {
            "dataset": self._dataset.content_hash,
            "rows": content_hash(train_rows, valid_rows),
            "like_threshold": self._dataset.like_threshold,
            "config": config.model_dump(mode="json"),
            "seed": self._seed,
        }
        return self._workspace.cached(
            "behaviour_views",
            key,
            lambda folder: train_behaviour_view(
                self._dataset.interactions,
                train_rows,
                valid_rows,
                self._dataset.like_threshold,
                config,
                folder,
                self._work / "behaviour",
                self._seed,
                self._progress,
            ),
        )

    def aligned(
        self, text: EmbeddingTable, behaviour: EmbeddingTable, config: AlignedViewConfig
    ) -> EmbeddingTable:
        """Return the text view projected into the ID space."""
        work = self._work / "aligned"  # its last checkpoint is what the others read
        return main_first(
            lambda: train_aligned_view(text, behaviour, config, work, self._seed, self._progress)
        )

    def keep(self, text: EmbeddingTable | None = None, aligned: EmbeddingTable | None = None) -> None:
        """Write the views that have no file of their own, and the popularity of the items in training."""
        by_main(lambda: self._keep({_TEXT: text, _ALIGNED: aligned}))

    def _keep(self, tables: dict[str, EmbeddingTable | None]) -> None:
        rows = self._parts.train_rows
        interactions = self._dataset.interactions
        popularity = np.bincount(interactions.item_nums[rows], minlength=interactions.n_items)
        values = {name: table.values for name, table in tables.items() if table is not None}
        sources = {name: table.source for name, table in tables.items() if table is not None}
        write_json(self._folder / _SOURCES, sources)
        write_tensors(self._folder / _FILE, {**values, "popularity": popularity.astype(np.int64)})


def has_views(folder: Path) -> bool:
    """Tell whether `ViewLearner.keep` has run."""
    return (folder / _FILE).exists()


def load_views(folder: Path) -> tuple[dict[str, EmbeddingTable], np.ndarray]:
    """Return the views that a run learned ("id", "text", "aligned", as far as there are), and popularity."""
    tensors = read_tensors(folder / _FILE)
    popularity = tensors["popularity"]
    every = np.ones(len(popularity), dtype=bool)
    views = {}
    if (folder / BEHAVIOUR_FILE).exists():
        views["id"] = load_behaviour_view(folder).items
    for name, source in read_json(folder / _SOURCES).items():
        views[name] = EmbeddingTable(name, tensors[name], every, source)
    return views, popularity

"""Sequential recommenders: SASRec, GRU4Rec and Caser, one field apart.

Paper: SASRec: Self-Attentive Sequential Recommendation (ICDM 2018); GRU4Rec: Session-based Recommendations
with Recurrent Neural Networks (ICLR 2016), trained with full cross-entropy as today's libraries do; Caser:
Personalized Top-N Sequential Recommendation via Convolutional Sequence Embedding (WSDM 2018).
Differs from RecBole: every position of a window is trained in one pass instead of one row per prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field, ValidationInfo, field_validator

from rec_core.config import Between, Config, OneOf, Range
from rec_core.nets.caser import Caser
from rec_core.nets.gru4rec import GRU4Rec
from rec_core.nets.sasrec import SASRec, Style
from rec_core.nets.sequence_net import SequenceNet
from rec_core.objectives.next_item import Loss, NextItem
from rec_core.processes import is_main
from rec_core.seeding import torch_generator
from rec_core.store import read_tensors, write_tensors
from rec_core.systems.pairwise_training import training_device
from rec_core.systems.ranking_parts import Phase, RankingParts, Rows
from rec_core.systems.ranking_run import ranking_system, watch
from rec_core.systems.ranking_system import CatalogueScores, EmbeddingRankingSystem
from rec_core.systems.ranking_task import RankingConfig
from rec_core.systems.sequential_papers import Encoder, published
from rec_core.training.loop import LoopConfig, run_epochs
from rec_core.types import Dataset, History, Progress

_FILE = "model.safetensors"
_LIBRARY_DROPOUT = {"gru4rec": {"dropout": 0.3}, "caser": {"dropout": 0.4}}  # of RecBole, SASRec's is 0.5


class SASRecConfig(Config):
    """The transformer."""

    style: Style = Field("library", description="Order of norms and activation: RecBole's, or the paper's.")
    n_layers: int = Field(2, ge=1, le=12, description="Attention blocks.")
    n_heads: int = Field(2, ge=1, le=16, description="Heads; the embedding size is a multiple of them.")
    hidden_size: int = Field(256, ge=4, description="Width inside a block's two-layer map.")


class CaserConfig(Config):
    """The convolutions."""

    length: int = Field(5, ge=1, le=50, description="L, how many last items the filters see.")
    n_ahead: int = Field(3, ge=1, le=10, description="T, how many next items each position is trained on.")
    n_horizontal: int = Field(16, ge=1, description="Horizontal filters of each height.")
    n_vertical: int = Field(4, ge=1, description="Vertical filters.")


class SequentialConfig(RankingConfig):
    """A net that reads histories, and its training."""

    variant: ClassVar[str] = "encoder"
    encoder: Encoder = Field("sasrec", description="Which net reads.")
    embedding_size: int = Field(64, ge=2, le=1024, description="Width D of item vectors and states.")
    max_length: int = Field(50, ge=2, le=1000, description="Items a history is cut to, the newest kept.")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of elements dropped in training.")
    sasrec: SASRecConfig = Field(SASRecConfig(), description="SASRec's own settings.")
    gru_hidden_size: int = Field(128, ge=2, description="GRU4Rec: width of the memory.")
    gru_layers: int = Field(1, ge=1, le=8, description="GRU4Rec: layers.")
    caser: CaserConfig = Field(CaserConfig(), description="Caser's own settings.")
    loss: Loss = Field("cross_entropy", description="Over the whole catalogue, or against drawn items.")
    n_negatives: int = Field(1, ge=1, description="Drawn items, where the loss draws.")
    targets_per_window: int = Field(
        0, ge=0, description="Targets of each window read: 0 all it holds, 1 one row per prefix (RecBole)."
    )
    batch_size: int = Field(2048, ge=1, description="Targets per step.")
    loop: LoopConfig = Field(
        LoopConfig(epochs=300, learning_rate=1e-3, evaluate_every=1, patience=10),
        description="Epochs and optimiser.",
    )

    @field_validator("targets_per_window")
    @classmethod
    def _fits_into_a_window(cls, value: int, others: ValidationInfo) -> int:
        if value > others.data.get("max_length", value):
            raise ValueError(f"a window reads only {others.data['max_length']} items")
        return value

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "tiny":
            return {"embedding_size": 16, "sasrec.hidden_size": 32, "loop.epochs": 40, "loop.patience": 5}
        return published(variant, data) if name == "paper" else _LIBRARY_DROPOUT.get(variant, {})

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching; each encoder has some of its own."""
        sasrec, gru4rec, caser = ({"encoder": (name,)} for name in ("sasrec", "gru4rec", "caser"))
        return {
            "embedding_size": OneOf((32, 64, 128)),
            "dropout": Between(0.0, 0.7),
            "loop.learning_rate": Between(1e-4, 1e-2, log=True),
            "sasrec.n_layers": Between(1, 3, when=sasrec),
            "sasrec.n_heads": OneOf((1, 2, 4), when=sasrec),
            "sasrec.hidden_size": OneOf((64, 128, 256, 512), when=sasrec),
            "gru_hidden_size": OneOf((64, 128, 256), when=gru4rec),
            "gru_layers": Between(1, 2, when=gru4rec),
            "caser.length": Between(2, 9, when=caser),
            "caser.n_ahead": Between(1, 3, when=caser),
            "caser.n_horizontal": OneOf((4, 8, 16, 32), when=caser),
            "caser.n_vertical": OneOf((1, 2, 4, 8), when=caser),
            "n_negatives": Between(1, 100, log=True, when={"loss": ("sampled_softmax", "bce")}),
        }


class SequentialRanking(EmbeddingRankingSystem):
    """Score = state after the history . item vector.

    Nothing is learned of a user but through the history (Caser adds a user vector; somebody unknown gets the
    mean one), so a known and an unknown user with the same history get the same scores from the others.

    Args:
        dataset: what it was trained on.
        config: which net.
        folder: where `learn` wrote.
    """

    def __init__(self, dataset: Dataset, config: SequentialConfig, folder: Path) -> None:
        tensors = read_tensors(folder / _FILE)
        popularity = tensors.pop("popularity")
        net = make_net(config, dataset.interactions.n_users, len(dataset.catalogue), torch.Generator())
        net.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
        self.net = net.eval().to(training_device())
        self._max_length = config.max_length
        items = self.net.item_vectors.detach().cpu().numpy()
        super().__init__(dataset, popularity, items, f"{config.encoder} item vectors")

    def user_scores(self, parts: RankingParts, phase: Phase) -> CatalogueScores:
        """Return scores after each user's history, in the test the validation item included."""
        return sequence_scores(self.net, parts.histories(phase), self._max_length)

    def history_scores(self, history: History, user_num: int | None) -> np.ndarray:
        """Return scores after the history; none of its items is enough for somebody without any."""
        rows = Rows(np.array([0, len(history)]), history.item_nums)
        sequence = _newest(rows, np.array([0]), self._max_length, self.net)
        user = None if user_num is None else torch.tensor([user_num], device=sequence.device)
        with torch.no_grad():
            return (self.net.last(sequence, user) @ self.net.item_vectors.T)[0].cpu().numpy()


def make_net(config: SequentialConfig, n_users: int, n_items: int, generator: torch.Generator) -> SequenceNet:
    """Return the net a config describes, on the CPU."""
    size = config.embedding_size
    if config.encoder == "gru4rec":
        return GRU4Rec(n_items, size, config.gru_hidden_size, config.gru_layers, config.dropout, generator)
    if config.encoder == "caser":
        own = config.caser
        return Caser(
            n_items, size, own.length, own.n_horizontal, own.n_vertical, config.dropout, generator, n_users
        )
    net = config.sasrec
    return SASRec(
        n_items,
        config.max_length,
        size,
        net.n_layers,
        net.n_heads,
        net.hidden_size,
        config.dropout,
        generator,
        style=net.style,
    )


def sequence_scores(net: SequenceNet, histories: Rows, max_length: int) -> CatalogueScores:
    """Return the function users (C,) -> scores (C, I) after the newest items of their histories."""

    def scores(user_nums: np.ndarray) -> torch.Tensor:
        sequences = _newest(histories, np.asarray(user_nums), max_length, net)
        users = torch.from_numpy(np.asarray(user_nums, dtype=np.int64)).to(sequences.device)
        with torch.no_grad():
            return net.last(sequences, users) @ net.item_vectors.T

    return scores


def learn(parts: RankingParts, config: SequentialConfig, folder: Path, seed: int, progress: Progress) -> None:
    """Train and write the net."""
    if (folder / _FILE).exists():
        return
    device, stage = training_device(), config.encoder
    net = make_net(config, parts.n_users, parts.n_items, torch_generator(seed, stage, "weights")).to(device)
    histories = parts.histories("valid")
    objective = NextItem(
        net,
        (histories.indptr, histories.items),
        config.max_length,
        config.batch_size,
        config.loss,
        config.n_negatives,
        config.targets_per_window or None,
        n_ahead=config.caser.n_ahead if config.encoder == "caser" else 1,
    )
    scores: Callable[[], CatalogueScores] = lambda: sequence_scores(net, histories, config.max_length)  # noqa: E731
    run_epochs(objective, config.loop, folder / "checkpoints", seed, stage, progress, watch(parts, scores))
    if is_main():
        tensors = {name: value.cpu().numpy() for name, value in net.state_dict().items()}
        write_tensors(folder / _FILE, {**tensors, "popularity": parts.popularity.astype(np.int64)})


def load(dataset: Dataset, config: SequentialConfig, folder: Path) -> SequentialRanking:
    """Open a trained run."""
    return SequentialRanking(dataset, config, folder)


fit, validate = ranking_system(learn, load)


def _newest(histories: Rows, user_nums: np.ndarray, max_length: int, net: SequenceNet) -> torch.Tensor:
    """Return the newest items of histories (C, T), left-padded; T is the longest, at most `max_length`."""
    ends = histories.indptr[user_nums + 1]
    lengths = np.minimum(ends - histories.indptr[user_nums], max_length)
    places = np.arange(-max(int(lengths.max(initial=1)), 1), 0)
    inside = places >= -lengths[:, None]
    rows = np.full(inside.shape, net.pad, dtype=np.int64)
    rows[inside] = histories.items[(ends[:, None] + places)[inside]]
    return torch.from_numpy(rows).to(net.item_vectors.device)

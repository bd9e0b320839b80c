"""CTR baselines: will this user like this item, judged by feature-interaction nets, one field apart.

Paper: DeepFM (IJCAI 2017); xDeepFM (KDD 2018); DCN: Deep & Cross Network (ADKDD 2017); DCN-v2 (WWW 2021);
AutoInt (CIKM 2019). On ML-1M as baselines of ReLLa (WWW 2024) and RALLRec (WWW 2025 companion): 80/10/10 of
the questions by global time, at least 5 earlier ratings, the last 30 items and ratings as two more fields; on
BookCrossing one question per user and 60 items.
Differs from paper: those two print no settings of their baselines; ours are chosen on validation AUC. History
items have vectors of their own, apart from the target's. Categories that training never saw share one
"unknown", which is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from rec_core.config import Between, Config, OneOf, Range
from rec_core.data.fields import Fields, make_log
from rec_core.nets.field_embedding import FieldNet, FieldSizes
from rec_core.objectives.click import FieldReader
from rec_core.systems.like_papers import published_history
from rec_core.training.loop import LoopConfig
from rec_core.types import Dataset, EmbeddingTable, History, Recommendation, ScoreRequest

Model = Literal["deepfm", "xdeepfm", "dcn", "dcn_v2", "autoint"]
_CHUNK = 8192  # questions scored at once


class CTRBaselinesConfig(Config):
    """One net over the fields of a like question, and its training."""

    model: Model = Field("deepfm", description="Which net.")
    embedding_size: int = Field(10, ge=1, le=512, description="Width D of every field's vector.")
    hidden_sizes: tuple[int, ...] = Field((128, 128, 128), description="Layers of the dense part.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Probability of dropping an input of a dense layer.")
    n_cross_layers: int = Field(3, ge=0, le=12, description="Cross layers of DCN and DCN-v2.")
    cross_structure: Literal["stacked", "parallel"] = Field(
        "stacked", description="DCN-v2: dense layers on top of the cross layers, or beside them."
    )
    cin_sizes: tuple[int, ...] = Field(
        (100, 100, 100), description="xDeepFM: feature maps of each CIN layer; all but the last even."
    )
    attention_size: int = Field(16, ge=1, description="AutoInt: width of attention, a multiple of n_heads.")
    n_attention_layers: int = Field(3, ge=1, le=12, description="AutoInt: attention layers.")
    n_heads: int = Field(2, ge=1, le=16, description="AutoInt: heads of each layer.")
    history_length: int = Field(
        30, ge=0, le=1000, description="Last items and ratings shown as fields; 0 shows none."
    )
    leave_out: tuple[str, ...] = Field((), description='Fields to do without, such as "user" or "genres".')
    min_history: int = Field(5, ge=0, description="Earlier items a user must have for a like question.")
    n_shots: int = Field(0, ge=0, description="Training questions drawn, nested by seed; 0 takes all.")
    batch_size: int = Field(2048, ge=1, description="Questions per step.")
    l2: float = Field(0.0, ge=0, description="L2 weight of the looked-up field vectors.")
    norm_weight: float = Field(
        0.0, ge=0, description="Weight of the norms of cross layers (DCN) or CIN and dense layers (xDeepFM)."
    )
    loop: LoopConfig = Field(
        LoopConfig(epochs=20, learning_rate=1e-3, evaluate_every=1, patience=3, precision="fast"),
        description="Epochs and optimiser; training stops on validation AUC.",
    )
    n_threads: int = Field(1, ge=1, le=256, description="Threads of the net.")

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "tiny":
            return {"loop.epochs": 5, "batch_size": 512}
        if name == "paper":
            # history_length and min_history: ReLLa; the rest ours, chosen on ML-1M's validation AUC.
            return {
                "embedding_size": 32,
                "history_length": published_history(data),
                "leave_out": ("user",),
                "l2": 1e-2,
                "loop.epochs": 12,
                "loop.patience": 2,
            }
        return {}

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching; some nets have some of their own."""
        autoint = {"model": ("autoint",)}
        return {
            "embedding_size": OneOf((8, 16, 32, 64)),
            "dropout": Between(0.0, 0.6),
            "l2": Between(1e-6, 1e-1, log=True),
            "loop.learning_rate": Between(1e-4, 1e-2, log=True),
            "n_cross_layers": Between(1, 6, when={"model": ("dcn", "dcn_v2")}),
            "cross_structure": OneOf(("stacked", "parallel"), when={"model": ("dcn_v2",)}),
            "attention_size": OneOf((8, 16, 32, 64), when=autoint),
            "n_attention_layers": Between(1, 4, when=autoint),
            "n_heads": OneOf((1, 2, 4), when=autoint),
        }


class CTRBaselines:
    """A trained net and what can be asked of it.

    Args:
        dataset: what it was trained on.
        config: how.
        fields: what its codes mean.
        net: fields -> logits.
    """

    def __init__(self, dataset: Dataset, config: CTRBaselinesConfig, fields: Fields, net: FieldNet) -> None:
        self.dataset = dataset
        self.config = config
        self.fields = fields
        self.net = net.eval()
        self._device = next(net.parameters()).device

    def score(self, requests: Sequence[ScoreRequest]) -> np.ndarray:
        """Return P(like) of each request (B,); of a user without a profile only the history speaks."""
        if not requests:
            return np.empty(0)
        histories = [self._recent(request.history) for request in requests]
        lengths = np.array([len(items) for items, _ in histories])
        items, ratings = (np.concatenate(column) for column in zip(*histories, strict=True))
        users = [self._user(request.user_num) for request in requests]
        targets = [request.item_num for request in requests]
        places = np.stack([users, targets, np.cumsum(lengths), lengths], axis=1)
        return likes(self.net, self._reader(items, ratings), places)

    def catalogue_scores(self, history: History, user_num: int | None = None) -> np.ndarray:
        """Return P(like) of every item (I,)."""
        items, ratings = self._recent(history)
        n_items, length = self.dataset.interactions.n_items, len(items)
        columns = (self._user(user_num), np.arange(n_items), length, length)
        return likes(self.net, self._reader(items, ratings), np.stack(np.broadcast_arrays(*columns), axis=1))

    def recommend(
        self, history: History, top_k: int, user_num: int | None = None, exclude_seen: bool = True
    ) -> list[Recommendation]:
        """Return at most `top_k` items by P(like), best first, ties to the lower item number.

        An unknown user is served from the history alone; without a history every window is empty.
        """
        scores = self.catalogue_scores(history, user_num)
        if exclude_seen:
            scores[history.item_nums] = -np.inf
        best = np.argsort(-scores, kind="stable")[:top_k]
        ids, titles = self.dataset.interactions.item_ids, self.dataset.catalogue.titles
        return [
            Recommendation(
                rank=rank,
                item_num=int(item),
                item_id=str(ids[item]),
                title=titles[item],
                score=float(scores[item]),
                parts={"known_item": float(self.fields.known_items[item])},
                evidence=(),
            )
            for rank, item in enumerate(best, start=1)
            if np.isfinite(scores[item])
        ]

    def embeddings(self) -> dict[str, EmbeddingTable]:
        """Return the "id" view: the vectors of the target item's own field; unseen in training: unknown."""
        codes = self.fields.item_codes[:, self._item_place]
        known = self.fields.known_items
        vectors = self.net.fields.vectors["singles"].detach().cpu().numpy()[codes]
        source = f"{self.config.model} on like questions"
        return {"id": EmbeddingTable("id", (vectors * known[:, None]).astype(np.float32), known, source)}

    @property
    def _item_place(self) -> int:
        n_user_fields = self.fields.user_codes.shape[1]
        return self.fields.names.index("item") - n_user_fields

    def _user(self, user_num: int | None) -> int:
        return self.dataset.interactions.n_users if user_num is None else user_num

    def _recent(self, history: History) -> tuple[np.ndarray, np.ndarray]:
        """Return items and ratings of what the fields show: at most the last `history_length` rows."""
        first = max(0, len(history) - self.config.history_length)
        return history.item_nums[first:], history.ratings[first:]

    def _reader(self, items: np.ndarray, ratings: np.ndarray) -> FieldReader:
        return field_reader(self.fields, items, ratings, self.config.history_length, self._device)


def field_sizes(fields: Fields) -> FieldSizes:
    """Return what a net must know of the fields."""
    bags = tuple(size for size in (len(fields.genres), len(fields.rating_values)) if size)
    return FieldSizes(fields.sizes, bags, fields.n_history_codes)


def field_reader(
    fields: Fields, items: np.ndarray, ratings: np.ndarray, history_length: int, device: torch.device
) -> FieldReader:
    """Return the reader of questions whose histories are stretches of these rows."""
    log = make_log(fields, items, ratings)
    return FieldReader(
        fields.user_codes,
        fields.item_codes,
        fields.item_genres,
        log.item_codes,
        log.rating_counts,
        history_length,
        device,
    )


def likes(net: torch.nn.Module, reader: FieldReader, places: np.ndarray) -> np.ndarray:
    """Return P(like) of questions (S,) float64; `places` as in `FieldReader.read`."""
    chunks = torch.from_numpy(places.astype(np.int64)).to(reader.device).split(_CHUNK)
    with torch.no_grad():
        logits = torch.cat([net(reader.read(chunk)) for chunk in chunks])
    return logits.double().sigmoid().cpu().numpy()

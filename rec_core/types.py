"""The frozen records every floor speaks, and the Protocols a system may satisfy.

Shape letters used in comments and docstrings everywhere: B batch, U users, I items, N interactions, S
samples, T history length, C candidates, D embedding, K list length, V vocabulary, H hidden.

`user_ids` and `item_ids` are a dataset's own identifiers (strings). `user_nums` and `item_nums` are
contiguous 0-based integers; the only way from one to the other is a `Vocab`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd

View = Literal["id", "text", "aligned"]
VIEWS: tuple[View, ...] = ("id", "text", "aligned")

Channel = Literal["semantic", "recency"]
Questions = Literal["every_rating", "last_of_user"]


class InputError(ValueError):
    """Wrong input from a person: one sentence that says what, where and how to mend it (exit code 2)."""


@dataclass(frozen=True)
class Interactions:
    """Who rated what, when: N rows in global time order (timestamp, then user number, then item number).

    `ratings` is NaN where the source has none; `timestamps` are seconds since 1970, or the row's rank when
    the source has no time (`Dataset.has_time` tells).
    """

    user_ids: np.ndarray  # (U,) str: the id of each user number
    item_ids: np.ndarray  # (I,) str: the id of each item number, the catalogue's order
    user_nums: np.ndarray  # (N,) int32
    item_nums: np.ndarray  # (N,) int32
    ratings: np.ndarray  # (N,) float32
    timestamps: np.ndarray  # (N,) int64

    def __len__(self) -> int:
        return len(self.user_nums)

    @property
    def n_users(self) -> int:
        """Return U."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Return I."""
        return len(self.item_ids)


@dataclass(frozen=True)
class Catalogue:
    """The items, one row per item number.

    `table` always has the columns item_id, title, year (Int64, may be missing), genres ("Drama|War", may be
    empty) and description (may be empty); a source may add more (director, country).
    """

    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @property
    def titles(self) -> list[str]:
        """Return the titles in the order of item numbers."""
        return self.table["title"].tolist()


@dataclass(frozen=True)
class Dataset:
    """Interactions, items and users of one source, with where they came from.

    `users` has one row per user number: user_id and whatever attributes the source gives. `truth` holds
    planted facts of simulated data (empty for real data). `content_hash` names the bytes the records were
    made from. `questions` says which rows like questions are about: every one with enough earlier rows, or
    one per user, the last of their rows in an order that is no time (`data.last_of_user`). `parts` holds the
    cut of a source that comes cut, row by row of `interactions` (`data.given_split` turns it into a `Split`).
    """

    name: str
    interactions: Interactions
    catalogue: Catalogue
    users: pd.DataFrame
    source: str
    licence: str
    content_hash: str
    like_threshold: float  # a rating above this counts as "like"
    max_rating: float
    item_noun: str = "movie"  # what prompts call an item
    simulated: bool = False
    has_time: bool = True
    questions: Questions = "every_rating"
    notes: tuple[str, ...] = ()
    truth: dict[str, Any] = field(default_factory=dict)
    parts: np.ndarray | None = None  # (N,) int8: 0 train, 1 valid, 2 test; None: the source does not come cut


@dataclass(frozen=True)
class History:
    """One user's past, oldest first."""

    item_nums: np.ndarray  # (T,) int32
    ratings: np.ndarray  # (T,) float32, NaN when absent
    timestamps: np.ndarray  # (T,) int64

    def __len__(self) -> int:
        return len(self.item_nums)

    def without(self, position: int) -> History:
        """Return the history with the row at `position` (0 = oldest) removed."""
        keep = np.arange(len(self)) != position
        return History(self.item_nums[keep], self.ratings[keep], self.timestamps[keep])


@dataclass(frozen=True)
class Split:
    """Rows of an `Interactions` (or of samples over it) by part; every array is sorted, none overlap."""

    kind: str
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class CTRSamples:
    """Like / not-like questions: "given a user's first `history_lengths[s]` items, is the next one liked?".

    `rows[s]` is the target's row in the `Interactions`; the target is never part of its own history.
    """

    rows: np.ndarray  # (S,) int64, ascending: global time order
    user_nums: np.ndarray  # (S,) int32
    item_nums: np.ndarray  # (S,) int32
    labels: np.ndarray  # (S,) int8
    history_lengths: np.ndarray  # (S,) int32

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: np.ndarray) -> CTRSamples:
        """Return the samples at `index`."""
        return CTRSamples(
            self.rows[index],
            self.user_nums[index],
            self.item_nums[index],
            self.labels[index],
            self.history_lengths[index],
        )


@dataclass(frozen=True)
class EmbeddingTable:
    """One vector per item number; `known[i]` is False where the source has none (the row is then zero)."""

    view: str  # "id", "text", "aligned" or a mixture's name
    values: np.ndarray  # (I, D) float32
    known: np.ndarray  # (I,) bool
    source: str  # what made it, for people


@dataclass(frozen=True)
class EvidenceItem:
    """One history item chosen for a prompt, with why it was chosen.

    `position` is the row in the full history (0 = oldest). `rank` is the 1-based rank in `channel`. `score`
    is the reranker's (equation 8). `similarities` are cosines to the target in each view.
    """

    item_num: int
    rating: float
    position: int
    channel: Channel
    rank: int
    score: float
    similarities: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoreRequest:
    """Would this user like this item? `user_num` None: no profile is known; any history will do."""

    user_num: int | None
    history: History
    item_num: int


@dataclass(frozen=True)
class ChoiceRequest:
    """Which of these candidates, in the order shown, would this user pick?"""

    user_num: int | None
    history: History
    candidates: tuple[int, ...]  # item numbers in slot order


@dataclass(frozen=True)
class Recommendation:
    """One recommended item: `score` decides the rank (higher is better), `parts` says what it is made of."""

    rank: int
    item_num: int
    item_id: str
    title: str
    score: float
    parts: dict[str, float]
    evidence: tuple[EvidenceItem, ...]


@dataclass(frozen=True)
class Removal:
    """What the score becomes when one history item had never been there, recomputed by the system."""

    item_num: int
    title: str
    position: int
    score_without: float
    change: float  # score_without - score; negative: the item spoke for the recommendation


@dataclass(frozen=True)
class Explanation:
    """Why one item was recommended: evidence, score parts, a sentence built from them, and removals."""

    recommendation: Recommendation
    sentence: str
    removals: tuple[Removal, ...]
    prompt: str


@dataclass(frozen=True)
class ProbeResult:
    """What a probe measured: `rows` (measure, group, value, low, high, n, p_corrected, verdict) and `raw`."""

    probe: str
    rows: pd.DataFrame
    raw: pd.DataFrame
    settings: dict[str, Any]


@dataclass(frozen=True)
class ProgressEvent:
    """A step of long work: `step` of `total` within `stage`; `metrics` are the numbers worth plotting."""

    stage: str
    step: int
    total: int
    message: str = ""
    metrics: dict[str, float] = field(default_factory=dict)


Progress = Callable[[ProgressEvent], None]


def ignore_progress(_event: ProgressEvent) -> None:
    """Drop a progress event (the default where nobody is watching)."""


class Cancelled(RuntimeError):
    """Raised at a step boundary when somebody asked the run to stop; what was checkpointed stays."""


@runtime_checkable
class Recommender(Protocol):
    """Rank unseen items for a history."""

    def recommend(
        self, history: History, top_k: int, user_num: int | None = None, exclude_seen: bool = True
    ) -> list[Recommendation]:
        """Return at most `top_k` recommendations, best first."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Score user-item pairs."""

    def score(self, requests: Sequence[ScoreRequest]) -> np.ndarray:
        """Return one score per request (B,), higher is better."""
        ...


@runtime_checkable
class EvidenceScorer(Protocol):
    """A scorer that shows which history items it reads, and can be made to read them in another order."""

    def select_evidence(self, request: ScoreRequest) -> tuple[EvidenceItem, ...]:
        """Return the history items that would go into the prompt, in prompt order."""
        ...

    def score_evidence(
        self, requests: Sequence[ScoreRequest], evidence: Sequence[tuple[EvidenceItem, ...]]
    ) -> np.ndarray:
        """Return the score of each request when the prompt shows exactly this evidence in this order (B,)."""
        ...


@runtime_checkable
class ChannelMerger(Protocol):
    """An evidence scorer that merges what resembles the target with what is recent (RALLRec, equation 8)."""

    @property
    def reranker(self) -> Any:
        """Return the settings of the merge (`retrieval.rerank.RerankConfig`)."""
        ...

    def channels(self, requests: Sequence[ScoreRequest], top_k: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return each history's positions by likeness to the target and by recency, best first."""
        ...

    def likeness(self, request: ScoreRequest) -> np.ndarray:
        """Return how like the target each history item is (T,), higher is closer."""
        ...

    def read(self, request: ScoreRequest, ranked: Sequence[Any], order: str) -> tuple[str, float]:
        """Return the prompt that shows these merged rows in this order, and the score it gives."""
        ...


@runtime_checkable
class ListChooser(Protocol):
    """A system that reads a list of candidates at once and picks one: the order shown may matter."""

    def choose(self, requests: Sequence[ChoiceRequest]) -> np.ndarray:
        """Return the probability of each slot (B, C); every row sums to 1. All requests have the same C."""
        ...


@runtime_checkable
class EmbeddingSource(Protocol):
    """A system that gives item vectors."""

    def embeddings(self) -> dict[str, EmbeddingTable]:
        """Return the tables by view name."""
        ...


@runtime_checkable
class Explainer(Protocol):
    """A system that can say why."""

    def explain(self, history: History, item_num: int, user_num: int | None = None) -> Explanation:
        """Return the explanation of one item for one history."""
        ...

"""How like a target a history item is: one small class per way of saying it.

Paper: RALLRec sections 2.2.4 and 2.4; Hybrid-Score as RALLRec adapts GPT-FedRec (arXiv 2403.04256).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Similarity(Protocol):
    """Numbers that order items by likeness to a target; higher is more alike."""

    @property
    def n_items(self) -> int:
        """Return I."""
        ...

    def of(self, target: int, items: np.ndarray) -> np.ndarray:
        """Return the similarity of each item (T,) int to the target item (T,)."""
        ...


def mean_similarity(similarity: Similarity, items: np.ndarray) -> np.ndarray:
    """Return how like every item of the catalogue is to some items, the mean over them (I,)."""
    everything = np.arange(similarity.n_items)
    return np.mean([similarity.of(int(item), everything) for item in items], axis=0)


class DotSimilarity:
    """The dot product of rows: for a mixture, whose blocks are normalised already (equation 7).

    A row that lacks a block is not scaled up for it, as a cosine would.

    Args:
        values: (I, D).
    """

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    @property
    def n_items(self) -> int:
        """Return I."""
        return len(self._values)

    def of(self, target: int, items: np.ndarray) -> np.ndarray:
        """Return (T,) dot products; equal rows give equal sums, which "@" does not promise."""
        return np.einsum("td,d->t", self._values[items], self._values[target])


class CosineSimilarity(DotSimilarity):
    """The cosine of rows; 0 where a row is zero.

    Args:
        values: (I, D).
    """

    def __init__(self, values: np.ndarray) -> None:
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        super().__init__(np.divide(values, norms, out=np.zeros_like(values), where=norms > 0))


class FusedSimilarity:
    """Hybrid-Score: weight x softmax(first / t1) + (1 - weight) x softmax(second / t2), over all items.

    Paper: GPT-FedRec (arXiv 2403.04256) fuses a text and an ID retriever over the whole catalogue this way;
    RALLRec's baseline applies it to text and ID vectors, weight 0.5, no temperature.
    Differs from authors' code: on BookCrossing it takes the softmax over the user's own history and dot
    products instead of cosines; here it is the catalogue and whatever similarities are given.

    Args:
        first: the text similarity.
        second: the ID similarity, over the same items.
        weight: lambda, 0..1, of the first.
        temperatures: t1 and t2, above 0.
    """

    def __init__(
        self, first: Similarity, second: Similarity, weight: float, temperatures: tuple[float, float]
    ) -> None:
        self._sides = ((first, weight, temperatures[0]), (second, 1 - weight, temperatures[1]))

    @property
    def n_items(self) -> int:
        """Return I."""
        return self._sides[0][0].n_items

    def of(self, target: int, items: np.ndarray) -> np.ndarray:
        """Return (T,) fused probabilities."""
        everything = np.arange(self.n_items)
        total = np.zeros(len(items))
        for similarity, weight, temperature in self._sides:
            logits = similarity.of(target, everything).astype(np.float64) / temperature
            mass = np.exp(logits - logits.max())
            total += weight * mass[items] / mass.sum()
        return total


class ShiftedNeighbours:
    """The published off-by-one: item m is judged by the row of item m + 1, the last by that of the first.

    ReLLa's and RALLRec's code for ML-1M compares row numbers with 1-based movie ids.

    Args:
        similarity: what is shifted.
    """

    def __init__(self, similarity: Similarity) -> None:
        self._similarity = similarity

    @property
    def n_items(self) -> int:
        """Return I."""
        return self._similarity.n_items

    def of(self, target: int, items: np.ndarray) -> np.ndarray:
        """Return (T,) the similarities of the items' neighbours."""
        return self._similarity.of(target, (np.asarray(items) + 1) % self.n_items)

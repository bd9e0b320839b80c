"""Find the nearest rows of a table, exactly, with ties decided."""

from __future__ import annotations

from typing import Literal

import numpy as np

from rec_core.types import InputError

_SLACK = 1e-4  # far above faiss's float32 rounding of a dot product of unit vectors


class ExactIndex:
    """All rows of one embedding table, searchable by cosine or dot product.

    faiss proposes rows; their scores are then recomputed one row at a time, and proposals are widened until
    no row outside can reach the K-th score. So equal rows score exactly the same, the lower item number
    comes first among them, and a query gives the same answer alone or in a batch.

    Args:
        values: (I, D); a row of zeros has cosine 0 to everything.
        metric: "cosine" or "dot".

    Raises:
        InputError: the table is not two-dimensional, is empty, or holds values that are not finite.
    """

    def __init__(self, values: np.ndarray, metric: Literal["cosine", "dot"] = "cosine") -> None:
        import faiss

        if values.ndim != 2 or values.size == 0:
            raise InputError(
                f"An index needs a table of items x dimensions with rows in it, not shape {values.shape}."
            )
        if not np.isfinite(values).all():
            raise InputError("The embedding table holds values that are not finite; train or embed it again.")
        self.metric = metric
        self._rows = self._prepared(values)
        self._largest_norm = float(np.linalg.norm(self._rows, axis=1).max())
        self._index = faiss.IndexFlatIP(self._rows.shape[1])
        self._index.add(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return scores (B, K) float32, best first, and item numbers (B, K) int64, where K = min(k, I).

        Ties go to the lower item number. A query that is a row of the table finds itself too.

        Args:
            queries: (B, D), B may be 0.
            k: neighbours wanted, at least 1.

        Raises:
            InputError: `k` is below 1 or the queries have another number of dimensions.
        """
        if k < 1:
            raise InputError(f"The number of neighbours must be at least 1, not {k}.")
        if queries.ndim != 2 or queries.shape[1] != self._rows.shape[1]:
            raise InputError(
                f"Queries of shape {queries.shape} do not fit items of {self._rows.shape[1]} dimensions."
            )
        prepared, wanted = self._prepared(queries), min(k, len(self))
        scores = np.empty((len(prepared), wanted), dtype=np.float32)
        nums = np.empty((len(prepared), wanted), dtype=np.int64)
        open_rows, width = np.arange(len(prepared)), min(wanted + 8, len(self))
        while len(open_rows):
            found, proposed = self._index.search(prepared[open_rows], width)
            settled = self._settled(prepared[open_rows], found, wanted) | (width == len(self))
            for row, candidates in zip(open_rows[settled], proposed[settled], strict=True):
                scores[row], nums[row] = self._best(prepared[row], candidates, wanted)
            open_rows, width = open_rows[~settled], min(2 * width, len(self))
        return scores, nums

    def _prepared(self, vectors: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if self.metric == "dot":
            return rows
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)

    def _settled(self, queries: np.ndarray, found: np.ndarray, wanted: int) -> np.ndarray:
        slack = _SLACK * np.linalg.norm(queries, axis=1) * self._largest_norm
        return found[:, -1] < found[:, wanted - 1] - slack

    def _best(self, query: np.ndarray, candidates: np.ndarray, wanted: int) -> tuple[np.ndarray, np.ndarray]:
        exact = np.einsum("nd,d->n", self._rows[candidates], query)
        order = np.lexsort((candidates, -exact))[:wanted]
        return exact[order], candidates[order]

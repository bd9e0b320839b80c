"""EASE: every item a linear regression on all others, solved in closed form.

Each column of B predicts one item from the rest of a user's items; the diagonal is held at zero, or an item
would predict itself. With the Gram matrix G = X'X and P = (G + reg I)^-1 the minimum is
B_ij = -P_ij / P_jj off the diagonal: one inversion, no training loop, no randomness.

Paper: Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019), equations 4 and 8.
Differs from paper: none; inverted in float64, kept in float32.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
from pydantic import Field

from rec_core.config import Between, Range
from rec_core.processes import is_main
from rec_core.store import read_tensors, write_tensors
from rec_core.systems.item_weights import Gram, ItemWeightConfig, ItemWeightRanking, shared_users
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_run import ranking_system
from rec_core.types import Dataset, InputError, Progress, ProgressEvent

_FILE = "ease.safetensors"
_ROWS = 512  # Gram rows built at once
_BYTES_PER_CELL = 12  # the inverse in float64 and the weights in float32


class EASEConfig(ItemWeightConfig):
    """EASE has one number to choose."""

    reg: float = Field(300.0, gt=0, le=1e6, description="L2 weight lambda, on the scale of users per item.")

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching."""
        return {"reg": Between(1.0, 10_000.0, log=True)}


class EASE(ItemWeightRanking):
    """Score = sum of B_ij over the history's items i: each is exactly what its item adds."""


def learn(parts: RankingParts, config: EASEConfig, folder: Path, seed: int, progress: Progress) -> None:
    """Solve and write the weights, unless they are there already.

    Raises:
        InputError: the catalogue's square does not fit the memory.
    """
    if (folder / _FILE).exists() or not is_main():
        return
    _check_memory(parts.n_items, psutil.virtual_memory().available)
    weights = ease_weights(shared_users(parts), parts.n_items, config.reg)
    write_tensors(folder / _FILE, {"weights": weights, "popularity": parts.popularity.astype(np.int64)})
    progress(ProgressEvent("ease", 1, 1))


def ease_weights(gram: Gram, n_items: int, reg: float) -> np.ndarray:
    """Return B (I, I) float32, row i speaks for column j, zeros on the diagonal.

    Memory: 12 I^2 bytes; time: about I^3 multiplications and additions.

    Args:
        gram: gives rows of X'X.
        n_items: I.
        reg: lambda, above 0, which makes the matrix positive definite.

    Raises:
        InputError: `reg` is too small beside items that the same users took.
    """
    from scipy.linalg.lapack import dpotrf, dpotri

    matrix = np.empty((n_items, n_items), order="F")  # symmetric: Fortran's order lets LAPACK work in place
    for start in range(0, n_items, _ROWS):
        rows = np.arange(start, min(start + _ROWS, n_items))
        matrix[:, rows] = gram(rows).T
    matrix[np.diag_indices(n_items)] += reg
    factor, failed = dpotrf(matrix, overwrite_a=1)
    inverse, failed_too = dpotri(factor, overwrite_c=1)  # the upper triangle
    if failed or failed_too:
        raise InputError(f"EASE cannot be solved with reg {reg}: some items are taken together; raise reg.")
    weights = np.zeros((n_items, n_items), dtype=np.float32)
    scale = -1 / np.diagonal(inverse)
    for j in range(n_items):
        column = inverse[:j, j]
        weights[:j, j] = column * scale[j]
        weights[j, :j] = column * scale[:j]
    return weights


def load(dataset: Dataset, config: EASEConfig, folder: Path) -> EASE:
    """Open a trained run."""
    tensors = read_tensors(folder / _FILE)
    return EASE(dataset, tensors["popularity"], tensors["weights"], config.read_valid_at_test)


fit, validate = ranking_system(learn, load)


def _check_memory(n_items: int, available: int) -> None:
    needed = _BYTES_PER_CELL * n_items**2
    if needed > available:
        raise InputError(
            f"EASE needs {needed / 2**30:,.1f} GiB for the square of {n_items:,} items and "
            f"{available / 2**30:,.1f} GiB are free; keep fewer items or choose item_knn or ials."
        )

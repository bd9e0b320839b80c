"""Metrics of like / not-like scores: labels and probabilities in, one number out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_core.types import InputError

CLIP = 1e-15  # probabilities are kept this far from 0 and 1 in logarithms


def auc(labels: np.ndarray, probs: np.ndarray) -> float:
    """Return the area under the ROC curve: the chance that a random positive outscores a random negative.

    Ties count one half.

    Args:
        labels: (N,) 0 or 1.
        probs: (N,) scores of any scale; only their order matters.

    Returns:
        0..1, higher is better; NaN when only one class is present.
    """
    positive, scores = _pairs(labels, probs)
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    rank_sum = midranks(scores)[positive].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


@dataclass(frozen=True)
class UserAUCs:
    """The AUC inside each user's rows; NaN for users whose rows are all of one class."""

    users: np.ndarray  # (U,) ascending
    aucs: np.ndarray  # (U,) float64
    n_rows: np.ndarray  # (U,) int64


def user_aucs(labels: np.ndarray, probs: np.ndarray, users: np.ndarray) -> UserAUCs:
    """Return every user's own AUC, all users in two sorts.

    Args:
        labels: (N,) 0 or 1.
        probs: (N,) scores of any scale; only their order inside a user matters, ties count one half.
        users: (N,) whose row each is.
    """
    positive, scores = _pairs(labels, probs)
    names, place = np.unique(users, return_inverse=True)
    n_rows = np.bincount(place, minlength=len(names))
    n_positive = np.bincount(place, weights=positive, minlength=len(names))
    before = np.cumsum(n_rows) - n_rows  # rows of users that sort earlier
    order_of_score = np.unique(scores, return_inverse=True)[1]
    ranks = midranks(place * (order_of_score.max(initial=0) + 1) + order_of_score) - before[place]
    rank_sums = np.bincount(place, weights=ranks * positive, minlength=len(names))
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = n_positive * (n_rows - n_positive)
        return UserAUCs(names, (rank_sums - n_positive * (n_positive + 1) / 2) / pairs, n_rows)


def user_auc(labels: np.ndarray, probs: np.ndarray, users: np.ndarray, weighted: bool = False) -> float:
    """Return the mean AUC over users who have both classes; unlike `auc` it compares nobody with others.

    Args:
        labels: (N,) 0 or 1.
        probs: (N,) scores of any scale.
        users: (N,) whose row each is.
        weighted: users count by their rows (GAUC); otherwise each counts once.

    Returns:
        0..1, higher is better; NaN when no user has both classes.
    """
    found = user_aucs(labels, probs, users)
    both = ~np.isnan(found.aucs)
    if not both.any():
        return float("nan")
    return float(np.average(found.aucs[both], weights=found.n_rows[both] if weighted else None))


def log_loss(labels: np.ndarray, probs: np.ndarray) -> float:
    """Return the mean negative log-likelihood in nats, lower is better; NaN without rows.

    Args:
        labels: (N,) 0 or 1.
        probs: (N,) probability of label 1, clipped to [1e-15, 1 - 1e-15].
    """
    losses = row_log_losses(labels, probs)
    return float(losses.mean()) if len(losses) else float("nan")


def row_log_losses(labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Return the negative log-likelihood of each row in nats (N,); their mean is `log_loss`."""
    positive, scores = _pairs(labels, probs)
    clipped = np.clip(scores, CLIP, 1 - CLIP)
    return -np.log(np.where(positive, clipped, 1 - clipped))


def accuracy(labels: np.ndarray, probs: np.ndarray, threshold: float = 0.5) -> float:
    """Return the share of rows where "probability above `threshold`" equals the label; NaN without rows."""
    right = row_correct(labels, probs, threshold)
    return float(right.mean()) if len(right) else float("nan")


def row_correct(labels: np.ndarray, probs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Return 1.0 where a row is decided rightly, 0.0 elsewhere (N,); their mean is `accuracy`."""
    positive, scores = _pairs(labels, probs)
    return ((scores > threshold) == positive).astype(np.float64)


def double_softmax_log_loss(
    labels: np.ndarray, probs: np.ndarray, no_probs: np.ndarray | None = None
) -> float:
    """Return log loss after a second softmax over the two probabilities, as in RALLRec's published numbers.

    The second softmax turns P(yes), P(no) into sigmoid(P(yes) - P(no)), which lies in [0.269, 0.731]; the
    loss then lies in [0.313, 1.313], whatever the model does. Only for comparing with those columns.

    Differs from authors' code: there the two probabilities come from a softmax over the whole vocabulary and
    need not sum to 1; pass `no_probs` for exactly that. Without it P(no) = 1 - P(yes).

    Args:
        labels: (N,) 0 or 1.
        probs: (N,) P(yes).
        no_probs: (N,) P(no), when the pair does not sum to 1.
    """
    yes = np.asarray(probs, dtype=np.float64)
    no = 1 - yes if no_probs is None else np.asarray(no_probs, dtype=np.float64)
    return log_loss(labels, 1 / (1 + np.exp(no - yes)))


def expected_calibration_error(labels: np.ndarray, probs: np.ndarray, n_bins: int = 10) -> float:
    """Return the mean gap between stated probability and observed share, over bins of equal width.

    Each bin weighs as many rows as it holds; the last bin includes 1. NaN without rows.

    Args:
        labels: (N,) 0 or 1.
        probs: (N,) probability of label 1.
        n_bins: number of bins over [0, 1].

    Returns:
        0..1, lower is better.
    """
    positive, scores = _pairs(labels, probs)
    if not len(scores):
        return float("nan")
    bins = np.clip((scores * n_bins).astype(int), 0, n_bins - 1)
    gaps = np.bincount(bins, weights=positive - scores, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(scores))


def midranks(values: np.ndarray) -> np.ndarray:
    """Return 1-based ranks, ascending; tied values share the mean of their ranks (N,) float64."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def _pairs(labels: np.ndarray, probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels = np.asarray(labels)
    scores = np.asarray(probs, dtype=np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise InputError(
            f"Labels {labels.shape} and scores {scores.shape} do not pair up; give one entry per row in both."
        )
    if not np.isin(labels, (0, 1)).all():
        raise InputError("Labels must all be 0 or 1; turn ratings into likes first.")
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise InputError(f"Score {row} is {scores[row]}; every row needs a finite score.")
    return labels == 1, scores

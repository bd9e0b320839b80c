"""InfoNCE: each vector finds its partner among all, in one direction or in both."""

from __future__ import annotations

import torch


def symmetric_info_nce(projected: torch.Tensor, behaviour: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the mean over items of the two cross-entropies, summed; lower is better, 2 log I at chance.

    Paper: RALLRec equation 5: f(a, b) = exp(cos(a, b)), denominators over all items, both directions summed.
    Differs from paper: cosines are divided by `temperature`; 1.0 is the formula as printed, almost flat over
    thousands of items because a cosine stays within [-1, 1].

    Args:
        projected: (I, D) projected text vectors.
        behaviour: (I, D) behaviour vectors, same order.
        temperature: above 0.

    Raises:
        ValueError: shapes differ.
    """
    if projected.shape != behaviour.shape:
        raise ValueError(f"shapes differ: {tuple(projected.shape)} and {tuple(behaviour.shape)}")
    a = torch.nn.functional.normalize(projected, dim=1)
    b = torch.nn.functional.normalize(behaviour, dim=1)
    cosines = a @ b.T / temperature
    own = torch.arange(len(a), device=a.device)
    return torch.nn.functional.cross_entropy(cosines, own) + torch.nn.functional.cross_entropy(cosines.T, own)


def info_nce(
    anchors: torch.Tensor, keys: torch.Tensor, own: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return the mean over anchors of -log softmax of the cosine to the own key; lower is better.

    log M at chance.
    Memory: B x M cosines and as many gradients.
    Paper: InfoNCE (CPC 2018, equation 4) as SGL (SIGIR 2021, equation 10) uses it: f(a, b) = exp(cos(a, b) /
    temperature), every key in the denominator.

    Args:
        anchors: (B, D).
        keys: (M, D).
        own: (B,) int64, the key that belongs to each anchor; repeats allowed.
        temperature: above 0.
    """
    a = torch.nn.functional.normalize(anchors, dim=1) / temperature
    cosines = a @ torch.nn.functional.normalize(keys, dim=1).T
    return torch.nn.functional.cross_entropy(cosines, own)

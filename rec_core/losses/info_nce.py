"""Symmetric InfoNCE over all items: each text vector finds its behaviour vector, and the other way round."""

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

"""One vector per text from the states of its tokens."""

from __future__ import annotations

from typing import Any


def mean_pooled(hidden: Any, mask: Any) -> Any:
    """Return the mean of hidden states (B, T, D) over positions whose mask (B, T) is 1: (B, D)."""
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)


def last_pooled(hidden: Any, mask: Any) -> Any:
    """Return the state of the last position whose mask is 1, on whichever side the padding is: (B, D).

    Args:
        hidden: (B, T, D).
        mask: (B, T), 1 = token; every row has one.
    """
    import torch

    places = torch.arange(mask.shape[1], device=mask.device)
    last = (places * mask).argmax(dim=1)
    return hidden[torch.arange(len(hidden), device=hidden.device), last]

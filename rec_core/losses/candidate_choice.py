"""Choice among drawn candidates: what was taken against a few items drawn for the same row."""

from __future__ import annotations

import torch


def candidate_choice(scores: torch.Tensor) -> torch.Tensor:
    """Return the mean of log sum_c exp(s_c) - s_0, lower is better, log C at chance.

    Unlike in `sampled_softmax` every row has candidates of its own, and the scores come from anywhere: so it
    must be where a user's vector depends on the candidate.
    Paper: the sampled form of the softmax of Barkan et al., AMP-CF (RecSys 2020).

    Args:
        scores: (B, C) the taken item first, then the drawn ones.
    """
    return (scores.logsumexp(dim=1) - scores[:, 0]).mean()

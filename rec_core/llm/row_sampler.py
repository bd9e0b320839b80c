"""Draw the next token of every row by that row's own random numbers, so that no row depends on its batch."""

from __future__ import annotations

import torch

from rec_core.llm.writer import SamplingConfig


def draw(
    logits: torch.Tensor, uniforms: torch.Tensor, temperature: float = 1.0, top_p: float = 1.0
) -> torch.Tensor:
    """Return one token per row: the first at which the summed probability exceeds the row's random number.

    The probabilities are the softmax of logits / temperature, cut to the fewest likeliest tokens that hold
    `top_p` together (the first of them always stays) and summed in the order of token numbers. Sums are in
    float64: rounding that differs between batches changes a token only where a random number lies within that
    rounding of a sum.

    Paper: nucleus sampling, Holtzman et al., The Curious Case of Neural Text Degeneration (ICLR 2020),
    section 3.1.

    Args:
        logits: (B, V).
        uniforms: (B,) in [0, 1).
        temperature: 0 takes the likeliest token whatever the random number.
        top_p: in (0, 1].

    Returns:
        (B,) int64.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    probs = torch.softmax(logits.double() / temperature, dim=-1)
    if top_p < 1:
        ordered, places = probs.sort(dim=-1, descending=True, stable=True)
        before = ordered.cumsum(dim=-1) - ordered
        probs = torch.zeros_like(probs).scatter(-1, places, ordered.where(before < top_p, 0.0))
    sums = probs.cumsum(dim=-1)
    wanted = uniforms.to(sums).unsqueeze(-1) * sums[:, -1:]
    return torch.searchsorted(sums, wanted, right=True).squeeze(-1)


class RowSampler:
    """A logits processor of transformers' `generate`: leaves each row the one token that is drawn for it.

    With it `generate` is asked to take the likeliest token, and its own sampling, which draws for all rows
    from one stream, is off.

    Args:
        uniforms: (B, n) in [0, 1): a row's random numbers, one per new token.
        sampling: temperature and top_p.
        width: tokens of the padded prompts, T; what follows is new.
    """

    def __init__(self, uniforms: torch.Tensor, sampling: SamplingConfig, width: int) -> None:
        self._uniforms, self._sampling, self._width = uniforms, sampling, width

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return scores (B, V) that are 0 at the token drawn and -inf elsewhere."""
        step = input_ids.shape[1] - self._width
        sampling = self._sampling
        drawn = draw(scores, self._uniforms[:, step], sampling.temperature, sampling.top_p)
        return torch.full_like(scores, -torch.inf).scatter(-1, drawn.unsqueeze(-1), 0.0)

"""What writing will take before it begins: requests, tokens, cost and time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean

from pydantic import Field

from rec_core.config import Config
from rec_core.llm.writer import Answer, Ask

FEW = 5  # answers from which means are taken
_BYTES_PER_TOKEN = 4  # of English text; in other scripts a token holds fewer letters, of more bytes each
_TOKENS_PER_WORD = 4 / 3
_MILLION = 1_000_000


class Prices(Config):
    """What a provider charges, in any currency."""

    prompt: float = Field(0.0, ge=0, description="Price of a million prompt tokens.")
    answer: float = Field(0.0, ge=0, description="Price of a million answer tokens.")


@dataclass(frozen=True)
class Estimate:
    """What is still to be asked, and what it is thought to take.

    `cost` and `cost_at_most` are in the currency of the prices, None without prices; `seconds` is None while
    no answer was timed and none was given. `measured` tells whether tokens come from answers rather than from
    rules of thumb.
    """

    requests: int
    prompt_tokens: int
    answer_tokens: int
    answer_tokens_at_most: int
    cost: float | None
    cost_at_most: float | None
    seconds: float | None
    measured: bool

    @property
    def line(self) -> str:
        """Return the estimate as one sentence."""
        if not self.requests:
            return "Nothing is left to write."
        parts = [
            f"{self.requests:,} requests to go",
            f"about {self.prompt_tokens:,} prompt tokens",
            f"about {self.answer_tokens:,} answer tokens (at most {self.answer_tokens_at_most:,})",
        ]
        if self.cost is not None:
            parts.append(f"cost about {self.cost:,.2f} (at most {self.cost_at_most:,.2f})")
        if self.seconds is not None:
            parts.append(f"about {_spoken(self.seconds)}")
        basis = "measured on earlier answers" if self.measured else "by rules of thumb"
        return f"{', '.join(parts)}; {basis}."


def estimate(
    asks: Sequence[Ask],
    before: Collection[Answer],
    *,
    words: int,
    max_new_tokens: int,
    at_once: int = 1,
    prices: Prices | None = None,
    seconds_each: float | None = None,
) -> Estimate:
    """Estimate what these asks take.

    Prompt tokens: the bytes of the prompts times the tokens per byte of earlier answers; a quarter of the
    bytes while there are none. Answer tokens: the mean of earlier answers; four thirds of a token per word
    wanted while there are none. Seconds: the mean of earlier answers, shared by those that wait at once.

    Args:
        asks: what is left.
        before: answers of the same model under the same sampling; from `FEW` of them on they are measured.
        words: a text's length as the prompt asks for it.
        max_new_tokens: longest answer.
        at_once: requests that wait at once.
        prices: what a token costs; None = no cost is told.
        seconds_each: how long one answer takes; None = as measured.
    """
    sizes = sum(len(ask.prompt.encode()) for ask in asks)
    counted = [answer for answer in before if answer.prompt_tokens and answer.answer_tokens is not None]
    measured = len(counted) >= FEW
    per_byte, per_answer = 1 / _BYTES_PER_TOKEN, min(words * _TOKENS_PER_WORD, max_new_tokens)
    if measured:
        seen = sum(len(answer.ask.prompt.encode()) for answer in counted)
        per_byte = sum(answer.prompt_tokens or 0 for answer in counted) / seen
        per_answer = fmean(answer.answer_tokens or 0 for answer in counted)
    if seconds_each is None and len(before) >= FEW:
        seconds_each = fmean(answer.seconds for answer in before)
    tokens = (round(sizes * per_byte), round(len(asks) * per_answer))
    most = len(asks) * max_new_tokens
    return Estimate(
        requests=len(asks),
        prompt_tokens=tokens[0],
        answer_tokens=tokens[1],
        answer_tokens_at_most=most,
        cost=cost_of(*tokens, prices),
        cost_at_most=cost_of(tokens[0], most, prices),
        seconds=None if seconds_each is None else len(asks) * seconds_each / min(at_once, len(asks) or 1),
        measured=measured,
    )


def cost_of(prompt_tokens: int, answer_tokens: int, prices: Prices | None) -> float | None:
    """Return what these tokens cost in the currency of the prices, None without prices."""
    if prices is None:
        return None
    return (prompt_tokens * prices.prompt + answer_tokens * prices.answer) / _MILLION


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"

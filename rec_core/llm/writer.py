"""What is asked of a language model that writes, what it answers, and the Protocol of those who do it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field

from rec_core.config import Config
from rec_core.prompts.profile import one_line

Finish = Literal["stop", "length", "filter"]
State = Literal["written", "cut", "empty", "refused"]

_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)


class SamplingConfig(Config):
    """How the next word is drawn.

    Paper: RALLRec's code samples with temperature 0.8 and top-p 0.9, 10 to 1,024 new tokens. Here there is no
    lower bound, which not every server takes; an empty answer is marked instead.
    """

    temperature: float = Field(
        0.8, ge=0, le=2, description="0 takes the likeliest token; 1 draws as the model believes."
    )
    top_p: float = Field(
        0.9, gt=0, le=1, description="Draw from the fewest likeliest tokens that hold this probability."
    )
    max_new_tokens: int = Field(
        1024, ge=1, le=32_768, description="Longest answer in tokens; a longer one is cut, and marked so."
    )


@dataclass(frozen=True)
class Ask:
    """One request. `key` names model, sampling and prompt; `attempt` counts the answers there were before."""

    key: str
    prompt: str
    attempt: int = 0


@dataclass(frozen=True)
class Answer:
    """What came back, as the model gave it. Token counts are None where a server does not tell them.

    `seconds` is how long the answer took, a batch's time shared among its answers.
    """

    ask: Ask
    text: str
    finish: Finish  # "length": cut at the token limit; "filter": withheld by the server
    prompt_tokens: int | None
    answer_tokens: int | None
    seconds: float

    @property
    def state(self) -> State:
        """Return "written" for a whole answer; else "refused", "cut", or "empty": nothing is left of it."""
        if self.finish == "filter":
            return "refused"
        if self.finish == "length":
            return "cut"
        return "written" if cleaned(self.text) else "empty"


class Writer(Protocol):
    """A language model at work: answers come one by one, each to be kept before the next is taken.

    A writer is a context manager: what it needs (weights, connections) is there inside the block.
    """

    def __enter__(self) -> Writer: ...

    def __exit__(self, *error: object) -> None: ...

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        """Yield the answer of every ask, in any order; nothing new is asked before the next one is taken.

        Raises:
            InputError: the model cannot answer, with what to do about it.
        """
        ...

    def in_flight(self, seconds: float) -> Iterator[Answer]:
        """Yield what was asked and not yet taken, as far as it comes within `seconds`."""
        ...


def cleaned(text: str) -> str:
    """Return an answer as one line without double quotes, and without a reasoning model's thoughts before it.

    Paper: RALLRec's code takes out line breaks and double quotes. What is no valid Unicode is replaced.
    """
    whole = text.encode("utf-8", "replace").decode()
    return one_line(_THOUGHT.sub("", whole).replace('"', ""))

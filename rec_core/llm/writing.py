"""Ask a writer for what is not on disk yet, and put every answer there before the next is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rec_core.llm.writer import Answer, Ask, Writer
from rec_core.llm.writing_estimate import FEW, Estimate
from rec_core.llm.written_cache import writing
from rec_core.types import Progress, ProgressEvent

Plan = Callable[[Sequence[Ask], Collection[Answer]], Estimate]

_LAST_SECONDS = 2.0  # how long an interrupted writing waits for answers that are on their way


def left(asks: Sequence[Ask], answers: Mapping[str, Answer], again: bool = False) -> list[Ask]:
    """Return the asks without an answer, each key once, in their order.

    Args:
        asks: all of them.
        answers: what is on disk, by key.
        again: also those whose answer is cut, empty or refused, as their next attempt.
    """
    todo = []
    for ask in {ask.key: ask for ask in asks}.values():
        answer = answers.get(ask.key)
        if answer is None:
            todo.append(ask)
        elif again and answer.state != "written":
            todo.append(replace(ask, attempt=answer.ask.attempt + 1))
    return todo


def write_left(
    asks: Sequence[Ask],
    writer: Writer,
    folder: Path,
    settings: dict[str, Any],
    plan: Plan,
    progress: Progress,
    stage: str,
    *,
    again: bool = False,
    limit: int | None = None,
) -> dict[str, Answer]:
    """Have what is left written into the folder, and return all answers there by key.

    An ask whose answer is on disk is never asked again. A kill loses the requests that were waiting for their
    answer at that moment, and no other; a cancellation or an error first waits two seconds for them.

    Args:
        asks: what is wanted.
        writer: opened only when something is left.
        folder: of this model and sampling (`llm.written_cache`).
        settings: model and sampling, kept beside the answers.
        plan: estimates what is left; its line is the message of every event, renewed after the first answers.
        progress: called before the first ask and after every answer; may raise `Cancelled`.
        stage: the name progress events carry.
        again: ask once more where an answer is cut, empty or refused.
        limit: ask at most this many.

    Raises:
        InputError: another process writes there, or the writer cannot go on.
        Cancelled: by `progress`; every answer that came is kept.
    """
    with writing(folder, settings) as cache:
        todo = left(asks, cache.answers, again)
        done = len({ask.key for ask in asks}) - len(todo)
        todo = todo[:limit]
        if not todo:
            return cache.answers
        said = plan(todo, cache.answers.values()).line
        progress(ProgressEvent(stage, done, done + len(todo), said))
        with writer:
            try:
                for n, answer in enumerate(writer.answers(todo), 1):
                    cache.add(answer)
                    if n == FEW:
                        said = plan(todo, cache.answers.values()).line
                    progress(ProgressEvent(stage, done + n, done + len(todo), said))
            except BaseException:
                for answer in writer.in_flight(_LAST_SECONDS):
                    cache.add(answer)
                raise
        return cache.answers

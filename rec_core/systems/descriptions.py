"""What is said about each item: the dataset's own words, or a language model's, written once and kept.

Paper: RALLRec section 2.2.1; e_desc of equation 3 encodes these texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rec_core.data.item_texts import description_text
from rec_core.llm.endpoint import Endpoint
from rec_core.llm.writing import left
from rec_core.llm.written_cache import read_answers
from rec_core.store import Workspace
from rec_core.systems.description_writing import (
    NAMELESS,
    DescriptionConfig,
    ItemAnswer,
    answers_folder,
    asks_of,
    item_answers,
    write,
    write_command,
)
from rec_core.types import Dataset, InputError, Progress


@dataclass(frozen=True)
class Descriptions:
    """One text per item (I,), and where they come from in a sentence for people."""

    texts: list[str]
    note: str


def descriptions_of(
    dataset: Dataset,
    config: DescriptionConfig,
    workspace: Workspace,
    progress: Progress,
    endpoint: Endpoint | None = None,
) -> Descriptions:
    """Return the description of every item, written where it is not on disk yet.

    A local model writes what is missing. An endpoint costs money: it is asked only when it is handed in, and
    otherwise what is missing is an error that says how to write it. An item without a whole answer has the
    dataset's own text, and the note counts such items.

    Args:
        dataset: whose items.
        config: who writes, and how.
        workspace: holds the answers.
        progress: called after every answer; may raise `Cancelled`.
        endpoint: where a writer "endpoint" may ask now.

    Raises:
        InputError: the writer cannot run, or must not run unasked.
    """
    own = description_text(dataset.catalogue, dataset.item_noun)
    if config.writer == "none":
        return Descriptions(own, "Descriptions are the dataset's own text; no language model wrote any.")
    answers = read_answers(answers_folder(config, workspace))
    wanted = [ask for ask in asks_of(dataset, config) if ask is not None]
    todo = left(wanted, answers)
    if todo and config.writer == "endpoint" and endpoint is None:
        raise InputError(
            f"{len(todo):,} descriptions by {config.model!r} are not written yet; write them with "
            f"`{write_command(dataset.name, config)}`, which says first what it will cost, or take "
            "the writer 'none'."
        )
    if todo:
        answers = write(dataset, config, workspace, progress, endpoint)
    found = item_answers(dataset, config, answers)
    texts = [
        answer.text if answer.state == "written" else text for answer, text in zip(found, own, strict=True)
    ]
    return Descriptions(texts, _note(config, found))


def _note(config: DescriptionConfig, found: Sequence[ItemAnswer]) -> str:
    states = Counter(answer.state for answer in found)
    where = "an endpoint" if config.writer == "endpoint" else "this machine"
    note = (
        f"{states['written']:,} of {len(found):,} descriptions were written by {config.model!r} on {where} "
        f"(temperature {config.temperature:g}, top-p {config.top_p:g}, fewer than {config.words} words)"
    )
    told = [f"{states[state]:,} {state} answers" for state in ("cut", "empty", "refused") if states[state]]
    if states[NAMELESS]:
        told.append(f"{states[NAMELESS]:,} items without a title")
    return f"{note}; the dataset's own text stands for {', '.join(told)}." if told else f"{note}."

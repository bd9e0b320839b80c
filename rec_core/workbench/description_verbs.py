"""Verbs on descriptions: what writing them will take, have them written, look at them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rec_core.data.item_texts import description_text, title_text
from rec_core.llm.endpoint import Endpoint
from rec_core.llm.writing import left
from rec_core.llm.writing_estimate import Prices, cost_of
from rec_core.llm.written_cache import read_answers
from rec_core.store import Workspace
from rec_core.systems.description_writing import (
    DescriptionConfig,
    ItemAnswer,
    answers_folder,
    asks_of,
    item_answers,
    plan_of,
    write,
)
from rec_core.types import Dataset, InputError, Progress, ignore_progress
from rec_core.workbench.data_verbs import load_dataset


def estimate_descriptions(
    data: str,
    settings: dict[str, Any],
    *,
    again: bool = False,
    limit: int | None = None,
    prices: tuple[float, float] | None = None,
    seconds_each: float | None = None,
    progress: Progress = ignore_progress,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return what writing would take; nothing is asked.

    Args:
        data: a dataset's name.
        settings: fields of `systems.descriptions.DescriptionConfig`; "writer" and "model" must be among them.
        again: count answers that are cut, empty or refused as not written.
        limit: count at most this many requests.
        prices: of a million prompt tokens and a million answer tokens; None = no cost is told.
        seconds_each: how long an answer takes; None = as earlier answers took.
        progress: called while the dataset is loaded.
        workspace: where datasets and answers live.

    Returns:
        {"dataset", "writer", "model", "items", "states": {state: items}, "estimate": the fields of
        `llm.writing_estimate.Estimate`, "line": the same in a sentence}.

    Raises:
        InputError: unknown dataset or setting, or no writer.
    """
    space = workspace or Workspace.from_environment()
    dataset, config = load_dataset(data, progress, workspace=space), _config(settings)
    answers = read_answers(answers_folder(config, space))
    asks = [ask for ask in asks_of(dataset, config) if ask is not None]
    plan = plan_of(config, _prices(prices), seconds_each)
    planned = plan(left(asks, answers, again)[:limit], answers.values())
    facts = _facts(dataset, config, item_answers(dataset, config, answers))
    return {**facts, "estimate": asdict(planned), "line": planned.line}


def write_descriptions(
    data: str,
    settings: dict[str, Any],
    *,
    url: str | None = None,
    key: str | None = None,
    again: bool = False,
    limit: int | None = None,
    prices: tuple[float, float] | None = None,
    seconds_each: float | None = None,
    progress: Progress = ignore_progress,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Have descriptions written, each kept before the next is asked for; the same call goes on after a stop.

    Args:
        data: a dataset's name.
        settings: as `estimate_descriptions`.
        url: of an endpoint; None = as the environment says (`llm.endpoint.Endpoint.from_environment`).
        key: of the endpoint at `url`; None = as the environment says. It is kept nowhere.
        again: ask once more where an answer is cut, empty or refused.
        limit: ask at most this many.
        prices: as `estimate_descriptions`.
        seconds_each: as `estimate_descriptions`.
        progress: called after every answer; may raise `Cancelled`.
        workspace: where datasets and answers live.

    Returns:
        {"dataset", "writer", "model", "items", "states": {state: items}, "asked", "prompt_tokens",
        "answer_tokens", "cost"}: the last four of this call alone; tokens are those the writer told.

    Raises:
        InputError: unknown dataset or setting, no endpoint, another process is writing, or the writer cannot
            go on.
    """
    space = workspace or Workspace.from_environment()
    dataset, config = load_dataset(data, progress, workspace=space), _config(settings)
    endpoint = _endpoint(url, key) if config.writer == "endpoint" else None
    before = read_answers(answers_folder(config, space))
    plan = plan_of(config, _prices(prices), seconds_each)
    answers = write(dataset, config, space, progress, endpoint, again=again, limit=limit, plan=plan)
    new = [answer for key, answer in answers.items() if before.get(key) != answer]
    tokens = (sum(a.prompt_tokens or 0 for a in new), sum(a.answer_tokens or 0 for a in new))
    return {
        **_facts(dataset, config, item_answers(dataset, config, answers)),
        "asked": len(new),
        "prompt_tokens": tokens[0],
        "answer_tokens": tokens[1],
        "cost": cost_of(*tokens, _prices(prices)),
    }


def show_descriptions(
    data: str,
    settings: dict[str, Any] | None = None,
    items: list[str] | None = None,
    *,
    limit: int | None = None,
    progress: Progress = ignore_progress,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return the text of each item and who wrote it; nothing is asked.

    Args:
        data: a dataset's name.
        settings: as `estimate_descriptions`; None = the dataset's own text.
        items: item ids; None = every item.
        limit: return at most this many.
        progress: called while the dataset is loaded.
        workspace: where datasets and answers live.

    Returns:
        {"dataset", "writer", "model", "items", "states": {state: items}, "rows": [{"item_id", "title",
        "state", "description", "own"}]}: `state` is "written", "cut", "empty", "refused", "not written", "no
        title" (never asked about), or "own" without a writer; `description` is the answer as it came,
        cleaned, "" where there is none; `own` is the dataset's text, which stands for every state but
        "written".

    Raises:
        InputError: unknown dataset, setting or item.
    """
    space = workspace or Workspace.from_environment()
    dataset = load_dataset(data, progress, workspace=space)
    config = DescriptionConfig.from_values(settings or {})
    own = description_text(dataset.catalogue, dataset.item_noun)
    found = [ItemAnswer("own")] * len(own)
    if config.writer != "none":
        found = item_answers(dataset, config, read_answers(answers_folder(config, space)))
    ids = dataset.catalogue.table["item_id"].astype(str)
    rows = [
        {"item_id": item, "title": title, "state": answer.state, "description": answer.text, "own": text}
        for item, title, answer, text in zip(ids, title_text(dataset.catalogue), found, own, strict=True)
    ]
    return {**_facts(dataset, config, found), "rows": _chosen(rows, items)[:limit]}


def _config(settings: dict[str, Any]) -> DescriptionConfig:
    config = DescriptionConfig.from_values(settings)
    if config.writer == "none":
        raise InputError("Nobody is named who could write; give --model NAME.")
    return config


def _endpoint(url: str | None, key: str | None) -> Endpoint:
    if key and not url:
        raise InputError("A key was given without the URL it opens; give both.")
    return Endpoint.at(url, key) if url and key else Endpoint.from_environment(url)


def _prices(prices: tuple[float, float] | None) -> Prices | None:
    return None if prices is None else Prices.from_values({"prompt": prices[0], "answer": prices[1]})


def _facts(dataset: Dataset, config: DescriptionConfig, found: Sequence[ItemAnswer]) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "writer": config.writer,
        "model": config.model,
        "items": len(found),
        "states": dict(Counter(answer.state for answer in found)),
    }


def _chosen(rows: list[dict[str, Any]], items: list[str] | None) -> list[dict[str, Any]]:
    if items is None:
        return rows
    by_id = {row["item_id"]: row for row in rows}
    for item in items:
        if item not in by_id:
            raise InputError(f"There is no item {item!r} in this dataset; `descriptions show` lists them.")
    return [by_id[item] for item in items]

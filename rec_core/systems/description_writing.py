"""Have a language model describe a dataset's items: what is asked about each, where answers are, what came.

Paper: RALLRec section 2.2.1: a language model writes a description per item from an aspect-listed prompt.
Differs from the authors' code: every item is asked about (their loop counts from 0 where ids begin at 1, and
leaves one film out); answers that are cut or empty are told apart; items without a known title are not asked
about.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from rec_core.llm.endpoint import Endpoint
from rec_core.llm.endpoint_writer import EndpointConfig, EndpointWriter
from rec_core.llm.local_writer import LocalConfig, LocalWriter
from rec_core.llm.text_encoder import weights_stamp
from rec_core.llm.writer import Answer, Ask, SamplingConfig, Writer, cleaned
from rec_core.llm.writing import Plan, write_left
from rec_core.llm.writing_estimate import Prices, estimate
from rec_core.prompts.description import FACTS, description_prompt
from rec_core.store import Workspace, content_hash
from rec_core.types import Dataset, InputError, Progress

STAGE = "descriptions"
LACKING, NAMELESS = "not written", "no title"
_KEY_LENGTH = 32


class DescriptionConfig(SamplingConfig):
    """Who describes the items, and how."""

    writer: Literal["none", "local", "endpoint"] = Field(
        "none",
        description="'none': the dataset's own text; 'local': a language model of this machine; 'endpoint': "
        "an OpenAI-compatible server.",
    )
    model: str = Field(
        "", description="A folder or hub name (local), or what the server calls its model (endpoint)."
    )
    words: int = Field(80, ge=10, le=1000, description="A description is asked to stay below this many.")
    own_text: bool = Field(
        True, description="Show the model the catalogue's own description too, where there is one."
    )
    seed: int = Field(0, ge=0, description="Of a local model's random draws; servers draw as they like.")
    local: LocalConfig = Field(LocalConfig(), description="How a local model is loaded and batched.")
    endpoint: EndpointConfig = Field(EndpointConfig(), description="How a server is asked.")

    @model_validator(mode="after")
    def _has_a_model(self) -> Self:
        if (self.writer == "none") != (not self.model.strip()):
            raise ValueError("a writer other than 'none' needs a model, and 'none' takes none")
        return self


@dataclass(frozen=True)
class ItemAnswer:
    """What came of asking about one item.

    `state` is an answer's ("written", "cut", "empty", "refused"), `LACKING`, or `NAMELESS`: never asked.
    `text` is what the model wrote, cleaned; "" where there is nothing.
    """

    state: str
    text: str = ""


def write(
    dataset: Dataset,
    config: DescriptionConfig,
    workspace: Workspace,
    progress: Progress,
    endpoint: Endpoint | None = None,
    *,
    again: bool = False,
    limit: int | None = None,
    plan: Plan | None = None,
) -> dict[str, Answer]:
    """Have the writer write what is not on disk yet, and return all answers by key (`llm.writing`).

    Args:
        dataset: whose items.
        config: a writer other than "none".
        workspace: holds the answers.
        progress: called after every answer; may raise `Cancelled`.
        endpoint: whom a writer "endpoint" asks.
        again: ask once more where an answer is cut, empty or refused.
        limit: ask at most this many.
        plan: the estimate that progress tells; None = one without prices.

    Raises:
        InputError: read-only workspace, another process at it, or the writer cannot go on.
    """
    workspace.check_writable()
    asks = [ask for ask in asks_of(dataset, config) if ask is not None]
    folder, settings = answers_folder(config, workspace), settings_of(config)
    writer, told = _writer(config, endpoint), plan or plan_of(config)
    return write_left(asks, writer, folder, settings, told, progress, STAGE, again=again, limit=limit)


def asks_of(dataset: Dataset, config: DescriptionConfig) -> list[Ask | None]:
    """Return what is asked about each item (I,); None for one whose id stands for its title."""
    table = dataset.catalogue.table
    names = [name for name in FACTS if name in table.columns and (config.own_text or name != "description")]
    columns = [table[name].astype("string").fillna("").tolist() for name in names]
    settings = settings_of(config)
    asks: list[Ask | None] = []
    for item_id, *cells in zip(table["item_id"].astype(str), *columns, strict=True):
        facts = dict(zip(names, cells, strict=True))
        prompt = description_prompt(facts, dataset.item_noun, config.words)
        nameless = facts["title"].strip() in ("", item_id)
        asks.append(None if nameless else Ask(content_hash(settings, prompt, length=_KEY_LENGTH), prompt))
    return asks


def item_answers(
    dataset: Dataset, config: DescriptionConfig, answers: Mapping[str, Answer]
) -> list[ItemAnswer]:
    """Return what came of asking about each item (I,).

    Args:
        dataset: whose items.
        config: how they were asked about.
        answers: by key, as `write` returns them.
    """
    found = []
    for ask in asks_of(dataset, config):
        answer = answers.get(ask.key) if ask else None
        if answer is None:
            found.append(ItemAnswer(LACKING if ask else NAMELESS))
        else:
            found.append(ItemAnswer(answer.state, cleaned(answer.text)))
    return found


def settings_of(config: DescriptionConfig) -> dict[str, Any]:
    """Return what decides an answer beside its prompt: writer, model, sampling, a local model's weights."""
    names = ["writer", "model", *SamplingConfig.model_fields]
    settings = {name: getattr(config, name) for name in names}
    if config.writer == "local":
        settings["seed"] = config.seed
        settings["precision"] = config.local.precision
        settings["weights"] = weights_stamp(config.model)
    return settings


def answers_folder(config: DescriptionConfig, workspace: Workspace) -> Path:
    """Return where the answers of this model under this sampling are kept, whatever the dataset."""
    return workspace.cache_path("descriptions", settings_of(config))


def plan_of(
    config: DescriptionConfig, prices: Prices | None = None, seconds_each: float | None = None
) -> Plan:
    """Return the function that estimates what asks will take (`llm.writing_estimate.estimate`)."""
    return partial(
        estimate,
        words=config.words,
        max_new_tokens=config.max_new_tokens,
        at_once=config.endpoint.concurrency if config.writer == "endpoint" else 1,
        prices=prices,
        seconds_each=seconds_each,
    )


def write_command(data: str, config: DescriptionConfig) -> str:
    """Return the command that writes what is missing for exactly this config."""
    words = ["python", "-m", "rec_core", "descriptions", "write", data]
    words += ["--model", config.model, "--writer", config.writer]
    for name, value in _leaves(config.model_dump(exclude_defaults=True, exclude={"writer", "model"})):
        words += ["--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
    return shlex.join(words)


def _leaves(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return (dotted name, value) of every field in nested values."""
    found = []
    for name, value in values.items():
        whole = f"{prefix}{name}"
        found += _leaves(value, f"{whole}.") if isinstance(value, Mapping) else [(whole, value)]
    return found


def _writer(config: DescriptionConfig, endpoint: Endpoint | None) -> Writer:
    if config.writer == "local":
        return LocalWriter(config.model, config, config.seed, config.local)
    if config.writer == "endpoint" and endpoint is not None:
        return EndpointWriter(endpoint, config.model, config, config.endpoint)
    raise InputError(f"The writer {config.writer!r} has nobody to ask; take 'local', or name an endpoint.")

"""Train the embedded language model on one dataset: the documents it learns from, cached by their content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from rec_core.data.candidates import candidate_sets
from rec_core.data.histories import HistoryStore
from rec_core.data.interactions import subset
from rec_core.llm.sample_lm import SampleLMConfig, train_sample_lm
from rec_core.prompts.choice import LETTERS, choice_prompt
from rec_core.prompts.corpus import behaviour, fact_question, item_facts
from rec_core.seeding import numpy_generator
from rec_core.store import Workspace, content_hash
from rec_core.systems.prompting import Prompter
from rec_core.types import Dataset, Progress

CHOICE_CANDIDATES = 5
_CHOICE_HISTORY = 8
_WINDOW = 30
_ASKED = {"genres": "genre", "author": "author", "developer": "developer", "brand": "brand"}


def sample_backbone(
    dataset: Dataset,
    train_rows: np.ndarray,
    config: SampleLMConfig,
    workspace: Workspace,
    work: Path,
    seed: int,
    progress: Progress,
) -> Path:
    """Return the folder of the embedded model for this dataset, trained once per content.

    Several processes share the training; all must call it.

    Args:
        dataset: catalogue and behaviour.
        train_rows: rows of the interactions the model may read; later ones stay unseen.
        config: architecture and training.
        workspace: where the finished model is cached.
        work: where checkpoints of an unfinished training live.
        seed: decides weights, order and the documents' random parts.
        progress: called at every step.
    """
    texts = documents(dataset, train_rows, seed)
    key = {"config": config.model_dump(mode="json"), "seed": seed, "texts": content_hash(texts)}
    return workspace.cached(
        "sample_lm", key, lambda folder: train_sample_lm(texts, config, folder, work, seed, progress)
    )


def documents(dataset: Dataset, train_rows: np.ndarray, seed: int) -> list[str]:
    """Return what the model reads: item facts, questions on them, rated histories and next-item choices.

    The questions, which teach what yes and no are, are about genres, or where a catalogue has none about
    authors, developers or brands.
    """
    prompter = Prompter(dataset)
    return [
        *_item_documents(dataset, prompter, seed),
        *_behaviour_documents(dataset, prompter, train_rows),
        *_choice_documents(dataset, prompter, train_rows, seed),
    ]


def _item_documents(dataset: Dataset, prompter: Prompter, seed: int) -> list[str]:
    rng = numpy_generator(seed, "sample_lm", "genre questions")
    table = dataset.catalogue.table
    genres = _listed(table, "genres")
    asked = next((column for column in _ASKED if any(_listed(table, column))), "genres")
    fact, facts = _ASKED[asked], _listed(table, asked)
    every = sorted({value for row in facts for value in row})
    texts = []
    rows = zip(prompter.titles, genres, table["description"].fillna(""), facts, strict=True)
    for title, kinds, description, own in rows:
        texts.append(item_facts(title, kinds, description))
        others = [value for value in every if value not in own]
        for value in own:
            texts.append(fact_question(title, fact, value, True))
            if others:
                texts.append(fact_question(title, fact, others[rng.integers(len(others))], False))
    return texts


def _listed(table: pd.DataFrame, column: str) -> list[list[str]]:
    """Return each item's values of a column that parts them by "|", none where there is no such column."""
    if column not in table.columns:
        return [[] for _ in range(len(table))]
    return [[value for value in str(text).split("|") if value] for text in table[column].fillna("")]


def _behaviour_documents(dataset: Dataset, prompter: Prompter, train_rows: np.ndarray) -> list[str]:
    histories = HistoryStore(dataset.interactions)
    lengths = np.bincount(dataset.interactions.user_nums[train_rows], minlength=dataset.interactions.n_users)
    texts = []
    for user in range(dataset.interactions.n_users):
        pairs = prompter.pairs(histories.of(user, int(lengths[user])))
        for start in range(0, len(pairs), _WINDOW):
            shown = pairs[start : start + _WINDOW]
            texts.append(behaviour(prompter.profile(user), shown, dataset.item_noun, prompter.in_time))
    return texts


def _choice_documents(dataset: Dataset, prompter: Prompter, train_rows: np.ndarray, seed: int) -> list[str]:
    rng = numpy_generator(seed, "sample_lm", "choices")
    interactions = dataset.interactions
    histories = HistoryStore(interactions)
    lengths = np.bincount(interactions.user_nums[train_rows], minlength=interactions.n_users)
    n_wrong = CHOICE_CANDIDATES - 1
    pairs = np.unique(
        np.stack([interactions.user_nums[train_rows], interactions.item_nums[train_rows]]), axis=1
    )
    unseen = interactions.n_items - np.bincount(pairs[0], minlength=interactions.n_users)
    users = np.flatnonzero((lengths > _CHOICE_HISTORY) & (unseen >= n_wrong))
    others = candidate_sets(subset(interactions, train_rows), users, n_wrong, seed)
    texts = []
    for user, wrong in zip(users, others, strict=True):
        history = histories.of(int(user), int(lengths[user]))
        at = int(rng.integers(_CHOICE_HISTORY, len(history)))
        slot = int(rng.integers(CHOICE_CANDIDATES))
        candidates = np.insert(wrong, slot, history.item_nums[at])
        prompt = choice_prompt(
            prompter.profile(int(user)),
            prompter.pairs(history)[at - _CHOICE_HISTORY : at],
            [prompter.titles[i] for i in candidates],
            dataset.item_noun,
            prompter.in_time,
        )
        texts.append(f"{prompt} {LETTERS[slot]}")
    return texts

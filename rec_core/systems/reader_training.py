"""Train a reader: language model, instruction tuning, and the comparison of its arms on the test questions.

Every step leaves its result in the run folder (or in the cache, named by content), so that a resumed run
repeats nothing that was finished and continues the step it was in from that step's checkpoint. Several
processes share the training of language models and the scoring of prompts; the main one writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.device import set_threads
from rec_core.llm.backbone import is_local, load_backbone
from rec_core.llm.causal_trainer import TokenRow
from rec_core.llm.lora import check_learned
from rec_core.processes import by_main
from rec_core.retrieval.quality import label_agreement, random_quality, retrieval_quality
from rec_core.seeding import numpy_generator
from rec_core.store import Workspace, read_json, write_json, write_table
from rec_core.systems.arms import compare_arms
from rec_core.systems.evidence import select_evidence
from rec_core.systems.kept_logits import kept_logits
from rec_core.systems.like_questions import Parts, requests_of
from rec_core.systems.like_tuning import tune, tuning_rows
from rec_core.systems.prompt_fitting import fitted_prompt
from rec_core.systems.reader import Arm, Reader
from rec_core.systems.retrievers import Retriever
from rec_core.systems.sample_backbone import sample_backbone
from rec_core.types import CTRSamples, EvidenceItem, Progress, ProgressEvent, ScoreRequest

_PUBLISHED_TEST_ROWS = 10_000
_PUBLISHED_SELECTION_ROWS = 1_000


def train_reader(
    open_system: Callable[[], Reader],
    parts: Parts,
    folder: Path,
    workspace: Workspace,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Give a run with views its language model and its adapter, score its arms, and return the metrics.

    Args:
        open_system: opens the run as far as it is; called again once it has been tuned.
        parts: the like questions and their cut.
        folder: the run's folder; what is already there is kept and continued.
        workspace: holds the cache.
        seed: the run's seed.
        progress: called at every step; may raise `Cancelled`.

    Returns:
        {"arms", "main_arm", "differences", "retrieval", "adapter_delta", "n_test_rows", "precision",
        "text_source"}, as written to metrics.json; `adapter_delta` is None where nothing is tuned,
        `text_source` where there is no text view. The same in every one of several processes.
    """
    system = open_system()
    set_threads(system.config.n_threads)
    _give_backbone(system, parts, folder, workspace, seed, progress)
    delta = _tune(system, parts, folder, seed, progress)
    system = open_system()
    samples = questions_of_test(parts, system.config)
    arms = system.arms()
    if not system.config.compare_arms:
        arms = {system.main_arm: arms[system.main_arm]}
    predictions = score_arms(system, samples, arms, seed, progress)
    by_main(lambda: _write_result(system, predictions, list(arms), delta, folder, seed))
    metrics: dict[str, Any] = read_json(folder / "metrics.json")
    return metrics


def _write_result(
    system: Reader, predictions: pd.DataFrame, arms: list[str], delta: float | None, folder: Path, seed: int
) -> None:
    """Write predictions.parquet, and metrics.json with what `train_reader` returns."""
    write_table(folder / "predictions.parquet", predictions)
    metrics = {
        **compare_arms(predictions, system.main_arm, seed),
        "retrieval": retrieval_means(predictions, arms),
        "adapter_delta": delta,
        "n_test_rows": len(predictions),
        "precision": system.backbone.choice.reason,
        "text_source": system.views["text"].source if "text" in system.views else None,
    }
    write_json(folder / "metrics.json", metrics)


def _give_backbone(
    system: Reader, parts: Parts, folder: Path, workspace: Workspace, seed: int, progress: Progress
) -> None:
    """Write backbone.json: where the language model is, trained first where it is the embedded one."""
    config = system.config
    name = found = config.backbone.name
    if config.uses_sample_lm:
        work = folder / "checkpoints" / "sample_lm"
        found = str(
            sample_backbone(
                system.dataset, parts.train_rows, config.sample_lm, workspace, work, seed, progress
            )
        )
    local = is_local(found)  # relative to the run, so that a workspace can be moved
    place = os.path.relpath(found, folder) if local else found
    facts = {"name": name, "local": local, "folder": place}
    by_main(lambda: write_json(folder / "backbone.json", facts))


def _tune(system: Reader, parts: Parts, folder: Path, seed: int, progress: Progress) -> float | None:
    """Write the adapter unless it is there, and return the norm of what was learned."""
    shown, adapter = system.tuning_shows(), folder / "adapter"
    if not shown:
        return None
    if adapter.is_dir():
        return check_learned(adapter)
    config, dataset = system.config, system.dataset
    backbone = load_backbone(system.backbone_folder, config.backbone.precision)
    progress(ProgressEvent("tuning", 0, 1, backbone.choice.reason))

    def rows_of(samples: CTRSamples, retrievers: list[Retriever]) -> list[TokenRow]:
        return tuning_rows(
            system.prompter,
            backbone,
            requests_of(dataset, samples),
            samples.labels,
            retrievers,
            config.n_shown,
            config.backbone.max_length,
            "double_bos" in config.quirks,
        )

    rows = rows_of(draw_shots(parts, config.tuning.n_shots, seed), shown)
    looked_at = selection_questions(parts, config, seed)
    validation = rows_of(looked_at, shown[:1]) if len(looked_at) else None
    work = folder / "checkpoints" / "tuning"
    return tune(backbone, rows, config.tuning, adapter, work, seed, progress, validation)


def draw_shots(parts: Parts, n_shots: int, seed: int) -> CTRSamples:
    """Return the training questions tuned on: the first of a seeded order, so fewer shots lie in more."""
    order = numpy_generator(seed, "tuning", "shots").permutation(parts.split.train)
    return parts.samples.take(order[:n_shots])


def selection_questions(parts: Parts, config: Any, seed: int) -> CTRSamples:
    """Return the questions whose loss chooses the adapter's weights: a sample of validation, perhaps empty.

    With the switch `test_set_selection` they are the first of the test period, as published.
    """
    if "test_set_selection" in config.quirks:
        return parts.samples.take(parts.split.test[:_PUBLISHED_SELECTION_ROWS])
    order = numpy_generator(seed, "tuning", "validation").permutation(parts.split.valid)
    return parts.samples.take(np.sort(order[: config.tuning.n_validation]))


def questions_of_test(parts: Parts, config: Any) -> CTRSamples:
    """Return the test questions that are scored: all, a sample, or the first as published.

    Every seed draws the same sample, so that runs are compared on the same rows.
    """
    test = parts.split.test
    if "first_10000_rows" in config.quirks:
        test = test[:_PUBLISHED_TEST_ROWS]
    if 0 < config.n_test < len(test):
        test = np.sort(numpy_generator(0, "test rows").choice(test, config.n_test, replace=False))
    return parts.samples.take(test)


def score_arms(
    system: Reader, samples: CTRSamples, arms: dict[str, Arm], seed: int, progress: Progress
) -> pd.DataFrame:
    """Score questions under every arm, and measure each arm's evidence.

    Returns:
        One row per question: row, user_num, item_num, label. For each arm p_<arm>; mass_<arm>, what the model
        gives to yes and no together; <view>_cosine_<arm>, the mean cosine of the evidence to the target in
        each view; label_agreement_<arm>, the share of evidence that was liked as the target was. And
        <view>_cosine_random for as many random history items. Several processes share the scoring of
        prompts (`kept_logits`), and each returns all rows.
    """
    requests = requests_of(system.dataset, samples)
    columns: dict[str, Any] = {
        "row": samples.rows,
        "user_num": samples.user_nums,
        "item_num": samples.item_nums,
        "label": samples.labels,
    }
    for name, arm in arms.items():
        evidence = select_evidence(requests, arm.retriever, arm.top_k or system.config.n_shown)
        logits = _logits(system, requests, arm, evidence, progress, name)
        columns[f"p_{name}"] = system.probs(logits)
        columns[f"mass_{name}"] = np.exp(logits[:, 2].astype(np.float64))
        chosen = [np.array([item.item_num for item in e], dtype=np.int64) for e in evidence]
        for view, table in system.views.items():
            columns[f"{view}_cosine_{name}"] = retrieval_quality(table.values, samples.item_nums, chosen)
        threshold = system.dataset.like_threshold
        columns[f"label_agreement_{name}"] = label_agreement(evidence, samples.labels, threshold)
    histories = [request.history for request in requests]
    for view, table in system.views.items():
        columns[f"{view}_cosine_random"] = random_quality(
            table.values, samples.item_nums, histories, system.config.n_shown, seed
        )
    progress(ProgressEvent("comparing arms", 1, 1))
    return pd.DataFrame(columns)


def retrieval_means(predictions: pd.DataFrame, arms: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the mean of each measure of evidence by arm, "random" included where there are views."""
    measures = ("text_cosine", "id_cosine", "aligned_cosine", "label_agreement")
    return {
        arm: {
            measure: float(predictions[f"{measure}_{arm}"].mean())
            for measure in measures
            if f"{measure}_{arm}" in predictions
        }
        for arm in (*arms, "random")
    }


def _logits(
    system: Reader,
    requests: list[ScoreRequest],
    arm: Arm,
    evidence: list[tuple[EvidenceItem, ...]],
    progress: Progress,
    name: str,
) -> np.ndarray:
    """Return the logits of an arm's prompts with the mass of the answers (B, 3), kept in the run's folder."""
    tokenizer, limit = system.backbone.tokenizer, system.config.backbone.max_length
    prompts = [
        fitted_prompt(system.prompter, tokenizer, request, items, arm.retriever.order, limit).text
        for request, items in zip(requests, evidence, strict=True)
    ]

    def score(some: Sequence[str], report: Progress) -> np.ndarray:
        return system.logits(some, arm.tuned, report, mass=True)

    folder = system.folder / "scores" / ("tuned" if arm.tuned else "untuned")
    return kept_logits(prompts, score, folder, progress, f"scoring {name}")

"""Train a reader: language model, instruction tuning, and the comparison of its arms on the test questions.

Every step leaves its result in the run folder (or in the cache, named by content), so that a resumed run
repeats nothing that was finished and continues the step it was in from that step's checkpoint.
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
from rec_core.llm.lora import check_learned
from rec_core.llm.yes_no import yes_probs
from rec_core.retrieval.quality import label_agreement, random_quality, retrieval_quality
from rec_core.seeding import numpy_generator
from rec_core.store import Workspace, write_json, write_table
from rec_core.systems.arms import compare_arms
from rec_core.systems.evidence import select_evidence
from rec_core.systems.kept_logits import kept_logits
from rec_core.systems.like_questions import Parts, requests_of
from rec_core.systems.like_tuning import tune, tuning_rows
from rec_core.systems.prompt_fitting import fitted_prompt
from rec_core.systems.reader import Arm, Reader
from rec_core.systems.sample_backbone import sample_backbone
from rec_core.types import CTRSamples, Progress, ProgressEvent

_PUBLISHED_TEST_ROWS = 10_000


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
        {"arms", "main_arm", "differences", "retrieval", "adapter_delta", "n_test_rows", "precision"}, also
        written to metrics.json; `adapter_delta` is None where nothing is tuned.
    """
    system = open_system()
    set_threads(system.config.n_threads)
    _give_backbone(system, parts, folder, workspace, seed, progress)
    delta = _tune(system, parts, folder, seed, progress)
    system = open_system()
    samples = questions_of_test(parts, system.config)
    predictions, quality = score_arms(system, samples, system.arms(), seed, progress)
    write_table(folder / "predictions.parquet", predictions)
    metrics = {
        **compare_arms(predictions, system.main_arm, seed),
        "retrieval": quality,
        "adapter_delta": delta,
        "n_test_rows": len(predictions),
        "precision": system.backbone.choice.reason,
    }
    write_json(folder / "metrics.json", metrics)
    return metrics


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
    write_json(folder / "backbone.json", {"name": name, "local": local, "folder": place})


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
    drawn = draw_shots(parts, config.tuning.n_shots, seed)
    rows = tuning_rows(
        system.prompter,
        backbone,
        requests_of(dataset, drawn),
        drawn.labels,
        shown,
        config.n_shown,
        config.backbone.max_length,
        "double_bos" in config.quirks,
    )
    return tune(backbone, rows, config.tuning, adapter, folder / "checkpoints" / "tuning", seed, progress)


def draw_shots(parts: Parts, n_shots: int, seed: int) -> CTRSamples:
    """Return the training questions tuned on: the first `n_shots` of a seeded order, so that fewer lie in more."""
    order = numpy_generator(seed, "tuning", "shots").permutation(parts.split.train)
    return parts.samples.take(order[:n_shots])


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
) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """Score questions under every arm, and say how close each arm's evidence is to its target.

    Returns:
        One row per question (row, user_num, item_num, label, and p_<arm> for each arm), and by arm the mean
        cosine to the target in each view and the share of evidence whose like equals the target's label.
    """
    config = system.config
    requests = requests_of(system.dataset, samples)
    columns: dict[str, Any] = {
        "row": samples.rows,
        "user_num": samples.user_nums,
        "item_num": samples.item_nums,
        "label": samples.labels,
    }
    quality: dict[str, dict[str, float]] = {}
    limit = config.backbone.max_length
    for name, arm in arms.items():

        def score(some: Sequence[str], report: Progress, tuned: bool = arm.tuned) -> np.ndarray:
            return system.logits(some, tuned, report)

        evidence = select_evidence(requests, arm.retriever, arm.top_k or config.n_shown)
        prompts = [
            fitted_prompt(system.prompter, system.backbone.tokenizer, r, e, arm.retriever.order, limit).text
            for r, e in zip(requests, evidence, strict=True)
        ]
        logits = kept_logits(
            prompts,
            score,
            system.folder / "scores" / ("tuned" if arm.tuned else "untuned"),
            progress,
            f"scoring {name}",
        )
        columns[f"p_{name}"] = yes_probs(logits)
        chosen = [np.array([item.item_num for item in e], dtype=np.int64) for e in evidence]
        quality[name] = {
            **_closeness(system, samples, chosen),
            "label_agreement": label_agreement(evidence, samples.labels, system.dataset.like_threshold),
        }
    histories = [request.history for request in requests]
    for view, table in system.views.items():
        random = random_quality(table.values, samples.item_nums, histories, config.n_shown, seed)
        quality.setdefault("random", {})[f"{view}_cosine"] = float(np.nanmean(random))
    progress(ProgressEvent("comparing arms", 1, 1))
    return pd.DataFrame(columns), quality


def _closeness(system: Reader, samples: CTRSamples, chosen: list[np.ndarray]) -> dict[str, float]:
    return {
        f"{view}_cosine": float(np.nanmean(retrieval_quality(table.values, samples.item_nums, chosen)))
        for view, table in system.views.items()
    }

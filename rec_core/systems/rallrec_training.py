"""Train a RALLRec: samples, three views, language model, instruction tuning, and the comparison on test rows.

Every step leaves its result in the run folder (or in the cache, named by content), so that a resumed run
repeats nothing that was finished and continues the step it was in from that step's checkpoint.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.device import set_threads
from rec_core.llm.backbone import is_local, load_backbone
from rec_core.llm.lora import check_learned
from rec_core.llm.yes_no import yes_probs
from rec_core.retrieval.mixture import mix
from rec_core.retrieval.quality import random_quality, retrieval_quality
from rec_core.seeding import numpy_generator
from rec_core.store import Workspace, read_tensors, write_json, write_table, write_tensors
from rec_core.systems.aligned_view import train_aligned_view
from rec_core.systems.arms import compare_arms
from rec_core.systems.behaviour_view import load_behaviour_view, train_behaviour_view
from rec_core.systems.evidence import Retriever, select_evidence
from rec_core.systems.like_questions import Parts, requests_of
from rec_core.systems.like_tuning import tune, tuning_rows
from rec_core.systems.prompt_fitting import fitted_prompt
from rec_core.systems.rallrec import RALLRec, RALLRecConfig, uses_sample_lm
from rec_core.systems.sample_backbone import sample_backbone
from rec_core.systems.text_view import text_view
from rec_core.types import Dataset, EmbeddingTable, Progress, ProgressEvent


def fit(
    dataset: Dataset, config: RALLRecConfig, folder: Path, workspace: Workspace, seed: int, progress: Progress
) -> dict[str, Any]:
    """Train into `folder` and return the metrics, also written to metrics.json.

    Args:
        dataset: what to learn from.
        config: how.
        folder: the run's folder; what is already there is kept and continued.
        workspace: holds the cache.
        seed: the run's seed.
        progress: called at every step; may raise `Cancelled`.

    Returns:
        {"arms", "differences", "retrieval", "adapter_delta", "n_test_rows", "precision"}.
    """
    set_threads(1)  # small nets: a second thread gains nothing and collapses beside another busy process
    parts = Parts.of(dataset, config.min_history)
    work = folder / "checkpoints"
    learn_views(dataset, parts, config, folder, workspace, work, seed, progress)
    set_threads(config.n_threads)
    name = config.backbone.name
    if uses_sample_lm(config):
        name = str(
            sample_backbone(
                dataset, parts.train_rows, config.sample_lm, workspace, work / "sample_lm", seed, progress
            )
        )
    write_json(folder / "backbone.json", _backbone_record(config.backbone.name, name, folder))
    delta = _tune(dataset, parts, config, folder, work, seed, progress)
    system = load(dataset, config, folder)
    predictions, quality = _score_test(system, parts, seed, progress)
    write_table(folder / "predictions.parquet", predictions)
    metrics = {
        **compare_arms(predictions, seed),
        "retrieval": quality,
        "adapter_delta": delta,
        "n_test_rows": len(predictions),
        "precision": system.backbone.choice.reason,
    }
    write_json(folder / "metrics.json", metrics)
    return metrics


def _backbone_record(name: str, found: str, folder: Path) -> dict[str, Any]:
    """Return where the backbone is: relative to the run for a folder, so that a workspace can be moved."""
    local = is_local(found)
    return {"name": name, "local": local, "folder": os.path.relpath(found, folder) if local else found}


def load(dataset: Dataset, config: RALLRecConfig, folder: Path) -> RALLRec:
    """Open a trained run; the language model itself is read at its first use."""
    behaviour = load_behaviour_view(folder)
    tensors = read_tensors(folder / "views.safetensors")
    every = np.ones(len(dataset.catalogue), dtype=bool)
    views = {
        "id": behaviour.items,
        "text": EmbeddingTable(
            "text", tensors["text"], every, f"title || description by {config.encoder.name}"
        ),
        "aligned": EmbeddingTable("aligned", tensors["aligned"], every, "text projected into the ID space"),
    }
    return RALLRec(dataset, config, folder, views, behaviour.users, tensors["popularity"])


def learn_views(
    dataset: Dataset,
    parts: Parts,
    config: RALLRecConfig,
    folder: Path,
    workspace: Workspace,
    work: Path,
    seed: int,
    progress: Progress,
) -> None:
    """Section 2.2: write the ID, text and aligned views to `folder`."""
    if (folder / "views.safetensors").exists():
        return
    text = text_view(dataset, config.encoder, workspace, progress)
    interactions = dataset.interactions
    if not (folder / "behaviour.safetensors").exists():
        train_behaviour_view(
            interactions,
            parts.train_rows,
            parts.valid_rows,
            dataset.like_threshold,
            config.behaviour,
            folder,
            work / "behaviour",
            seed,
            progress,
        )
    behaviour = load_behaviour_view(folder)
    aligned = train_aligned_view(text, behaviour.items, config.alignment, work / "aligned", seed, progress)
    popularity = np.bincount(interactions.item_nums[parts.train_rows], minlength=interactions.n_items)
    write_tensors(
        folder / "views.safetensors",
        {"text": text.values, "aligned": aligned.values, "popularity": popularity.astype(np.int64)},
    )


def retrievers(system: RALLRec) -> dict[str, Retriever]:
    """Return the compared ways of finding evidence, all read by the same tuned model but zero-shot.

    Differs from paper: table 1 tunes a model per method; here one tuned model reads every arm's prompts, as
    in the paper's table 4, so that the arms differ in evidence alone.
    """
    views, shift = system.views, system.shift
    concatenation = mix([views["text"], views["id"]]).values
    return {
        "zero_shot": Retriever(None, "chronological"),
        "recent": Retriever(None, "chronological"),
        "text_retrieval": Retriever(views["text"].values, "chronological", shift=shift),
        "id_retrieval": Retriever(views["id"].values, "relevance", shift=shift),
        "concatenation": Retriever(concatenation, "relevance", shift=shift, metric="dot"),
        "rallrec": system.retriever,
    }


def _tune(
    dataset: Dataset,
    parts: Parts,
    config: RALLRecConfig,
    folder: Path,
    work: Path,
    seed: int,
    progress: Progress,
) -> float:
    adapter = folder / "adapter"
    if adapter.is_dir():
        return check_learned(adapter)
    system = load(dataset, config, folder)
    backbone = load_backbone(system.backbone_folder, config.backbone.precision)
    progress(ProgressEvent("tuning", 0, 1, backbone.choice.reason))
    shots = numpy_generator(seed, "tuning", "shots").permutation(parts.split.train)[: config.tuning.n_shots]
    drawn = parts.samples.take(shots)
    rows = tuning_rows(
        system.prompter,
        backbone,
        requests_of(dataset, drawn),
        drawn.labels,
        system.views["text"].values,
        config.tuning.augmentation,
        config.reranker.top_k,
        config.backbone.max_length,
    )
    return tune(backbone, rows, config.tuning, adapter, work / "tuning", seed, progress)


def _score_test(
    system: RALLRec, parts: Parts, seed: int, progress: Progress
) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """Score a seeded sample of the test rows under every arm, and say how close evidence is to its target."""
    config, dataset = system.config, system.dataset
    test = parts.split.test
    if 0 < config.n_test < len(test):
        test = np.sort(numpy_generator(seed, "test rows").choice(test, config.n_test, replace=False))
    samples = parts.samples.take(test)
    requests = requests_of(dataset, samples)
    columns: dict[str, Any] = {
        "row": samples.rows,
        "user_num": samples.user_nums,
        "item_num": samples.item_nums,
        "label": samples.labels,
    }
    quality: dict[str, dict[str, float]] = {}
    text, limit = system.views["text"].values, config.backbone.max_length
    for arm, retriever in retrievers(system).items():
        evidence = select_evidence(requests, retriever, config.reranker.top_k)
        prompts = [
            fitted_prompt(system.prompter, system.backbone.tokenizer, r, e, retriever.order, limit).text
            for r, e in zip(requests, evidence, strict=True)
        ]
        logits = system.logits(prompts, tuned=arm != "zero_shot", progress=progress, stage=f"scoring {arm}")
        columns[f"p_{arm}"] = yes_probs(logits)
        chosen = [np.array([item.item_num for item in e], dtype=np.int64) for e in evidence]
        quality[arm] = {"text_cosine": float(np.nanmean(retrieval_quality(text, samples.item_nums, chosen)))}
    histories = [request.history for request in requests]
    random = random_quality(text, samples.item_nums, histories, config.reranker.top_k, seed)
    quality["random"] = {"text_cosine": float(np.nanmean(random))}
    progress(ProgressEvent("comparing arms", 1, 1))
    return pd.DataFrame(columns), quality

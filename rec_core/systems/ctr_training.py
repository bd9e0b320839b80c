"""Train a CTR baseline, judge it on the test questions, and open it again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from rec_core.data.fields import Fields, by_user, make_fields, windows_of
from rec_core.device import set_threads
from rec_core.metrics.ctr import auc
from rec_core.nets.autoint import AutoInt
from rec_core.nets.dcn import DCN
from rec_core.nets.dcn_v2 import DCNv2
from rec_core.nets.deepfm import DeepFM
from rec_core.nets.field_embedding import FieldNet, FieldSizes
from rec_core.nets.xdeepfm import XDeepFM
from rec_core.objectives.click import Click, FieldReader
from rec_core.processes import is_main
from rec_core.seeding import numpy_generator, torch_generator
from rec_core.store import Workspace, read_json, read_tensors, write_json, write_table, write_tensors
from rec_core.systems.ctr_baselines import CTRBaselines, CTRBaselinesConfig, field_reader, field_sizes, likes
from rec_core.systems.ctr_report import ctr_metrics
from rec_core.systems.like_questions import CUT, Parts
from rec_core.training.loop import run_epochs
from rec_core.types import CTRSamples, Dataset, Progress, ProgressEvent, Questions

_FILE = "model.safetensors"
_FIELDS = "fields"
_STAGE = "CTR net"


def fit(
    dataset: Dataset,
    config: CTRBaselinesConfig,
    folder: Path,
    workspace: Workspace,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Train into `folder`, score every test question, and return what is also written to metrics.json.

    Args:
        dataset: what to learn from.
        config: how.
        folder: the run's folder; what is already there is continued.
        workspace: unused; nothing here is worth sharing between runs.
        seed: the run's seed.
        progress: called at every step; may raise `Cancelled`.

    Returns:
        {"metrics": {name: interval}, "main_arm", "validation", "protocol", "n_test_rows", "n_train_rows"}; {}
        in any but the main of several processes.
    """
    parts = Parts.of(dataset, config.min_history)
    train = _train_index(parts, config.n_shots, seed)
    value = _train(dataset, config, parts, train, folder, seed, progress)
    if not is_main():
        return {}
    progress(ProgressEvent("evaluation", 0, 1))
    system = load(dataset, config, folder)
    test = parts.samples.take(parts.split.test)
    probs = likes(system.net, _dataset_reader(dataset, system.fields, config), _places(dataset, test, config))
    columns = {"row": test.rows, "user_num": test.user_nums, "item_num": test.item_nums, "label": test.labels}
    write_table(folder / "predictions.parquet", pd.DataFrame({**columns, f"p_{config.model}": probs}))
    metrics = {
        "metrics": ctr_metrics(test.labels, probs, test.user_nums, seed),
        "main_arm": config.model,
        "validation": {"metric": "auc", "value": value},
        "protocol": _protocol(config, dataset.questions, len(train)),
        "n_test_rows": len(test),
        "n_train_rows": len(train),
    }
    write_json(folder / "metrics.json", metrics)
    progress(ProgressEvent("evaluation", 1, 1))
    return metrics


def validate(
    dataset: Dataset,
    config: CTRBaselinesConfig,
    folder: Path,
    workspace: Workspace,
    seed: int,
    progress: Progress,
) -> float:
    """Train as `fit` does and return the best validation AUC; the test questions are not looked at."""
    parts = Parts.of(dataset, config.min_history)
    return _train(dataset, config, parts, _train_index(parts, config.n_shots, seed), folder, seed, progress)


def load(dataset: Dataset, config: CTRBaselinesConfig, folder: Path) -> CTRBaselines:
    """Open a trained run."""
    fields = _read_fields(folder)
    net = build_net(config, field_sizes(fields), torch_generator(0))
    net.load_state_dict({name: torch.from_numpy(a) for name, a in read_tensors(folder / _FILE).items()})
    return CTRBaselines(dataset, config, fields, net.to(_device()))


def build_net(config: CTRBaselinesConfig, sizes: FieldSizes, weights: torch.Generator) -> FieldNet:
    """Return the untrained net that the config names."""
    base = (sizes, config.embedding_size, config.hidden_sizes)
    if config.model == "xdeepfm":
        return XDeepFM(*base, config.cin_sizes, config.dropout, weights)
    if config.model == "dcn":
        return DCN(*base, config.n_cross_layers, config.dropout, weights)
    if config.model == "dcn_v2":
        return DCNv2(*base, config.n_cross_layers, config.dropout, weights, config.cross_structure)
    if config.model == "autoint":
        shape = (config.attention_size, config.n_attention_layers, config.n_heads)
        return AutoInt(*base, *shape, config.dropout, weights)
    return DeepFM(*base, config.dropout, weights)


def _train(
    dataset: Dataset,
    config: CTRBaselinesConfig,
    parts: Parts,
    train: np.ndarray,
    folder: Path,
    seed: int,
    progress: Progress,
) -> float:
    """Write fields and best weights to `folder` and return the validation AUC; reads no test question."""
    set_threads(config.n_threads)
    questions, valid = parts.samples.take(train), parts.samples.take(parts.split.valid)
    fields = make_fields(dataset, questions, config.history_length, config.leave_out)
    net = build_net(config, field_sizes(fields), torch_generator(seed, "ctr", config.model)).to(_device())
    reader = _dataset_reader(dataset, fields, config)
    places, asked = _places(dataset, questions, config), _places(dataset, valid, config)
    objective = Click(net, reader, places, questions.labels, config.batch_size, config.l2, config.norm_weight)

    def validation_auc() -> float:
        return auc(valid.labels, likes(net, reader, asked))

    state = run_epochs(objective, config.loop, folder / "checkpoints", seed, _STAGE, progress, validation_auc)
    if is_main():
        _write(folder, fields, net)
    return validation_auc() if state.best_value is None else state.best_value


def _write(folder: Path, fields: Fields, net: torch.nn.Module) -> None:
    entries = asdict(fields)
    arrays = {name: value for name, value in entries.items() if isinstance(value, np.ndarray)}
    arrays["known_items"] = arrays["known_items"].astype(np.uint8)
    write_tensors(folder / f"{_FIELDS}.safetensors", arrays)
    write_json(folder / f"{_FIELDS}.json", {k: v for k, v in entries.items() if k not in arrays})
    write_tensors(folder / _FILE, {name: t.cpu().numpy() for name, t in net.state_dict().items()})


def _read_fields(folder: Path) -> Fields:
    facts: dict[str, Any] = read_json(folder / f"{_FIELDS}.json")
    entries: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}
    entries |= read_tensors(folder / f"{_FIELDS}.safetensors")
    return Fields(**entries | {"known_items": entries["known_items"].astype(bool)})


def _train_index(parts: Parts, n_shots: int, seed: int) -> np.ndarray:
    """Return the questions trained on: all, or the first `n_shots` of a seeded order (fewer are a subset)."""
    if not n_shots:
        return parts.split.train
    return numpy_generator(seed, "ctr", "shots").permutation(parts.split.train)[:n_shots]


def _dataset_reader(dataset: Dataset, fields: Fields, config: CTRBaselinesConfig) -> FieldReader:
    rows, order = dataset.interactions, by_user(dataset.interactions)
    return field_reader(fields, rows.item_nums[order], rows.ratings[order], config.history_length, _device())


def _places(dataset: Dataset, samples: CTRSamples, config: CTRBaselinesConfig) -> np.ndarray:
    windows = windows_of(dataset.interactions, samples, config.history_length)
    return np.stack([samples.user_nums, samples.item_nums, windows.ends, windows.lengths], axis=1).astype(
        np.int64
    )


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _protocol(config: CTRBaselinesConfig, questions: Questions, n_train: int) -> str:
    shots = f"{n_train:,} training questions" + (" drawn at random" if config.n_shots else "")
    per_user = "user_auc is the unweighted mean over users with both answers; "
    if questions == "last_of_user":
        per_user = ""  # nobody gives two answers
    return (
        f"Like questions with at least {config.min_history} earlier rows, {CUT[questions]}; "
        f"{shots}, stopped on validation AUC; every test question is scored; {per_user}"
        "intervals resample users."
    )

"""Train one model with RecBole and leave what it took and what it learned: runs in RecBole's own environment.

`python recbole_driver.py JOB.json`; the job is one JSON object:

- `model`: RecBole's name of it; `data`, `dataset`: folder `data/dataset/` with the exported atomic files;
- `mode`: "train_to_stop" (RecBole's early stopping, then the best weights' scores are written) or
  "time_epochs" (`epochs` epochs, each followed by a validation; nothing else is written);
- `epochs`, `seed`, `threads`, `config` (settings that differ from RecBole's), `out` (folder);
- `patience` (optional): validations in a row without a better one that are borne; ten unless told;
- `max_seconds` (optional): stop after the epoch in which training and validating took that long.

Everything is RecBole's: models, settings of its `properties/`, samplers, evaluator, trainer. Its trainer is
subclassed only to read the clock around an epoch and around a validation. Ranking is asked for by
leave-one-out over the full catalogue: models that read sequences cut the rows themselves (by the exported
order), the others read one file per part; both cuts are held against the exported parts before training.

RecBole's sequential models are validated without hiding items the user already has. Stopping follows that;
beside it the same metric with those items hidden is recorded in `validation` (off the clock), which is what
its general models and we measure.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # RecBole loads its own checkpoint the old way
if len(sys.argv) > 1:  # before torch starts its threads
    os.environ["OMP_NUM_THREADS"] = str(json.loads(Path(sys.argv[1]).read_text())["threads"])

import numpy as np
import recbole
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.interaction import Interaction
from recbole.utils import ModelType, get_model, get_trainer, init_seed

TOP_K = 10
VECTORS = {  # models whose score is user vector . item vector
    "BPR": lambda model: (model.user_embedding.weight, model.item_embedding.weight),
    "LightGCN": lambda model: model.forward(),
    "SGL": lambda model: model.forward(model.train_graph),
}
SHARED = {"use_gpu": False, "show_progress": False, "state": "WARNING", "checkpoint_dir": "saved"}


class TimeIsUp(Exception):
    """The job's `max_seconds` are spent."""


def settings(job: dict) -> dict:
    """Return the settings that make RecBole do what the job asks, the job's own last."""
    kind = get_model(job["model"]).type
    chosen = SHARED | {"data_path": job["data"], "seed": job["seed"], "epochs": job["epochs"]}
    parts = ["train", "valid", "test"]
    if kind == ModelType.CONTEXT:
        side = {suffix: columns(job, suffix) for suffix in ("user", "item")}
        chosen |= {
            "benchmark_filename": parts,
            "load_col": {"inter": ["user_id", "item_id", "label"], **side},
            "eval_args": {
                "split": {"RS": [0.8, 0.1, 0.1]},
                "order": "RO",
                "group_by": None,
                "mode": "labeled",
            },
            "train_neg_sample_args": None,
            "metrics": ["AUC", "LogLoss"],
            "valid_metric": "AUC",
        }
    else:
        chosen |= {
            "eval_args": {
                "split": {"LS": "valid_and_test"},
                "order": "TO",
                "group_by": "user",
                "mode": "full",
            },
            "load_col": {"inter": ["user_id", "item_id"]},
            "topk": [TOP_K],
            "valid_metric": f"NDCG@{TOP_K}",
        }
        if kind == ModelType.SEQUENTIAL:
            chosen["load_col"] = {"inter": ["user_id", "item_id", "timestamp"]}
            chosen["train_neg_sample_args"] = None  # the default loss is over the whole catalogue
        else:
            chosen["benchmark_filename"] = parts
    if job["mode"] == "time_epochs":
        chosen["stopping_step"] = job["epochs"] + 1
    elif "patience" in job:
        chosen["stopping_step"] = job["patience"]
    return chosen | job.get("config", {})


def columns(job: dict, suffix: str) -> list[str]:
    """Return the column names of an exported attribute file."""
    path = Path(job["data"]) / job["dataset"] / f"{job['dataset']}.{suffix}"
    header = path.read_text(encoding="utf-8").split("\n", 1)[0]
    return [name.partition(":")[0] for name in header.split("\t")]


def exported(job: dict, part: str) -> np.ndarray:
    """Return user and item numbers (rows, 2) of an exported part."""
    path = Path(job["data"]) / job["dataset"] / f"{job['dataset']}.{part}.inter"
    return np.loadtxt(path, delimiter="\t", skiprows=1, usecols=(0, 1), dtype=np.int64, ndmin=2)


def our_numbers(dataset, field: str) -> np.ndarray:
    """Return our number of each of RecBole's ids; -1 for its padding id 0."""
    return np.array([-1, *(int(token) for token in dataset.field2id_token[field][1:])])


def places_of_our_numbers(dataset, field: str) -> np.ndarray:
    """Return RecBole's id of each of our numbers 0, 1, 2, ..."""
    numbers = our_numbers(dataset, field)[1:]
    if not np.array_equal(np.sort(numbers), np.arange(len(numbers))):
        raise ValueError(f"The exported {field} numbers are not 0..{len(numbers) - 1}.")
    return np.argsort(numbers) + 1


def rows_of(dataset, part) -> np.ndarray:
    """Return our user and item numbers (rows, 2) of a part as RecBole cut it, its order."""
    return np.stack(
        [
            our_numbers(dataset, field)[part.inter_feat[field].numpy()]
            for field in (dataset.uid_field, dataset.iid_field)
        ],
        axis=1,
    )


def check_split(job: dict, dataset, loaders: dict, sequential: bool) -> None:
    """Refuse to run when RecBole's cut is not the exported one.

    A sequential model has no training row for a user's first item: it is the prefix of the second.
    """
    for part, loader in loaders.items():
        ours, theirs = exported(job, part), rows_of(dataset, loader._dataset)
        if sequential and part == "train":
            first = np.unique(ours[:, 0], return_index=True)[1]
            ours = np.delete(ours, first, axis=0)
        if not np.array_equal(in_order(ours), in_order(theirs)):
            raise ValueError(f"RecBole's {part} rows of {job['dataset']} are not the exported ones.")


def in_order(rows: np.ndarray) -> np.ndarray:
    """Return the rows sorted by user, then item."""
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def hidden_items(job: dict, dataset, part: str) -> dict[int, np.ndarray]:
    """Return the items (RecBole's ids) each user (id) had before a part."""
    pairs = np.concatenate(
        [exported(job, name) for name in ("train", "valid")[: 1 if part == "valid" else 2]]
    )
    users = places_of_our_numbers(dataset, dataset.uid_field)[pairs[:, 0]]
    items = places_of_our_numbers(dataset, dataset.iid_field)[pairs[:, 1]]
    order = np.argsort(users, kind="stable")
    names, starts = np.unique(users[order], return_index=True)
    return dict(zip(names.tolist(), np.split(items[order], starts[1:]), strict=True))


def ndcg_with_hidden(model, part, hidden: dict[int, np.ndarray], chunk: int = 512) -> float:
    """Return NDCG of one wanted item per row, items the user already has left out."""
    gains = []
    for scores, rows in sequence_scores(model, part, chunk):
        users, wanted = rows[part.uid_field].tolist(), rows[part.iid_field].numpy()
        target = scores[np.arange(len(scores)), wanted].copy()
        scores[:, 0] = -np.inf
        for row, user in enumerate(users):
            scores[row, hidden[user]] = -np.inf
        rank = 1 + (scores > target[:, None]).sum(axis=1)
        gains.append(np.where(rank <= TOP_K, 1 / np.log2(rank + 1), 0.0))
    return float(np.concatenate(gains).mean())


def sequence_scores(model, part, chunk: int = 512):
    """Yield (scores (rows, ids), rows) for the rows of a part of a sequential model."""
    model.eval()
    with torch.no_grad():
        for start in range(0, len(part), chunk):
            rows = part.inter_feat[np.arange(start, min(start + chunk, len(part)))]
            yield model.full_sort_predict(rows).view(len(rows), -1).numpy(), rows


def timed(base: type) -> type:
    """Return RecBole's trainer with a clock."""

    class TimedTrainer(base):
        """Notes the seconds of every epoch and every validation, and the metric after each."""

        aside = None  # metric of the validation rows that is computed off the clock

        def __init__(self, config, model):
            super().__init__(config, model)
            self.epoch_seconds, self.evaluation_seconds = [], []
            self.validation, self.own_validation = [], []

        def _train_epoch(self, *args, **kwargs):
            start = time.perf_counter()
            loss = super()._train_epoch(*args, **kwargs)
            self.epoch_seconds.append(time.perf_counter() - start)
            return loss

        def _valid_epoch(self, *args, **kwargs):
            start = time.perf_counter()
            score, result = super()._valid_epoch(*args, **kwargs)
            self.evaluation_seconds.append(time.perf_counter() - start)
            spent = sum(self.epoch_seconds)
            self.own_validation.append(float(score))
            self.validation.append([spent, self.aside() if self.aside else float(score)])
            note(
                epoch=len(self.epoch_seconds),
                seconds=round(self.epoch_seconds[-1], 3),
                evaluation_seconds=round(self.evaluation_seconds[-1], 3),
                validation=self.validation[-1][1],
                own=self.own_validation[-1],
            )
            return score, result

    return TimedTrainer


def note(**fields) -> None:
    """Write one line of progress."""
    sys.stderr.write(json.dumps(fields) + "\n")
    sys.stderr.flush()


def train(job: dict, trainer, train_data, valid_data) -> None:
    """Fit, and stop where the job says so."""

    def look(epoch: int, score: float) -> None:
        if sum(trainer.epoch_seconds) + sum(trainer.evaluation_seconds) > job.get(
            "max_seconds", float("inf")
        ):
            raise TimeIsUp

    try:
        trainer.fit(
            train_data, valid_data, verbose=False, saved=job["mode"] == "train_to_stop", callback_fn=look
        )
    except TimeIsUp:
        note(stopped="max_seconds")


def write_scores(job: dict, out: Path, dataset, model, test_data) -> None:
    """Write what our metric code needs, in our numbers."""
    users, items = (places_of_our_numbers(dataset, field) for field in (dataset.uid_field, dataset.iid_field))
    model.eval()
    if model.type == ModelType.CONTEXT:
        np.save(out / "test_scores.npy", click_scores(job, dataset, model, test_data))
    elif job["model"] in VECTORS:
        with torch.no_grad():
            user_vectors, item_vectors = VECTORS[job["model"]](model)
        np.save(out / "user_vectors.npy", user_vectors.numpy(force=True)[users].astype(np.float32))
        np.save(out / "item_vectors.npy", item_vectors.numpy(force=True)[items].astype(np.float32))
    else:
        asked, scores = catalogue_scores(dataset, model, test_data)
        np.save(out / "score_users.npy", our_numbers(dataset, dataset.uid_field)[asked])
        np.save(out / "scores.npy", scores[:, items].astype(np.float32))


def catalogue_scores(dataset, model, test_data) -> tuple[np.ndarray, np.ndarray]:
    """Return the test users (RecBole's ids) and their scores over all ids."""
    part = test_data._dataset
    if model.type == ModelType.SEQUENTIAL:
        blocks = [(rows[part.uid_field].numpy(), scores) for scores, rows in sequence_scores(model, part)]
    else:
        asked = np.unique(part.inter_feat[part.uid_field].numpy())
        blocks = [
            (users, user_scores(dataset, model, users))
            for users in np.array_split(asked, len(asked) // 512 + 1)
        ]
    return np.concatenate([users for users, _ in blocks]), np.concatenate([scores for _, scores in blocks])


def user_scores(dataset, model, users: np.ndarray) -> np.ndarray:
    """Return the scores (users, ids) of a model that knows users by their id."""
    with torch.no_grad():
        scores = model.full_sort_predict(Interaction({dataset.uid_field: torch.from_numpy(users)}))
    return np.asarray(scores).reshape(len(users), -1)


def click_scores(job: dict, dataset, model, test_data, chunk: int = 4096) -> np.ndarray:
    """Return the probability of a like for every test row, in the order of the exported file."""
    part = test_data._dataset
    if not np.array_equal(rows_of(dataset, part), exported(job, "test")):
        raise ValueError("RecBole reordered the test rows.")
    scores = []
    with torch.no_grad():
        for start in range(0, len(part), chunk):
            rows = part.join(part.inter_feat[np.arange(start, min(start + chunk, len(part)))])
            scores.append(model.predict(rows).numpy())
    return np.concatenate(scores).astype(np.float32)


def main(job: dict) -> None:
    """Do the job and write `result.json`."""
    out = Path(job["out"])
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)  # RecBole leaves logs and checkpoints where it runs
    torch.set_num_threads(job["threads"])
    config = Config(model=job["model"], dataset=job["dataset"], config_dict=settings(job))
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    train_data, valid_data, test_data = data_preparation(config, dataset)
    sequential = config["MODEL_TYPE"] == ModelType.SEQUENTIAL
    check_split(job, dataset, {"train": train_data, "valid": valid_data, "test": test_data}, sequential)
    init_seed(config["seed"], config["reproducibility"])
    model = get_model(config["model"])(config, train_data.dataset).to(config["device"])
    trainer = timed(get_trainer(config["MODEL_TYPE"], config["model"]))(config, model)
    if sequential:
        hidden = hidden_items(job, dataset, "valid")
        trainer.aside = lambda: ndcg_with_hidden(model, valid_data._dataset, hidden)
    train(job, trainer, train_data, valid_data)
    if job["mode"] == "train_to_stop":
        checkpoint = torch.load(trainer.saved_model_file, map_location="cpu")
        model.load_state_dict(checkpoint["state_dict"])
        model.load_other_parameter(checkpoint.get("other_parameter"))
        write_scores(job, out, dataset, model, test_data)
    for folder in ("saved", "log_tensorboard"):
        shutil.rmtree(folder, ignore_errors=True)
    write_result(job, out, config, trainer, dataset)


def write_result(job: dict, out: Path, config, trainer, dataset) -> None:
    """Write what was measured; the file appears when it is whole."""
    metrics = [metric for _, metric in trainer.validation]
    best = int(np.argmax(trainer.own_validation)) if metrics else None
    result = {
        "library": "recbole",
        "model": job["model"],
        "epoch_seconds": trainer.epoch_seconds,
        "evaluation_seconds": trainer.evaluation_seconds,
        "train_seconds": sum(trainer.epoch_seconds),
        "validation": trainer.validation,
        "own_validation": trainer.own_validation,
        "best_validation": None if best is None else metrics[best],
        "best_epoch": None if best is None else best + 1,
        "stopped_epoch": len(trainer.epoch_seconds),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "n_users": dataset.user_num - 1,
        "n_items": dataset.item_num - 1,
        "job": job,
        "config": {name: plain(value) for name, value in sorted(config.final_config_dict.items())},
        "versions": {"recbole": recbole.__version__, "torch": torch.__version__, "numpy": np.__version__},
    }
    temporary = out / "result.json.tmp"
    temporary.write_text(json.dumps(result, indent=1))
    temporary.rename(out / "result.json")


def plain(value):
    """Return a setting as JSON can hold it."""
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))

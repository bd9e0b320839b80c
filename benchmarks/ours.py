"""Our half of a benchmark: do one job with the engine and leave the same record as the peer's driver.

`python -m benchmarks.ours JOB.json`. The job has `model` (a key of `RANKING` or `CLICKS`), `kind`,
`source`, `n_users`, `case_seed` (what `cases` builds the question from), `mode`, `epochs`, `seed`,
`threads`, `config`, `patience` and `out`, as in `peers/recbole_driver.py`; `precision`, where it is there,
replaces that of the loop. One mode is ours alone: "train_to_target" trains without early stopping until
validation reaches `target` or the epochs are over, and writes no scores. A process of its own, so that its
peak memory is its own and its threads are set before torch starts.

The settings are those the peer ships for the model: sizes, batch, learning rate and patience.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.cases import ClickCase, RankingCase, click_case, ranking_case
from rec_core.data.fields import by_user, make_fields
from rec_core.device import set_threads
from rec_core.evaluation.full_ranking import rank_catalogue
from rec_core.evaluation.per_user import per_user_metrics
from rec_core.metrics.ctr import auc
from rec_core.objectives.click import Click
from rec_core.seeding import torch_generator
from rec_core.store import write_json
from rec_core.systems import graph_cf, matrix_factorisation, sequential
from rec_core.systems.ctr_baselines import CTRBaselinesConfig, field_reader, field_sizes, likes
from rec_core.systems.ctr_training import build_net
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_system import RankingSystem
from rec_core.systems.ranking_task import RankingTask
from rec_core.training.loop import LoopConfig, run_epochs
from rec_core.types import ProgressEvent

RANKING: dict[str, tuple[Any, Any]] = {
    "bpr": (matrix_factorisation, matrix_factorisation.MatrixFactorisationConfig()),
    "lightgcn": (graph_cf, graph_cf.GraphCFConfig()),
    "sgl": (
        graph_cf,
        graph_cf.GraphCFConfig(
            encoder="sgl",
            n_layers=3,
            contrast=graph_cf.ContrastConfig(weight=0.05, temperature=0.5, drop_prob=0.1),
        ),
    ),
    "sasrec": (sequential, sequential.SequentialConfig()),
}
CLICKS: dict[str, CTRBaselinesConfig] = {
    "deepfm": CTRBaselinesConfig(model="deepfm", history_length=0),
    "xdeepfm": CTRBaselinesConfig(model="xdeepfm", history_length=0, norm_weight=5e-4),
    "dcn": CTRBaselinesConfig(
        model="dcn", history_length=0, hidden_sizes=(256, 256, 256), n_cross_layers=6, norm_weight=2.0
    ),
    "autoint": CTRBaselinesConfig(model="autoint", history_length=0, hidden_sizes=(128, 128)).with_values(
        {"loop.precision": "fp32"}
    ),  # its attention gains nothing from bf16
}
_NO_TARGET = float("inf")
_PATIENCE = 10  # the peer's default: it stops at the eleventh validation in a row that is no better


class TargetReached(Exception):
    """Validation is where the job wants it."""


class Clock:
    """Read the seconds of epochs and validations off the progress of a training.

    An epoch lasts from the end of the one before to its last step; the time from there to the event that
    closes it is validation (with what the loop does beside: keeping the best weights).

    Args:
        target: stop the training once validation reaches it.
    """

    def __init__(self, target: float = _NO_TARGET) -> None:
        self._target = target
        self.epoch_seconds: list[float] = []
        self.evaluation_seconds: list[float] = []
        self.ranking_seconds: list[float] = []
        self.validation: list[list[float]] = []
        self._closed = self._stepped = time.perf_counter()

    def __call__(self, event: ProgressEvent) -> None:
        """Hear one event."""
        now = time.perf_counter()
        if "loss" not in event.metrics:
            self._stepped = now
            return
        self.epoch_seconds.append(self._stepped - self._closed)
        self.evaluation_seconds.append(now - self._stepped)
        self.validation.append([sum(self.epoch_seconds), event.metrics["validation"]])
        sys.stderr.write(
            json.dumps({"epoch": len(self.validation), "validation": event.metrics["validation"]}) + "\n"
        )
        if event.metrics["validation"] >= self._target:
            raise TargetReached
        self._closed = time.perf_counter()

    def record(self) -> dict[str, Any]:
        """Return the fields of a result that tell of time and validation."""
        metrics = [metric for _, metric in self.validation]
        best = int(np.argmax(metrics))
        return {
            "epoch_seconds": self.epoch_seconds,
            "evaluation_seconds": self.evaluation_seconds,
            "ranking_seconds": self.ranking_seconds,
            "train_seconds": sum(self.epoch_seconds),
            "validation": self.validation,
            "best_validation": metrics[best],
            "best_epoch": best + 1,
            "stopped_epoch": len(metrics),
        }


def main(job: dict[str, Any]) -> None:
    """Do the job and write `result.json`."""
    out = Path(job["out"])
    out.mkdir(parents=True, exist_ok=True)
    set_threads(job["threads"])
    if job["kind"] == "ranking":
        case = ranking_case(job["source"], job["n_users"], job["case_seed"])
        clock, settings = train_ranking(case, job, out)
    else:
        clock, settings = train_clicks(click_case(job["source"], job["n_users"], job["case_seed"]), job, out)
    result = {
        "library": "ours",
        "model": job["model"],
        **clock.record(),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "job": job,
        "config": settings,
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
    }
    write_json(out / "result.json", result)


def train_ranking(case: RankingCase, job: dict[str, Any], out: Path) -> tuple[Clock, dict[str, Any]]:
    """Train a ranking system and, where it trains to its stop, write the test users' scores."""
    system, base = RANKING[job["model"]]
    settings = {"loop": _loop(base.loop, job), "n_threads": job["threads"], **job["config"]}
    config = type(base).model_validate({**base.model_dump(), **settings})
    parts = RankingParts(case.dataset, config.task, case.split)
    with tempfile.TemporaryDirectory() as folder:
        clock = _clocked(lambda clock: system.learn(parts, config, Path(folder), job["seed"], clock), job)
        if job["mode"] == "train_to_stop":
            score = system.load(case.dataset, config, Path(folder)).user_scores(parts, "test")
            users = parts.test.users
            blocks = np.array_split(users, len(users) // 512 + 1)
            with torch.no_grad():
                scores = [score(block).cpu().numpy().astype(np.float32) for block in blocks]
            np.save(out / "score_users.npy", users)
            np.save(out / "scores.npy", np.concatenate(scores))
        elif job["mode"] == "time_epochs":
            clock.ranking_seconds = time_full_ranking(system.load(case.dataset, config, Path(folder)), parts)
    return clock, config.model_dump(mode="json")


def time_full_ranking(system: RankingSystem, parts: RankingParts, times: int = 5) -> list[float]:
    """Return the seconds of ranking for every validation user, lists of ten and five metrics, each time."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        ranking = rank_catalogue(system.user_scores(parts, "valid"), parts.valid, parts.n_items, 10)
        per_user_metrics(ranking, (10,)).mean()
        seconds.append(time.perf_counter() - start)
    return seconds


def train_clicks(case: ClickCase, job: dict[str, Any], out: Path) -> tuple[Clock, dict[str, Any]]:
    """Train a CTR net on the questions of a case and, where it trains to its stop, score the test rows."""
    base = CLICKS[job["model"]]
    settings = {"loop": _loop(base.loop, job), "n_threads": job["threads"], **job["config"]}
    config = CTRBaselinesConfig.model_validate({**base.model_dump(), **settings})
    train, valid, test = (
        case.samples.take(rows) for rows in (case.split.train, case.split.valid, case.split.test)
    )
    fields = make_fields(case.dataset, train, 0, hidden_fields(case))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = build_net(config, field_sizes(fields), torch_generator(job["seed"], "ctr", config.model)).to(device)
    rows = case.dataset.interactions
    order = by_user(rows)
    reader = field_reader(fields, rows.item_nums[order], rows.ratings[order], 0, device)
    objective = Click(
        net, reader, _places(train), train.labels, config.batch_size, config.l2, config.norm_weight
    )
    asked = _places(valid)

    def look() -> float:
        return auc(valid.labels, likes(net, reader, asked))

    with tempfile.TemporaryDirectory() as folder:
        clock = _clocked(
            lambda clock: run_epochs(
                objective, config.loop, Path(folder), job["seed"], "clicks", clock, look
            ),
            job,
        )
    if job["mode"] == "train_to_stop":
        np.save(out / "test_scores.npy", likes(net, reader, _places(test)).astype(np.float32))
    return clock, config.model_dump(mode="json")


def hidden_fields(case: ClickCase) -> tuple[str, ...]:
    """Return the attributes the engine would use and the peer does not get."""
    shown = {"user_id", *case.user_columns}
    return tuple(column for column in case.dataset.users.columns if column not in shown)


def task() -> RankingTask:
    """Return how a ranking case is cut and judged."""
    return RankingTask(split="leave_one_out", watch="ndcg@10")


def _loop(base: LoopConfig, job: dict[str, Any]) -> dict[str, Any]:
    """Return the loop of a job: a look after every epoch, no checkpoint on the way."""
    stops = job["mode"] == "train_to_stop"
    own = {
        "epochs": job["epochs"],
        "learning_rate": 1e-3,
        "evaluate_every": 1,
        "patience": (job.get("patience", _PATIENCE) if stops else job["epochs"]) + 1,
        "checkpoint_seconds": 1e9,
        "precision": job.get("precision", base.precision),
    }
    return {**base.model_dump(), **own}


def _clocked(train: Callable[[Clock], Any], job: dict[str, Any]) -> Clock:
    clock = Clock(job.get("target", _NO_TARGET))
    with suppress(TargetReached):
        train(clock)
    return clock


def _places(samples: Any) -> np.ndarray:
    """Return where each question's user and item stand, with an empty history."""
    nothing = np.zeros(len(samples), dtype=np.int64)
    return np.stack([samples.user_nums, samples.item_nums, nothing, nothing], axis=1).astype(np.int64)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))

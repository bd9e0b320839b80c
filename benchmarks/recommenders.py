"""Our recommenders beside RecBole's: the same rows, sizes, batch and threads, in one run on one machine.

    python benchmarks/recommenders.py --data ml-100k --models bpr,lightgcn --what all --out result.json

The first run makes the peer's environment. `--what speed` takes turns (ours, peer, ours, peer) over a few
epochs, each followed by a validation, and prints seconds per epoch, seconds per validation (full ranking)
and peak memory. `--what quality` trains both until validation stops improving and judges both libraries'
test scores by the engine's metrics, with intervals of the paired difference over users; `--seeds 5` trains
both five times and compares the means over seeds. `--what all` does both, and adds the seconds to the peer's
best validation: epochs to it times the seconds of an epoch with its validation, as measured in turns. Nothing
else may run beside a speed run.

The peer's patience of ten validations ends either side on a plateau now and then, by chance; `--patience 30`
takes most of that away.

Ratios above 1 mean that ours is better. Every job's result is kept in `--work` and reused unless `--fresh`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import ClickCase, RankingCase, click_case, ranking_case
from benchmarks.peers.recbole_environment import recbole_python
from benchmarks.quality import click_rows, ranking_rows, seconds_to
from benchmarks.reporting import machine, show
from benchmarks.runs import Library, Runner, result_of
from benchmarks.timing import alternate, median_seconds, row
from rec_core.store import Workspace, write_json
from rec_core.types import InputError

RANKERS = {"bpr": "BPR", "lightgcn": "LightGCN", "sgl": "SGL", "sasrec": "SASRec"}
CLICKERS = {"deepfm": "DeepFM", "dcn": "DCN", "xdeepfm": "xDeepFM", "autoint": "AutoInt"}
SIDES: tuple[Library, ...] = ("ours", "recbole")
_EPOCHS = 300  # the peer's default; both stop earlier
_PATIENCE = 10  # the peer's default
_PEER_EPOCHS = {"sasrec": 20}  # minutes per epoch on two cores: it reads one training row per prefix
_TIMED = {"ours": 5, "recbole": 3}
_PEER_TIMED = {"sasrec": 1}


class Comparison:
    """One model of both libraries on one case.

    Args:
        model: a key of RANKERS or CLICKERS.
        source: the built-in dataset.
        n_users: a sample of so many users; 0 takes all.
        runner: runs and keeps jobs.
        threads: of both, in speed runs.
        seeds: of both; the first is that of speed runs and validation curves.
        rounds: turns of a speed run.
        patience: validations in a row without a better one that both bear.
        precision: of our training, in place of the system's own; "" leaves it.
        batch_size: training rows per step of both; 0 leaves each library's own.
    """

    def __init__(
        self,
        model: str,
        source: str,
        n_users: int,
        runner: Runner,
        threads: int,
        seeds: Sequence[int],
        rounds: int,
        patience: int,
        precision: str = "",
        batch_size: int = 0,
    ) -> None:
        self.case = _case(model, source, n_users)
        self.name = f"{model} {self.case.name}"
        self._model, self._source, self._n_users = model, source, n_users
        self._runner, self._threads, self._seeds, self._rounds = runner, threads, seeds, rounds
        self._batch_size = batch_size
        self._precision = {"precision": precision} if precision else {}
        self._patience = {} if patience == _PATIENCE else {"patience": patience}
        if not (runner.exports / self.case.name).exists():
            self.case.export(runner.exports)

    @cached_property
    def timed(self) -> dict[str, list[dict[str, Any]]]:
        """Take turns and return each side's records."""

        def run(library: Library) -> Callable[[int], dict[str, Any]]:
            job = self._job(library, "time_epochs", self._threads)
            return lambda turn: result_of(self._runner.run(library, job, turn))

        return alternate({library: run(library) for library in SIDES}, self._rounds)

    @cached_property
    def trained(self) -> list[list[Path]]:
        """Train both to their stop and return each side's folders, one per seed.

        One thread, since nobody reads that clock.
        """
        return [
            [self._runner.run(library, self._job(library, "train_to_stop", 1, seed)) for seed in self._seeds]
            for library in SIDES
        ]

    @property
    def _stopped(self) -> list[dict[str, Any]]:
        """Return both records of the first seed, trained to the stop."""
        return [result_of(folders[0]) for folders in self.trained]

    @cached_property
    def curves(self) -> list[list[list[float]]]:
        """Return the validation curves of both, ours going on until it reaches the peer's best.

        Two curves of one method differ by chance, and early stopping may end ours just below the peer's
        luckiest epoch; it is then trained without early stopping, until it is there or has gone on for twice
        as long as either.
        """
        ours, peer = self._stopped
        target = peer["best_validation"]
        if ours["best_validation"] < target:
            epochs = 2 * max(ours["stopped_epoch"], peer["stopped_epoch"])
            job = {**self._job("ours", "train_to_target", 1), "target": target, "epochs": epochs}
            ours = result_of(self._runner.run("ours", job))
        return [ours["validation"], peer["validation"]]

    def speed_rows(self) -> list[dict[str, Any]]:
        """Return seconds and memory of both sides.

        A ranker's validation in our loop makes no lists; the peer's does, with five metrics. A ranking of
        ours that does the same is a row of its own.
        """
        rows = [
            self._seconds("seconds per epoch", "epoch_seconds"),
            self._seconds("seconds per validation", "evaluation_seconds"),
        ]
        if isinstance(self.case, RankingCase):
            rows.append(self._seconds("seconds per full ranking", "ranking_seconds", "evaluation_seconds"))
        memory = [max(result["peak_rss_mb"] for result in self.timed[library]) for library in SIDES]
        return [*rows, row(self.name, "peak memory", "MB", *memory, False)]

    def quality_rows(self) -> list[dict[str, Any]]:
        """Return test metrics of both and their best validation."""
        judge = click_rows if isinstance(self.case, ClickCase) else ranking_rows
        rows = judge(self.name, self.case, *self.trained, self._seeds[0])
        best = [result["best_validation"] for result in self._stopped]
        return [*rows, row(self.name, "best validation", "", *best, True)]

    def time_to_best_rows(self) -> list[dict[str, Any]]:
        """Return epochs and seconds until validation first reaches the peer's best, validations included."""
        ours, peer = self._stopped
        target = peer["best_validation"]
        epochs = [seconds_to(curve, target, 1, 0) for curve in self.curves]
        stopped = {"ours_stopped": ours["stopped_epoch"], "peer_stopped": peer["stopped_epoch"]}
        seconds = [
            seconds_to(
                curve,
                target,
                median_seconds(self.timed[library], "epoch_seconds"),
                median_seconds(self.timed[library], "evaluation_seconds"),
            )
            for library, curve in zip(SIDES, self.curves, strict=True)
        ]
        return [
            row(self.name, "epochs to the peer's best validation", "epochs", *epochs, False, **stopped),
            row(self.name, "seconds to the peer's best validation", "s", *seconds, False, target=target),
        ]

    def _seconds(self, metric: str, ours: str, peer: str | None = None) -> dict[str, Any]:
        seconds = (
            median_seconds(self.timed["ours"], ours),
            median_seconds(self.timed["recbole"], peer or ours),
        )
        return row(self.name, metric, "s", *seconds, False, threads=self._threads)

    def _sizes(self, peer: bool) -> dict[str, int]:
        if not self._batch_size:
            return {}
        return {"train_batch_size" if peer else "batch_size": self._batch_size}

    def _job(self, library: Library, mode: str, threads: int, seed: int | None = None) -> dict[str, Any]:
        peer, timed = library == "recbole", mode == "time_epochs"
        epochs = _TIMED[library] if timed else _EPOCHS
        if peer:
            epochs = (_PEER_TIMED if timed else _PEER_EPOCHS).get(self._model, epochs)
        return {
            "model": (RANKERS | CLICKERS)[self._model] if peer else self._model,
            "dataset": self.case.name,
            "kind": "ranking" if isinstance(self.case, RankingCase) else "clicks",
            "source": self._source,
            "n_users": self._n_users,
            "case_seed": 0,
            "mode": mode,
            "epochs": epochs,
            "seed": self._seeds[0] if seed is None else seed,
            "threads": threads,
            "config": self._sizes(peer),
            **({} if peer else self._precision),
            **(self._patience if mode == "train_to_stop" else {}),
        }


def main(
    data: Annotated[str, typer.Option(help="A built-in dataset.")] = "ml-100k",
    models: Annotated[str, typer.Option(help="Names separated by commas.")] = ",".join(RANKERS | CLICKERS),
    what: Annotated[str, typer.Option(help="speed, quality or all.")] = "all",
    users: Annotated[int, typer.Option(min=0, help="Sample of users; 0: all.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads of both in speed runs.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of both.")] = 2020,
    seeds: Annotated[int, typer.Option(min=1, help="So many seeds, from --seed on, for quality.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of a speed run.")] = 2,
    patience: Annotated[
        int, typer.Option(min=1, help="Validations without a better one, of both.")
    ] = _PATIENCE,
    batch_size: Annotated[int, typer.Option(min=0, help="Rows per step of both; 0: as shipped.")] = 0,
    precision: Annotated[str, typer.Option(help="Of our training: auto, fast, fp32 or bf16.")] = "",
    work: Annotated[Path | None, typer.Option(help="Where results are kept.")] = None,
    peer_python: Annotated[Path | None, typer.Option(help="A python that has RecBole already.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run everything anew.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the result to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Compare our recommenders with RecBole's."""
    try:
        names = _names(models, what)
        root = Workspace.from_environment().root
        runner = Runner(
            (work or root / "benchmarks").resolve(), (peer_python or recbole_python(root)).absolute(), fresh
        )
        rows = []
        for model in names:
            comparison = Comparison(
                model,
                data,
                users,
                runner,
                threads,
                range(seed, seed + seeds),
                rounds,
                patience,
                precision,
                batch_size,
            )
            found = _rows(comparison, what)
            rows += found
            if not as_json:
                show(found)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    result = {"benchmark": "recommenders", "machine": machine(), "rows": rows}
    if out:
        write_json(out, result)
    if as_json:
        print(json.dumps(result))


def _rows(comparison: Comparison, what: str) -> list[dict[str, Any]]:
    rows = comparison.speed_rows() if what != "quality" else []
    rows += comparison.quality_rows() if what != "speed" else []
    return rows + comparison.time_to_best_rows() if what == "all" else rows


def _names(models: str, what: str) -> list[str]:
    names = [name.strip().lower() for name in models.split(",") if name.strip()]
    unknown = [name for name in names if name not in RANKERS | CLICKERS]
    if unknown or not names:
        raise InputError(
            f"There is no model {(unknown or [''])[0]!r}; choose from {', '.join(RANKERS | CLICKERS)}."
        )
    if what not in ("speed", "quality", "all"):
        raise InputError(f"--what cannot be {what!r}; give speed, quality or all.")
    return names


def _case(model: str, source: str, n_users: int) -> RankingCase | ClickCase:
    return (ranking_case if model in RANKERS else click_case)(source, n_users)


if __name__ == "__main__":
    typer.run(main)

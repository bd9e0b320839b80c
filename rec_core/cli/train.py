"""`train` and `resume`: carry out a run here, or hand it to a detached worker."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rec_core.cli.errors import FAILED, WRONG_INPUT
from rec_core.cli.fields import TrainCommand
from rec_core.cli.options import AsJson, PresetName, RunId, Seed, examples
from rec_core.cli.output import emit, pairs, plain, shown, table
from rec_core.cli.progress import progress
from rec_core.cli.session import current
from rec_core.processes import ending_together, is_main, n_processes

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

Background = Annotated[
    bool,
    typer.Option(
        "--background",
        help="Hand it to a detached worker and return; it waits in line while another is at work.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="Threads of the model (the field n_threads) and, with --background, of the worker's numerical "
        "libraries (all cores by default).",
    ),
]
WorkerThreads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="With --background: threads of the worker's numerical libraries (all cores by default). The "
        "model keeps the n_threads that the run was created with.",
    ),
]


@app.command(
    cls=TrainCommand,
    epilog=examples(
        "train graph_cf --help",
        "train graph_cf --data sample --preset tiny",
        "train rallrec --data ml-1m --preset small --set tuning.training.epochs=2 --seed 1",
        "train rallrec --data sample --background",
    ),
)
def train(
    system: Annotated[
        str,
        typer.Argument(metavar="SYSTEM", help="Which system, as `systems` lists them.", show_default=False),
    ],
    data: Annotated[
        str, typer.Option("--data", help="A dataset's name, as `data list` shows it.", show_default=False)
    ],
    preset: PresetName = "small",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change one field of the preset; repeat for more."),
    ] = None,
    seed: Seed = 0,
    background: Background = False,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Train a system on a dataset.

    Prints its test metrics with 95 % intervals. The run is kept and can be cancelled and resumed. Several
    processes share it when a launcher starts them: `torchrun --nproc_per_node 2 -m rec_core train ...`.
    """
    with _one_voice(background):
        with progress(is_main()) as report:
            from rec_core.config import parse_assignments
            from rec_core.workbench.run_verbs import new_run

            overrides = _with_threads(parse_assignments(settings or []), threads)
            run_id = new_run(system, data, preset, overrides or None, seed, progress=report)
        if is_main():
            sys.stderr.write(f"Run {run_id}\n")
        _carry_out(run_id, background, threads, as_json)


@app.command(epilog=examples("resume rallrec-sample-tiny-s0-1a2b3c"))
def resume(
    run: RunId,
    background: Background = False,
    threads: WorkerThreads = None,
    worker: Annotated[bool, typer.Option("--worker", hidden=True)] = False,
    as_json: AsJson = False,
) -> None:
    """Start a queued run, or continue an unfinished one.

    A run that was cancelled, failed or lost continues from its last checkpoint, with the result it would
    have had. A finished run is only reported.
    """
    with _one_voice(background):
        if threads and not background:
            from rec_core.types import InputError

            raise InputError(
                "--threads of `resume` needs --background; the model keeps the n_threads that the run was "
                "created with."
            )
        _carry_out(run, background, threads, as_json, draw=not worker)


def _with_threads(settings: dict[str, Any], threads: int | None) -> dict[str, Any]:
    """Return the settings with n_threads from `--threads`; both at once must agree."""
    if threads is None:
        return settings
    if settings.get("n_threads", threads) != threads:
        from rec_core.types import InputError

        raise InputError(
            f"--threads {threads} and --set n_threads={settings['n_threads']} disagree; leave one out."
        )
    return {**settings, "n_threads": threads}


def _carry_out(run_id: str, background: bool, threads: int | None, as_json: bool, draw: bool = True) -> None:
    from rec_core import jobs
    from rec_core.jobs.folders import find_run
    from rec_core.store import Workspace

    space = Workspace.from_environment()
    folder = find_run(space, run_id)
    if background:
        place = jobs.enqueue(space, run_id, threads)
        told = {"run": run_id, "state": jobs.state(space, run_id), "place": place}
        emit(told, as_json, lambda console: console.print(pairs(told)))
        return
    current().run_id = run_id
    done = folder.status.get("state") == "done"  # only reported: nothing to claim, nothing written
    claimed = nullcontext() if done or not is_main() else jobs.working(space, folder)
    with progress(draw and is_main()) as report, claimed:
        from rec_core.workbench.run_verbs import resume

        result = resume(run_id, progress=report)
    if is_main():
        emit(result, as_json, lambda console: draw_result(console, result))


@contextmanager
def _one_voice(background: bool) -> Iterator[None]:
    """Let the main one of several processes say how their work has ended; the others end without a word."""
    from rec_core.types import InputError

    if n_processes() > 1 and is_main():
        # The launcher sends TERM once any process has ended, and the main one is still to say why. It listens
        # while it is at work (`jobs.working`).
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with ending_together():
            if background and n_processes() > 1:
                raise InputError("--background hands the run to one worker; leave it out under a launcher.")
            yield
    except (Exception, KeyboardInterrupt) as error:
        if is_main() or current().debug:
            raise
        raise typer.Exit(WRONG_INPUT if isinstance(error, InputError) else FAILED) from None


def draw_result(console: Console, result: dict[str, Any]) -> None:
    """Draw the metrics of a finished run: a row per arm and their differences, or a row per metric."""
    console.print(pairs({key: result.get(key) for key in ("run", "system", "dataset", "seconds")}))
    title = "Test metrics, each with its 95 % interval"
    if result.get("arms"):
        console.print(table(_with_intervals(result["arms"], "arm"), title=title))
    else:
        console.print(table(metric_rows(result["metrics"]), title=title))
    if result.get("differences"):
        rows = _with_intervals(result["differences"], "difference")
        console.print(table(rows, title="Differences on the same test rows, each with its 95 % interval"))
    if result.get("protocol"):
        console.print(f"Protocol: {shown(result['protocol'])}")
    if result.get("precision"):
        console.print(f"Language model: {shown(result['precision'])}")


def metric_rows(metrics: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per metric: its value, its limits and how many users it rests on."""
    limits = ("value", "low", "high")
    return [
        {"metric": name, **{key: interval.get(key) for key in limits}, "users": interval.get("n")}
        for name, interval in metrics.items()
    ]


def _with_intervals(arms: dict[str, dict[str, dict[str, Any]]], heading: str) -> list[dict[str, Any]]:
    """Return one row per arm: a cell "value [low, high]" per metric, then how many users and test rows."""
    rows = []
    for arm, metrics in arms.items():
        sizes = next(iter(metrics.values()), {})
        cells = {name: _cell(interval) for name, interval in metrics.items()}
        rows.append({heading: arm, **cells, "users": sizes.get("n"), "rows": sizes.get("n_rows")})
    return rows


def _cell(interval: dict[str, Any]) -> str:
    known = plain(interval)
    value, low, high = (
        "-" if known.get(key) is None else f"{known[key]:.4f}" for key in ("value", "low", "high")
    )
    return f"{value} [{low}, {high}]"

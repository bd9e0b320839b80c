"""`runs`: list, show, compare, rename, note; and the detached ones: queue, watch, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rec_core.cli.options import AsJson, RunId, examples
from rec_core.cli.output import emit, pairs, shown, table
from rec_core.cli.progress import progress
from rec_core.cli.session import current
from rec_core.cli.train import metric_rows

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Runs: list, show, compare, users, note, queue, watch, cancel.")

JobName = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="The id of a run or tuning, or a background job's name.", show_default=False
    ),
]


@app.command("list", epilog=examples("runs list", "runs list --json"))
def list_(as_json: AsJson = False) -> None:
    """List the runs of the workspace, the newest first."""
    with progress():
        from rec_core.workbench.run_verbs import runs

        found = runs()
    rows = found.to_dict(orient="records")
    columns = ("run", "title", "state", "seconds", "metric", "value")
    emit(
        {"runs": rows},
        as_json,
        lambda console: console.print(table(rows, [c for c in columns if c in found.columns])),
    )


@app.command(epilog=examples("runs show rallrec-sample-tiny-s0-1a2b3c"))
def show(run: RunId, as_json: AsJson = False) -> None:
    """Show everything known about a run.

    State, settings, metrics, environment, notes.
    """
    current().run_id = run
    with progress():
        from rec_core.workbench.run_verbs import show_run

        facts = show_run(run)
    emit(facts, as_json, lambda console: _draw_run(console, facts))


@app.command(epilog=examples("runs compare RUN_A RUN_B"))
def compare(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help="A run's id.", show_default=False)],
    run_b: Annotated[
        str, typer.Argument(metavar="RUN_B", help="The run to compare with.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Compare two runs on what both were tested on.

    Paired differences A - B with 95 % intervals, p-values corrected for the number of metrics.
    """
    with progress():
        from rec_core.workbench.compare_verbs import compare

        result = compare(run_a, run_b)
    columns = ("metric", "a", "b", "difference", "low", "high", "p_corrected", "n")
    emit(result, as_json, lambda console: console.print(table(result["rows"], columns, f"{run_a} - {run_b}")))


@app.command(epilog=examples("runs users RUN", "runs users RUN --metric recall@20 --users 3 --json"))
def users(
    run: RunId,
    metric: Annotated[
        str | None, typer.Option("--metric", help="A test metric; the system's headline one if left out.")
    ] = None,
    n_users: Annotated[int, typer.Option("--users", min=1, help="How many of each.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show the test users a run served best and worst.

    What they had, what was held out, and what they were shown.
    """
    current().run_id = run
    with progress():
        from rec_core.workbench.user_verbs import users_of_run

        result = users_of_run(run, metric, n_users)
    emit(result, as_json, lambda console: _draw_users(console, result))


@app.command(epilog=examples('runs rename rallrec-sample-tiny-s0-1a2b3c "First try"'))
def rename(
    run: RunId,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="The title for people.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Give a run a title for people; its id stays."""
    from rec_core.workbench.run_verbs import rename_run

    rename_run(run, title)
    told = {"run": run, "title": title}
    emit(told, as_json, lambda console: console.print(pairs(told)))


@app.command(epilog=examples('runs note rallrec-sample-tiny-s0-1a2b3c "Learning rate too high."'))
def note(
    run: RunId,
    notes: Annotated[str, typer.Argument(metavar="TEXT", help="Replaces the notes.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Keep notes with a run."""
    from rec_core.workbench.run_verbs import annotate_run

    annotate_run(run, notes)
    told = {"run": run, "notes": notes}
    emit(told, as_json, lambda console: console.print(pairs(told)))


@app.command(epilog=examples("runs queue"))
def queue(as_json: AsJson = False) -> None:
    """Show what is at work and what waits in line.

    When nobody is at work, the next in line is started.
    """
    from rec_core import jobs
    from rec_core.store import Workspace

    space = Workspace.from_environment()
    jobs.advance(space)
    at_work, line = jobs.active(space), jobs.queue(space)
    told = {"active": at_work, "queue": line}
    rows = [{"name": job.name, "state": job.state, **_where(job.status)} for job in at_work]
    rows += [{"name": name, "state": "queued"} for name in line]
    emit(
        told, as_json, lambda console: console.print(table(rows, ("name", "state", "stage", "step", "total")))
    )


@app.command(epilog=examples("runs watch rallrec-sample-tiny-s0-1a2b3c"))
def watch(run: JobName, as_json: AsJson = False) -> None:
    """Attach to a run or tuning at work until it ends.

    Draws its progress; Ctrl-C detaches and leaves it running. Background jobs have names of their own.
    """
    from rec_core import jobs
    from rec_core.store import Workspace
    from rec_core.types import ProgressEvent

    space, seen = Workspace.from_environment(), 0
    with progress() as report:
        state = jobs.state(space, run)
        while True:
            for event in jobs.events(space, run, seen):
                seen += 1
                report(ProgressEvent(**{key: value for key, value in event.items() if key != "time"}))
            if state not in ("queued", "running", "cancelling"):
                break
            jobs.advance(space)
            state = jobs.wait(space, run, timeout=0.5)
    told = {"run": run, "state": state}
    emit(told, as_json, lambda console: console.print(pairs(told)))


@app.command(epilog=examples("runs cancel rallrec-sample-tiny-s0-1a2b3c"))
def cancel(run: JobName, as_json: AsJson = False) -> None:
    """Stop a run or tuning, or take it out of the line.

    It ends within five seconds; what it has done stays. Background jobs have names of their own.
    """
    from rec_core import jobs
    from rec_core.store import Workspace

    told = {"run": run, "state": jobs.cancel(Workspace.from_environment(), run)}
    emit(told, as_json, lambda console: console.print(pairs(told)))


def _where(status: dict[str, Any]) -> dict[str, Any]:
    return {key: status.get(key) for key in ("stage", "step", "total")}


def _draw_users(console: Console, result: dict[str, Any]) -> None:
    for side in ("best", "worst"):
        rows = [
            {**record, "wanted": record["wanted"][:3], "recommended": record["recommended"][:3]}
            for record in result[side]
        ]
        columns = ("user", "value", "n_history", "wanted", "recommended")
        console.print(
            table(rows, columns, f"{side.capitalize()} by {result['metric']} (three items of each)")
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values under dotted names, lists as words."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return flat


def _draw_run(console: Console, facts: dict[str, Any]) -> None:
    console.print(pairs(facts))
    for part in ("config", "env"):
        console.print(pairs(_flat(facts.get(part) or {}), part))
    found = facts.get("metrics") or {}
    measured = found.get("arms") or {"Test metrics": found.get("metrics") or {}}
    beyond = {"Beyond accuracy": (found.get("beyond") or {}).get("users") or {}}
    sampled = {"Against sampled items": (found.get("sampled") or {}).get("metrics") or {}}
    for title, metrics in {**measured, **beyond, **sampled}.items():
        if metrics:
            console.print(table(metric_rows(metrics), title=title))
    if found.get("protocol"):
        console.print(f"Protocol: {shown(found['protocol'])}")

"""`audit`: is a run fair, and how sure are we."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rec_core.cli.options import AsJson, RunId, Seed, examples
from rec_core.cli.output import emit, table
from rec_core.cli.progress import progress
from rec_core.cli.session import current

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()


@app.command(
    epilog=examples("audit position RUN", "audit popularity RUN --users 200", "audit all RUN --json")
)
def audit(
    probe: Annotated[
        Literal["position", "popularity", "all"],
        typer.Argument(metavar="PROBE", help="position, popularity, or all.", show_default=False),
    ],
    run: RunId,
    users: Annotated[
        int | None,
        typer.Option("--users", min=1, help="How many users to ask; chosen by the probe if left out."),
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Probe a run for a bias.

    Effects with intervals, corrected p-values and a verdict in words. Position is asked of runs that read
    evidence and pick from lists, popularity of runs that recommend; all asks what the run can answer.
    """
    current().run_id = run
    with progress() as report:
        from rec_core.workbench.audit_verbs import audit

        result = audit(run, probe, n_users=users, seed=seed, progress=report)
    emit(result, as_json, lambda console: _draw(console, result))


def _draw(console: Console, result: dict[str, Any]) -> None:
    columns = ("measure", "group", "value", "low", "high", "n", "p_corrected", "verdict")
    console.print(table(result["rows"], columns, f"{result['run']}: {result['probe']}"))
    if result.get("report"):
        console.print(f"Report: {result['report']}")

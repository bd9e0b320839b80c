"""`tune`: search the ranges that a system's config declares, on validation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rec_core.cli.options import AsJson, PresetName, Seed, examples
from rec_core.cli.output import emit, pairs, table
from rec_core.cli.progress import progress

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()


@app.command(
    epilog=examples(
        "tune matrix_factorisation --data sample --trials 20",
        "tune graph_cf --data ml-100k --trials 50 --set encoder=simgcl --set embedding_size=64",
    )
)
def tune(
    system: Annotated[
        str,
        typer.Argument(metavar="SYSTEM", help="Which system, for example graph_cf.", show_default=False),
    ],
    data: Annotated[
        str, typer.Option("--data", help="A dataset's name, as `data list` shows it.", show_default=False)
    ],
    trials: Annotated[
        int,
        typer.Option("--trials", min=1, help="Finished trainings in all, earlier ones of this search too."),
    ] = 20,
    preset: PresetName = "small",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Keep one field at a value, unsearched; repeat for more."
        ),
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Search a system's settings on validation data.

    Trains again and again with values from the ranges that the system declares, and prints the best ones with
    the `train` command that uses them. The test part is not looked at. Repeat the command to take up a search
    that was stopped, or with more --trials to go on.
    """
    with progress() as report:
        from rec_core import jobs
        from rec_core.config import parse_assignments
        from rec_core.store import Workspace
        from rec_core.workbench.tune_verbs import new_tuning, tune

        overrides = parse_assignments(settings or []) or None
        folder = new_tuning(system, data, preset, overrides, seed, progress=report)
        sys.stderr.write(f"Tuning {folder.run_id}\n")
        with jobs.working(Workspace.from_environment(), folder):
            result = tune(system, data, preset, overrides, trials, seed, progress=report)
    emit(result, as_json, lambda console: _draw(console, result))


def _draw(console: Console, result: dict[str, Any]) -> None:
    metric = f"validation {result['metric']}"
    rows = [
        {"trial": trial["number"], **trial["values"], **_end(trial, metric)} for trial in result["trials"]
    ]
    console.print(pairs({key: result[key] for key in ("tuning", "system", "dataset")}))
    console.print(table(rows))
    console.print(f"Best {metric}: {result['best']['value']:.4f}. Train with these values:")
    console.print(result["command"], soft_wrap=True)


def _end(trial: dict[str, Any], metric: str) -> dict[str, Any]:
    return {metric: trial["value"], "seconds": trial["seconds"], "state": trial["error"] or trial["state"]}

"""`study`: repeat a table or a claim of a paper on one's own data, beside what the paper prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rec_core.cli.options import AsJson, Seed, examples
from rec_core.cli.output import emit, table
from rec_core.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer()


@app.command(
    epilog=examples("study retrieval.quality --data sample", "study retrieval.quality --data ml-1m --json")
)
def study(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which study; an unknown name lists them all.")],
    data: Annotated[str, typer.Option("--data", help="A dataset's name, as `data list` shows it.")],
    preset: Annotated[
        Literal["tiny", "small", "paper"] | None,
        typer.Option("--preset", help="Of the systems that the study trains."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=1, help="How many seeds, for a study that trains.")
    ] = None,
    backbone: Annotated[
        str | None, typer.Option("--backbone", help="A language model, for a study that uses one.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Replace a field of the systems that are trained."),
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure what a paper measured, with 95 % intervals, beside the paper's own numbers."""
    given = {"preset": preset, "seeds": seeds, "backbone": backbone, "settings": _fields(settings)}
    run = _study(name)
    accepted = _accepted(name, run, given, seed)
    with progress() as report:
        result = run(data, progress=report, **accepted)
    _keep(result, accepted)
    tested = any("p_delong" in row for row in result["rows"])
    columns = ("label", "metric", "value", "low", "high", "n", "paper", *(["p_delong"] if tested else []))
    emit(result, as_json, lambda console: console.print(table(result["rows"], columns, f"{name} on {data}")))


def _keep(result: dict[str, Any], settings: dict[str, Any]) -> None:
    from rec_core.store import Workspace
    from rec_core.studies.kept_results import keep_result

    space = Workspace.from_environment()
    if not space.read_only:
        keep_result(result, settings, space)


def _fields(pairs: list[str] | None) -> dict[str, Any] | None:
    from rec_core.config import parse_assignments

    return parse_assignments(pairs) if pairs else None


def _study(name: str) -> Callable[..., dict[str, Any]]:
    from importlib import import_module

    from rec_core.studies import STUDIES
    from rec_core.types import InputError

    if name not in STUDIES:
        raise InputError(f"There is no study {name!r}; choose one of: {', '.join(sorted(STUDIES))}.")
    run: Callable[..., dict[str, Any]] = import_module(STUDIES[name].module).run
    return run


def _accepted(name: str, run: Callable[..., Any], given: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return the settings the study takes; one that was asked for and means nothing to it is an error."""
    from inspect import signature

    from rec_core.types import InputError

    takes = signature(run).parameters
    asked = {setting: value for setting, value in given.items() if value is not None}
    for setting in asked:
        if setting not in takes:
            option = {"settings": "set"}.get(setting, setting)
            raise InputError(f"The study {name} has no setting --{option}; leave it out.")
    return asked | ({"seed": seed} if "seed" in takes else {})

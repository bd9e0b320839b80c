"""Arguments and options that several verbs share, and the examples below a verb's help."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of tables.")]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, as `runs list` shows it.", show_default=False)
]
DataName = Annotated[
    str, typer.Argument(metavar="NAME", help="A dataset's name, as `data list` shows it.", show_default=False)
]
UserId = Annotated[str, typer.Option("--user", help="A user id of the run's dataset.", show_default=False)]
ItemId = Annotated[str, typer.Option("--item", help="An item id of the run's dataset.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]
PresetName = Annotated[
    Literal["tiny", "small", "paper"],
    typer.Option(
        "--preset", help="tiny: minutes on a laptop; small: an honest small run; paper: the published one."
    ),
]


def examples(*calls: str) -> str:
    """Return the epilog of a verb's help: calls that work, one a line, without rewrapping."""
    return "\b\n" + "\n".join(["Examples:", *(f"  python -m rec_core {call}" for call in calls)])

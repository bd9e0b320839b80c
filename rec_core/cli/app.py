"""The command line, assembled: `python -m rec_core VERB ...`; a verb imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from rec_core.cli import (
    audit,
    data,
    descriptions,
    doctor,
    maps,
    recommend,
    rerank,
    runs,
    sample,
    study,
    systems,
    train,
    tune,
)
from rec_core.cli.options import examples
from rec_core.cli.root import Root

PROGRAM = "python -m rec_core"

app = typer.Typer(
    cls=Root,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=examples(
        "doctor",
        "sample build",
        "runs list",
        "recommend RUN --user u1",
        "systems",
        "train graph_cf --help",
    ),
)


@app.callback()
def root(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (may stand anywhere).")
    ] = False,
    job: Annotated[str | None, typer.Option("--job", hidden=True)] = None,
) -> None:
    """Recommendation as a language: train, look inside, question and audit.

    New here? Run `doctor`, then `sample build`, then `runs list`: its run is the RUN of the other commands.
    Every command takes --json, and --help shows what it needs. It exits with 0 when all went well, 1 when
    the work failed or was stopped, 2 when the input is wrong. Everything is kept in the folder
    ROSETTA_WORKSPACE.
    """


for part in (doctor, systems, train, tune, maps, rerank, recommend, audit, study):
    app.add_typer(part.app)
groups = (("sample", sample), ("data", data), ("descriptions", descriptions), ("runs", runs))
for name, group in groups:
    app.add_typer(group.app, name=name)


def main() -> None:
    """Run the command line of this process."""
    app(prog_name=PROGRAM)

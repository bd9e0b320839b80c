"""`systems`: what can be trained, and what each can be asked afterwards."""

from __future__ import annotations

from dataclasses import asdict

import typer

from rec_core.cli.options import AsJson, examples
from rec_core.cli.output import emit, table
from rec_core.cli.progress import progress

app = typer.Typer()

_COLUMNS = ("name", "title", "headline", "capabilities")


@app.command(epilog=examples("systems", "systems --json", "train graph_cf --help"))
def systems(as_json: AsJson = False) -> None:
    """List the systems that can be trained.

    With what each can be asked afterwards and its headline metric. `train SYSTEM --help` lists its fields.
    """
    with progress():
        from rec_core.workbench.run_verbs import systems

        rows = [{**asdict(card), "capabilities": list(card.capabilities)} for card in systems()]
    emit({"systems": rows}, as_json, lambda console: console.print(table(rows, _COLUMNS)))

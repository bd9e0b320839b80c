"""`sample build`: the embedded dataset and a first run."""

from __future__ import annotations

import typer

from rec_core.cli.options import AsJson, examples
from rec_core.cli.output import emit, pairs
from rec_core.cli.progress import progress

app = typer.Typer(help="The embedded sample: real films, simulated viewers.")


@app.callback()
def _group() -> None:
    """Keep `build` a word of its own."""


@app.command(epilog=examples("sample build"))
def build(as_json: AsJson = False) -> None:
    """Build the sample dataset and train RALLRec on it.

    Takes minutes on two cores; nothing is built twice.
    """
    with progress() as report:
        from rec_core.workbench.run_verbs import build_sample

        result = build_sample(progress=report)
    emit(result, as_json, lambda console: console.print(pairs({**result, "runs": ", ".join(result["runs"])})))

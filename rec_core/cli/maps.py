"""`embed` and `project`: a run's item spaces, and maps of them."""

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


@app.command(epilog=examples("embed rallrec-sample-tiny-s0-1a2b3c"))
def embed(run: RunId, as_json: AsJson = False) -> None:
    """Show a run's views of the items and how far they agree.

    The views: id (behaviour), text (words), aligned (both); a run has one to three of them.
    """
    current().run_id = run
    with progress():
        from rec_core.workbench.map_verbs import embed

        result = embed(run)
    emit(result, as_json, lambda console: _draw_views(console, result))


@app.command(epilog=examples("project RUN --view aligned", "project RUN --view text --method pca --json"))
def project(
    run: RunId,
    view: Annotated[
        Literal["id", "text", "aligned"] | None,
        typer.Option("--view", help="Which item space.", show_default="the run's last view"),
    ] = None,
    method: Annotated[
        Literal["umap", "pca"], typer.Option("--method", help="How to draw it in two dimensions.")
    ] = "umap",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Make the map of a view, once.

    A point per item, and how far its place can be trusted (0 to 1).
    """
    current().run_id = run
    with progress() as report:
        from rec_core.workbench.map_verbs import project, views

        space = view or views(run)[-1]
        points = project(run, space, method=method, seed=seed, progress=report)
    rows = points.to_dict(orient="records")
    result = {"run": run, "view": space, "method": method, "seed": seed, "n_items": len(rows), "items": rows}
    emit(result, as_json, lambda console: _draw_map(console, result))


def _draw_views(console: Console, result: dict[str, Any]) -> None:
    console.print(table([{"view": view, **facts} for view, facts in result["views"].items()]))
    found = (result.get("agreement") or {}).get("pairs", [])
    if found:
        console.print(table(found, title="Agreement of two views"))


def _draw_map(console: Console, result: dict[str, Any]) -> None:
    columns = ("item_id", "title", "x", "y", "trust")
    what = f"{result['method']} of the {result['view']} view"
    title = f"{result['n_items']} items, {what}; the first ten (--json: all)"
    console.print(table(result["items"][:10], columns, title))

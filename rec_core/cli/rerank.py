"""`rerank` and `surface`: what alpha and beta do to the evidence for one item, and to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rec_core.cli.options import AsJson, ItemId, RunId, UserId, examples
from rec_core.cli.output import emit, table
from rec_core.cli.progress import progress
from rec_core.cli.session import current

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()


@app.command(
    epilog=examples("rerank RUN --user u1 --item i1", "rerank RUN --user u1 --item i1 --alpha 0.9 --beta 2")
)
def rerank(
    run: RunId,
    user: UserId,
    item: ItemId,
    alpha: Annotated[
        float,
        typer.Option(
            "--alpha",
            min=0.0,
            max=1.0,
            show_default="2/3",
            help="Weight of the semantic channel; recency has the rest.",
        ),
    ] = 2 / 3,
    beta: Annotated[
        float, typer.Option("--beta", min=0.0, help="How fast a channel's lower ranks lose weight.")
    ] = 1.0,
    top_k: Annotated[
        int, typer.Option("--top-k", min=1, help="How many history items the prompt shows.")
    ] = 30,
    order: Annotated[
        Literal["score", "chronological"], typer.Option("--order", help="Best first, or oldest first.")
    ] = "score",
    as_json: AsJson = False,
) -> None:
    """Show what alpha and beta do to the evidence for an item.

    Which history items each channel chooses for the target, and how they are merged.
    """
    current().run_id = run
    with progress():
        from rec_core.workbench.rerank_verbs import rerank

        result = rerank(run, user, item, alpha, beta, top_k=top_k, order=order)
    emit(result, as_json, lambda console: _draw(console, result))


@app.command(epilog=examples("surface RUN", "surface RUN --auc --questions 500"))
def surface(
    run: RunId,
    auc: Annotated[
        bool, typer.Option("--auc", help="Ask the model at every point: its validation AUC (minutes).")
    ] = False,
    questions: Annotated[
        int, typer.Option("--questions", min=20, help="Validation questions asked, with --auc.")
    ] = 500,
    as_json: AsJson = False,
) -> None:
    """Show what every alpha and beta does to evidence, or to the validation AUC; measured once per run."""
    current().run_id = run
    with progress() as report:
        if auc:
            from rec_core.workbench.auc_surface_verbs import auc_surface

            found = auc_surface(run, questions, progress=report)
        else:
            from rec_core.workbench.surface_verbs import surface as measure

            found = measure(run)
    columns = [str(name) for name in found]
    emit(found, as_json, lambda console: console.print(table(found.to_dict("records"), columns, run)))


def _draw(console: Console, result: dict[str, Any]) -> None:
    columns = ("rank", "item_id", "title", "rating", "similarity")
    console.print(table(result["semantic"], columns, "Semantic channel"))
    console.print(table(result["recency"], columns, "Recency channel"))
    merged = ("rank", "item_id", "title", "rating", "channel", "channel_rank", "score", "tied")
    title = f"{result['title']}: merged at alpha {result['alpha']:.4g}, beta {result['beta']:.4g}"
    console.print(table(result["evidence"], merged, title))
    if result.get("note"):
        console.print(result["note"])
    if result.get("p_yes") is not None:
        console.print(f"Probability of a like: {result['p_yes']:.3f}")

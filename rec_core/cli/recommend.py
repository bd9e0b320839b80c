"""`recommend` and `explain`: what to suggest, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rec_core.cli.options import AsJson, ItemId, RunId, UserId, examples
from rec_core.cli.output import emit, pairs, table
from rec_core.cli.progress import progress
from rec_core.cli.session import current

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()


@app.command(
    epilog=examples("recommend RUN --user u1", "recommend RUN --history i1:5 --history i2:2 --top-k 5 --json")
)
def recommend(
    run: RunId,
    user: Annotated[str | None, typer.Option("--user", help="A user id of the run's dataset.")] = None,
    history: Annotated[
        list[str] | None,
        typer.Option(
            "--history", metavar="ITEM:RATING", help="Instead of a user: a composed history, oldest first."
        ),
    ] = None,
    top_k: Annotated[int, typer.Option("--top-k", min=1, help="How many items.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Recommend unseen items to a user, or for a composed history."""
    composed = [_rated(entry) for entry in history] if history else None
    current().run_id = run
    with progress():
        from rec_core.workbench.recommend_verbs import recommend

        result = recommend(run, user=user, history=composed, top_k=top_k)
    columns = ("rank", "item_id", "title", "score", "because")
    rows = [{**item, "because": [e["title"] for e in item["evidence"][:3]]} for item in result["items"]]
    emit(result, as_json, lambda console: console.print(table(rows, columns)))


@app.command(epilog=examples("explain RUN --user u1 --item i1"))
def explain(run: RunId, user: UserId, item: ItemId, as_json: AsJson = False) -> None:
    """Explain one item for one user.

    The evidence, and what the score would be without each piece of it.
    """
    current().run_id = run
    with progress():
        from rec_core.workbench.explain_verbs import explain

        result = explain(run, user, item)
    emit(result, as_json, lambda console: _draw(console, result))


def _rated(entry: str) -> tuple[str, float]:
    from rec_core.types import InputError

    item, colon, rating = entry.rpartition(":")
    try:
        if not (colon and item):
            raise ValueError
        return item, float(rating)
    except ValueError:
        raise InputError(f"{entry!r} is not a rated item; write ITEM:RATING, for example i1:5.") from None


def _draw(console: Console, result: dict[str, Any]) -> None:
    console.print(pairs({key: result.get(key) for key in ("item_id", "title", "score")}))
    console.print(result["sentence"])
    console.print(
        table(result["evidence"], ("rank", "item_id", "title", "rating", "channel", "score"), "Evidence")
    )
    columns = ("item_id", "title", "score_without", "change")
    if result["removals"]:
        console.print(table(result["removals"], columns, "The score without one history item"))
    if result.get("note"):
        console.print(result["note"])

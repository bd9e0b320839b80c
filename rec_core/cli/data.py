"""`data list|import|describe|filter|split`: what is in a dataset and how it is cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rec_core.cli.options import AsJson, DataName, examples
from rec_core.cli.output import emit, pairs, table
from rec_core.cli.progress import progress

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Datasets: list, import, describe, filter, split.")


@app.command("list", epilog=examples("data list", "data list --json"))
def list_(as_json: AsJson = False) -> None:
    """List the datasets that are here or can be had."""
    with progress():
        from rec_core.workbench.data_verbs import datasets

        found = datasets()
    rows = found.to_dict(orient="records")
    emit({"datasets": rows}, as_json, lambda console: console.print(table(rows, list(found.columns))))


@app.command(
    "import",
    epilog=examples(
        "data import ratings.csv --name mine",
        "data import loans.tsv --items books.csv --name library --map user_id=reader --map item_id=isbn",
        "data import reviews/ --name places --format yelp",
    ),
)
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="CSV, TSV, parquet, RecBole atomic file, or a zip of one; or files of another format.",
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="What to call the dataset here.", show_default=False)],
    items: Annotated[
        Path | None, typer.Option("--items", help="A table of items: item_id, title, ...")
    ] = None,
    users: Annotated[Path | None, typer.Option("--users", help="A table of users: user_id, ...")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OURS=THEIRS", help="Which column of yours is ours; repeat for more."),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="table, amazon, steam, yelp, recbole, matrices or datasets; default: by the looks.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import a table of interactions, or files of another format.

    Its columns: user_id, item_id and, where there are any, rating and timestamp. Nothing is kept when a row
    is wrong.
    """
    columns = _mapping(mapping or [])
    with progress():
        from rec_core.workbench.data_verbs import import_table

        facts = import_table(file, name, items, users, columns or None, format)
    emit(facts, as_json, lambda console: console.print(pairs(facts)))


@app.command(epilog=examples("data describe sample", "data describe ml-1m --json"))
def describe(name: DataName, as_json: AsJson = False) -> None:
    """Say what is in a dataset.

    Sizes, density, history lengths, popularity, text coverage.
    """
    with progress() as report:
        from rec_core.workbench.data_verbs import describe

        facts = describe(name, progress=report)
    emit(facts, as_json, lambda console: _draw_description(console, facts))


@app.command(
    "filter",
    epilog=examples(
        "data filter ml-100k --name ml-100k-10 --user-core 10 --item-core 10",
        "data filter movies --name amazon-movies --recipe rallrec-amazon",
    ),
)
def filter_(
    name: DataName,
    new_name: Annotated[str, typer.Option("--name", help="What to call the part.", show_default=False)],
    user_core: Annotated[
        int | None, typer.Option("--user-core", min=0, help="Rows a user must keep (5 without a recipe).")
    ] = None,
    item_core: Annotated[
        int | None, typer.Option("--item-core", min=0, help="Rows an item must keep (5 without a recipe).")
    ] = None,
    user_limit: Annotated[
        int | None, typer.Option("--user-limit", min=0, help="Rows a user may keep at most; 0: any number.")
    ] = None,
    item_limit: Annotated[
        int | None, typer.Option("--item-limit", min=0, help="Rows an item may keep at most; 0: any number.")
    ] = None,
    top_items: Annotated[
        int | None, typer.Option("--top-items", min=0, help="Keep so many items, those with most rows.")
    ] = None,
    genre_depth: Annotated[
        int | None,
        typer.Option("--genre-depth", min=0, help="Keep items of exactly so many genres, with the last one."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", help="A published filter: rallrec-amazon; other options change it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep the part of a dataset with enough rows under a new name.

    Users and items with too few rows (or too many) go until nothing changes. With lower bounds alone that is
    the k-core, the largest part in which everybody has enough.
    """
    with progress():
        from rec_core.workbench.data_verbs import filter_dataset

        facts = filter_dataset(
            name,
            new_name,
            user_core,
            item_core,
            user_limit=user_limit,
            item_limit=item_limit,
            top_items=top_items,
            genre_depth=genre_depth,
            recipe=recipe,
        )
    rows = [{"": part, **facts[part]} for part in ("kept", "dropped")]

    def draw(console: Console) -> None:
        console.print(f"{new_name}: {facts['filter']}.")
        console.print(table(rows))

    emit(facts, as_json, draw)


@app.command(epilog=examples("data split sample", "data split sample --kind leave_one_out"))
def split(
    name: DataName,
    kind: Annotated[
        Literal["global_time", "leave_one_out", "per_user", "given"],
        typer.Option(
            "--kind",
            help="global_time: like questions, 80/10/10 by time (by user at random where each is asked "
            "once); leave_one_out: each user's last two items; per_user: 80/10/10 of each user's at random; "
            "given: as the source comes cut.",
        ),
    ] = "global_time",
    min_history: Annotated[
        int, typer.Option("--min-history", min=1, help="Earlier items that a question needs (global_time).")
    ] = 5,
    as_json: AsJson = False,
) -> None:
    """Preview a split and its leak checks.

    The size of each part, and whether anything leaks between them.
    """
    with progress() as report:
        from rec_core.workbench.data_verbs import split_preview

        preview = split_preview(name, kind=kind, min_history=min_history, progress=report)
    emit(preview, as_json, lambda console: _draw_split(console, preview))


def _mapping(assignments: list[str]) -> dict[str, str]:
    from rec_core.types import InputError

    columns = {}
    for assignment in assignments:
        ours, equals, theirs = assignment.partition("=")
        if not (equals and ours.strip() and theirs.strip()):
            raise InputError(
                f"{assignment!r} is not a column mapping; write our_column=their_column, for example "
                "user_id=reader."
            )
        columns[ours.strip()] = theirs.strip()
    return columns


def _draw_description(console: Console, facts: dict[str, Any]) -> None:
    console.print(pairs(facts))
    for part in ("history_length", "rating_counts", "text_coverage", "time_range"):
        values = facts.get(part)
        if isinstance(values, dict):
            console.print(pairs(values, part.replace("_", " ")))
    for note in facts.get("notes") or ():
        console.print(f"Note: {note}")


def _draw_split(console: Console, preview: dict[str, Any]) -> None:
    rows = [{"part": part, **sizes} for part, sizes in preview["parts"].items()]
    console.print(table(rows, title=f"{preview['dataset']}: {preview['kind']}"))
    console.print(table(preview["leaks"], ("check", "ok", "detail"), "Leak checks"))

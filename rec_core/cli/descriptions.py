"""`descriptions write|show`: what a language model says about each item."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rec_core.cli.options import AsJson, DataName, examples
from rec_core.cli.output import emit, pairs, table
from rec_core.cli.progress import progress

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Descriptions of items by a language model: write, show.")

_MODEL = typer.Option(
    "--model", help="A folder or hub name, or what the endpoint calls its model.", show_default=False
)
WriterName = Annotated[
    Literal["local", "endpoint"] | None,
    typer.Option(
        "--writer",
        help="A language model of this machine, or an OpenAI-compatible server.",
        show_default="endpoint with --endpoint, else local",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Another setting: temperature, top_p, max_new_tokens, words, own_text, seed, "
        "endpoint.concurrency, endpoint.timeout_seconds, endpoint.retries, endpoint.token_limit, "
        "local.precision, local.max_tokens_per_batch; repeat for more.",
    ),
]


@app.command(
    epilog=examples(
        "descriptions write sample --model ./my-model --limit 5",
        "descriptions write ml-1m --model llama-3.1-8b --endpoint http://127.0.0.1:8000/v1 --estimate",
        "descriptions write ml-1m --model NAME --writer endpoint --price 0.2 0.6 --yes",
    )
)
def write(
    data: DataName,
    model: Annotated[str, _MODEL],
    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint",
            metavar="URL",
            help="Base URL of a server; its key is read from ROSETTA_ENDPOINT_KEY.",
            show_default="ROSETTA_ENDPOINT_URL, else OPENAI_BASE_URL with OPENAI_API_KEY",
        ),
    ] = None,
    writer: WriterName = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask at most this many.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Ask once more where an answer is cut, empty or refused.")
    ] = False,
    settings: Settings = None,
    price: Annotated[
        tuple[float, float] | None,
        typer.Option(
            "--price", metavar="IN OUT", help="What a million prompt and a million answer tokens cost."
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", min=0.0, help="How long one answer takes.", show_default="as measured"),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what it would take; nothing is asked.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Begin without asking back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have a language model write a description of every item.

    Says first how many requests, tokens, money and time it will take. Each answer is kept before the next is
    asked for: repeat the command after a stop, and nothing that was written is asked again.
    """
    chosen = _settings(model, writer or ("endpoint" if endpoint else "local"), settings)
    asked: dict[str, Any] = {"again": again, "limit": limit, "prices": price, "seconds_each": seconds}
    with progress() as report:
        from rec_core.workbench.description_verbs import estimate_descriptions

        planned = estimate_descriptions(data, chosen, progress=report, **asked)
    if estimate or not planned["estimate"]["requests"]:
        emit(planned, as_json, lambda console: _draw(console, planned))
        return
    sys.stderr.write(f"{planned['line']}\n")
    if not yes:
        _ask_back()
    with progress() as report:
        from rec_core.workbench.description_verbs import write_descriptions

        result = write_descriptions(data, chosen, url=endpoint, progress=report, **asked)
    emit(result, as_json, lambda console: _draw(console, result))


@app.command(
    epilog=examples(
        "descriptions show sample",
        "descriptions show sample --model ./my-model --item f001",
        "descriptions show ml-1m --model NAME --writer endpoint --limit 20 --json",
    )
)
def show(
    data: DataName,
    model: Annotated[str | None, _MODEL] = None,
    writer: WriterName = None,
    items: Annotated[
        list[str] | None, typer.Option("--item", help="An item id; repeat for more.", show_default="all")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Show at most this many.")] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Show each item's description and how it came about.

    Without --model the dataset's own text; it also stands in wherever a model's answer is not whole.
    """
    if not model and (writer or settings):
        from rec_core.types import InputError

        raise InputError("--writer and --set say how a model writes; give --model NAME too.")
    chosen = _settings(model, writer or "local", settings) if model else None
    with progress() as report:
        from rec_core.workbench.description_verbs import show_descriptions

        result = show_descriptions(data, chosen, items, limit=limit, progress=report)
    emit(result, as_json, lambda console: _draw_rows(console, result))


def _settings(model: str, writer: str, assignments: list[str] | None) -> dict[str, Any]:
    from rec_core.config import parse_assignments

    return {**parse_assignments(assignments or []), "writer": writer, "model": model}


def _ask_back() -> None:
    from rec_core.types import InputError

    if not sys.stdin.isatty():
        raise InputError("Nothing was asked yet; repeat the command with --yes to begin.")
    with redirect_stdout(sys.stderr):  # stdout is for the result alone
        typer.confirm("Begin?", abort=True)


def _draw(console: Console, result: dict[str, Any]) -> None:
    facts = {name: result[name] for name in ("dataset", "writer", "model", "items")}
    console.print(pairs({**facts, **result["states"]}))
    if "line" in result:
        console.print(result["line"], soft_wrap=True)
    else:
        numbers = ("asked", "prompt_tokens", "answer_tokens", "cost")
        console.print(pairs({name: result[name] for name in numbers}, "This time"))


def _draw_rows(console: Console, result: dict[str, Any]) -> None:
    rows = [
        {**row, "text": row["description" if row["state"] == "written" else "own"]} for row in result["rows"]
    ]
    console.print(table(rows, ("item_id", "title", "state", "text")))

"""One sentence for a person and an exit code for a script: 2 for wrong input, 1 for any other failure."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rec_core.cli.session import Session

WRONG_INPUT, FAILED = 2, 1


def report(error: BaseException, session: Session) -> int:
    """Write the sentence to stderr, the traceback where it belongs, and return the exit code.

    Wrong input and a cancelled run need no traceback. Any other error's goes to the log of the run it
    concerns, and to stderr with --debug only.
    """
    from rec_core.types import Cancelled, InputError

    if session.debug:
        traceback.print_exception(error)
    if isinstance(error, typer.TyperException):
        _say(_usage(error))
        return error.exit_code
    if isinstance(error, InputError):
        _say(str(error))
        return WRONG_INPUT
    if isinstance(error, Cancelled):
        _say(str(error))
        return FAILED
    if isinstance(error, BrokenPipeError):
        sys.stdout = None  # type: ignore[assignment]  # the reader is gone: nothing more to flush at exit
        return FAILED
    if isinstance(error, typer.Abort | EOFError):
        _say("Stopped before anything was done.")
        return FAILED
    _say(f"{_what(error)} {_where(error, session)}")
    return FAILED


def _say(text: str) -> None:
    sys.stderr.write("".join(c for c in " ".join(text.split()) if c.isprintable()) + "\n")


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    message = error.format_message().strip().rstrip(".?").replace(": Value error, ", ": ")
    return f"{message}; see `{context.command_path} --help`." if context else f"{message}."


def _what(error: BaseException) -> str:
    first_line = str(error).strip().split("\n", 1)[0][:300].rstrip(".")
    return f"{type(error).__name__}: {first_line}." if first_line else f"{type(error).__name__}."


def _where(error: BaseException, session: Session) -> str:
    if session.run_id is None:
        return "Repeat with --debug to see where it happened."
    from rec_core.store import Workspace

    space = Workspace.from_environment()
    log = space.run_path(session.run_id) / "log.txt"
    if space.read_only or not log.parent.is_dir():
        return "Repeat with --debug to see where it happened."
    details = "".join(traceback.format_exception(error))
    if not log.exists() or details.strip().rsplit("\n", 1)[-1] not in log.read_text(errors="replace")[-2000:]:
        with log.open("a", encoding="utf-8") as file:
            file.write(details)
    return f"Where it happened is in {log}."

"""The root of the command line: runs a verb and maps every error to one sentence and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from rec_core.cli.errors import report
from rec_core.cli.session import begin, current


class Root(TyperGroup):
    """A group whose `main` never shows a traceback and always ends with 0, 1 or 2."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Any:
        """Run the command line; `--debug` may stand anywhere before a `--`."""
        given = list(sys.argv[1:] if args is None else args)
        ours = given[: given.index("--")] if "--" in given else given
        session = begin(debug="--debug" in ours)
        rest = [word for word in ours if word != "--debug"] + given[len(ours) :]
        options["standalone_mode"] = False
        try:
            code = super().main(rest or ["--help"], *more, **options)
            sys.stdout.flush()
        except Exception as error:  # noqa: BLE001 - the last place: whatever it is becomes a sentence
            code = report(error, session)
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb, with `--job FOLDER` as that folder's worker; Ctrl-C counts as a cancellation."""
        try:
            job = ctx.params.get("job")
            if job is None:
                return super().invoke(ctx)
            from rec_core.jobs import working_on_command

            with working_on_command(Path(job)) as folder:
                current().job = folder
                return super().invoke(ctx)
        except KeyboardInterrupt:
            from rec_core.types import Cancelled

            raise Cancelled("Stopped from the keyboard; what was saved stays.") from None

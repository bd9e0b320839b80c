"""`doctor`: is this machine ready."""

from __future__ import annotations

import typer

from rec_core.cli.options import AsJson, examples
from rec_core.cli.output import emit, table
from rec_core.cli.progress import progress

app = typer.Typer()


@app.command(epilog=examples("doctor", "doctor --json"))
def doctor(as_json: AsJson = False) -> None:
    """Check this machine, and say how to mend what is wrong.

    Looks at versions, GPU, threads, folders, disk, memory and data.
    """
    with progress():
        from rec_core.workbench.doctor_verbs import doctor as look

        checks = look()
    well = all(check["ok"] for check in checks)
    emit(
        {"ok": well, "checks": checks},
        as_json,
        lambda console: console.print(table(checks, ("check", "ok", "detail", "mend"))),
    )
    if not well:
        raise typer.Exit(1)

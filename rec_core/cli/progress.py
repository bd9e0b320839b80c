"""Draw ProgressEvents on stderr: bars on a terminal, lines elsewhere, nothing in a detached worker."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from rec_core.cli.session import current

if TYPE_CHECKING:
    from rec_core.types import ProgressEvent

LINE_SECONDS = 10.0


@contextmanager
def progress(draw: bool = True) -> Iterator[Callable[[ProgressEvent], None]]:
    """Give a progress callback for a verb, and send whatever libraries print on stdout to stderr meanwhile.

    Args:
        draw: False = draw nothing (a detached worker, whose events are kept in its folder).
    """
    job = current().job
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(sys.stderr))
        if job is not None:
            yield job.report
        elif not draw:
            yield lambda event: None
        elif sys.stderr.isatty():
            yield stack.enter_context(_bars())
        else:
            yield Lines()


class Lines:
    """One line when a stage starts and ends, and every ten seconds between."""

    def __init__(self) -> None:
        """Begin before the first stage."""
        self._stage = ""
        self._next = 0.0

    def __call__(self, event: ProgressEvent) -> None:
        """Write the event when it is due."""
        now = time.monotonic()
        if event.stage == self._stage and event.step < event.total and now < self._next:
            return
        self._stage, self._next = event.stage, now + LINE_SECONDS
        sys.stderr.write(f"{event.stage} {event.step}/{event.total} {_numbers(event)}".rstrip() + "\n")
        sys.stderr.flush()


@contextmanager
def _bars() -> Iterator[Callable[[ProgressEvent], None]]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}"),
    )
    tasks = {}
    with Progress(*columns, console=Console(file=sys.stderr)) as bars:

        def show(event: ProgressEvent) -> None:
            if event.stage not in tasks:
                tasks[event.stage] = bars.add_task(escape(event.stage), total=event.total, numbers="")
            bars.update(
                tasks[event.stage], completed=event.step, total=event.total, numbers=escape(_numbers(event))
            )

        yield show


def _numbers(event: ProgressEvent) -> str:
    return " ".join(
        [*(f"{name}={value:.4g}" for name, value in event.metrics.items()), event.message]
    ).strip()

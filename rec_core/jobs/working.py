"""What a worker does around its work: claim the folder, answer TERM, leave a status, start the next."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rec_core.jobs.claims import claim
from rec_core.jobs.lane import advance
from rec_core.run_folder import RunFolder, ending
from rec_core.store import Workspace
from rec_core.types import Cancelled


@contextmanager
def working(workspace: Workspace, folder: RunFolder) -> Iterator[None]:
    """Be the worker of a folder for the length of the block, and start the next in line afterwards.

    The verb inside writes a run's status itself; when it could not, the error is written here.

    Raises:
        InputError: the workspace is read-only, or another live process works on it.
        Cancelled: TERM came, and the block was left.
    """
    try:
        with _term_raises(folder.run_id), claim(workspace, folder):
            try:
                yield
            except BaseException as error:
                _leave_word(folder, error)
                raise
    finally:
        advance(workspace)


@contextmanager
def working_on_command(path: Path) -> Iterator[RunFolder]:
    """Be the worker of a command job, whose status is written here."""
    folder, started = RunFolder(path), time.time()
    with working(Workspace.from_environment(), folder):
        folder.set_status("running", stage="starting", step=0, total=1, message="", error="", started=started)
        yield folder
        folder.set_status("done", seconds=time.time() - started, finished=time.time(), message="")


def _leave_word(folder: RunFolder, error: BaseException) -> None:
    """Write how the work ended, and the traceback, unless it was written already."""
    status = folder.status
    if status.get("state") not in ("running", "cancelling") or status.get("pid") != os.getpid():
        return
    with (folder.path / "log.txt").open("a", encoding="utf-8") as log:
        log.write(traceback.format_exc())
    state, said = ending(error)
    folder.set_status(state, error=said)


@contextmanager
def _term_raises(name: str) -> Iterator[None]:
    """Turn TERM into `Cancelled` in the main thread, for the status to say so; a second changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Cancelled(f"{name} was told to end.")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

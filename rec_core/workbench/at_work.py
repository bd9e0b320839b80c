"""Being the one that works on a run's or a tuning's folder, and leaving word of how it ended."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from rec_core.run_folder import RunFolder, ending, true_state
from rec_core.types import InputError


def refuse_second_worker(folder: RunFolder, what: str) -> None:
    """Raise `InputError` when another live process works on the folder.

    Args:
        folder: of a run or tuning.
        what: "Run" or "Tuning", for the sentence.
    """
    status = folder.status
    if true_state(status) in ("running", "cancelling") and status.get("pid") != os.getpid():
        raise InputError(
            f"{what} {folder.run_id} is already worked on by process {status['pid']}; wait for it, or cancel "
            f"it with `runs cancel {folder.run_id}`."
        )


@contextmanager
def at_work(folder: RunFolder) -> Iterator[None]:
    """Write the status: at work for the length of the block, then how it ended."""
    folder.clear_stop()
    started, before = time.time(), float(folder.status.get("seconds", 0.0))
    folder.set_status("running", stage="loading", step=0, total=1, message="", error="", started=started)
    try:
        yield
    except BaseException as error:
        state, said = ending(error)
        with (folder.path / "log.txt").open("a", encoding="utf-8") as log:
            log.write(traceback.format_exc())
        seconds = before + time.time() - started
        folder.set_status(state, seconds=seconds, error=said)
        raise
    folder.set_status("done", seconds=before + time.time() - started, finished=time.time(), message="")

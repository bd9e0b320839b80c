"""One process or several: who am I, who writes, who waits, sums over all, and one ending for all.

`torchrun --nproc_per_node N -m rec_core train ...` (or `accelerate launch`) starts N processes that each run
the same command. accelerate joins them; a single process never imports it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

_PATIENCE = timedelta(days=7)  # for the main process while it works by itself
_ANSWER = timedelta(seconds=10)  # for the launcher's store, which is in another process of some machine
_ALONE: ContextVar[bool] = ContextVar("alone", default=False)


def n_processes() -> int:
    """Return how many processes share this work (1 without a launcher, and within `by_main`)."""
    return 1 if _ALONE.get() else int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return this process's number among those that share this work, 0 for the main one."""
    return 0 if _ALONE.get() else int(os.environ.get("RANK", "0"))


def is_main() -> bool:
    """Tell whether this process writes files and speaks."""
    return int(os.environ.get("RANK", "0")) == 0


def share(value: Any) -> Any:
    """Return the main process's value in every process; all must call it."""
    if n_processes() == 1:
        return value
    from torch.distributed import broadcast_object_list

    box = [value]
    broadcast_object_list(box, src=0, group=_waiting_group())
    return box[0]


def sum_over_processes(tensor: torch.Tensor) -> torch.Tensor:
    """Return the sum of the processes' tensors, the same in every process; all must call it."""
    if n_processes() == 1:
        return tensor
    from accelerate.utils import reduce

    _state()
    return reduce(tensor, "sum")


def wait_for_everyone() -> None:
    """Hold until every process has come here, for a week at most."""
    if n_processes() > 1:
        from torch.distributed import barrier

        barrier(group=_waiting_group())


def by_main(work: Callable[[], T]) -> T:
    """Have the main process do something by itself, and return what it returns in every process.

    It begins when all have come here, and the others wait until it has ended, for a week at most. Within
    `work` there is one process: what shares its steps elsewhere (`training.loop`) does not here.

    Args:
        work: returns something small, which is sent to the others.

    Raises:
        Exception: what `work` raises, in every process; see `ending_together` for its kind in the others.
    """
    if n_processes() == 1:
        return work()
    wait_for_everyone()
    outcome: tuple[dict[str, Any] | None, Any] = (None, None)
    if is_main():
        try:
            with _alone():
                outcome = (None, work())
        except BaseException as error:
            share((_word(error), None))
            raise
    word, value = share(outcome)
    if word is not None:
        raise _raised_by(word)
    return value  # type: ignore[no-any-return]


def main_first(work: Callable[[], T]) -> T:
    """Do something in the main process and then in the others, who find what it left on disk.

    Args:
        work: keeps its result in files and reads it there when it is called again; see `by_main`.
    """
    found: list[T] = []
    by_main(lambda: found.append(work()))
    if found:
        return found[0]
    with _alone():
        return work()


@contextmanager
def ending_together() -> Iterator[None]:
    """Have the processes that share a work all end for the reason that ended the first one.

    What ends one process ends the others: their connections to it break, or the launcher tells them to end.
    Each of them raises the first one's reason instead of that: `Cancelled` and `InputError` as they were,
    any other as a RuntimeError that names process and error. Within a process alone nothing changes.
    """
    try:
        yield
    except Exception as error:
        first = _first_word(error) if n_processes() > 1 else None
        if first is None or first["rank"] == rank():
            raise
        raise _raised_by(first) from error


@contextmanager
def _alone() -> Iterator[None]:
    token = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(token)


def _word(error: BaseException) -> dict[str, Any]:
    """Return what the other processes need to know of an error."""
    kind = next((kind for kind in _kept_kinds() if isinstance(error, kind)), type(error))
    return {"rank": rank(), "kind": kind.__name__, "text": str(error)}


def _raised_by(word: dict[str, Any]) -> Exception:
    """Return the error that a process raises because of what ended another."""
    for kind in _kept_kinds():
        if word["kind"] == kind.__name__:
            return kind(word["text"])
    text = f"{word['kind']}: {word['text']}".rstrip(": ")
    return RuntimeError(f"Process {word['rank']} ended with {text}")


def _kept_kinds() -> tuple[type[Exception], ...]:
    """Return the errors that stay what they are in every process; `types` brings numpy, hence late."""
    from rec_core.types import Cancelled, InputError

    return Cancelled, InputError


def _first_word(error: Exception) -> dict[str, Any] | None:
    """Return the word of the process that ended first, this one's if that is it; None where nobody keeps it.

    From here on TERM changes nothing: the launcher sends it to all as soon as one has ended.
    """
    from torch.distributed import TCPStore

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    try:
        store = TCPStore(host, port, is_master=False, wait_for_workers=False, timeout=_ANSWER)
        key = f"ended/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}"
        word: dict[str, Any] = json.loads(store.compare_set(key, "", json.dumps(_word(error))))
    except RuntimeError:  # it went down with the process that ended
        return None
    return word


@lru_cache(maxsize=1)
def _waiting_group() -> Any:
    """Return the group in which processes wait for each other: on the CPU, and with patience."""
    from torch.distributed import new_group

    _state()
    return new_group(backend="gloo", timeout=_PATIENCE)


@lru_cache(maxsize=1)
def _state() -> Any:
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available())

"""What one call of the command line knows about itself: set by the root, read by verbs and error report."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rec_core.run_folder import RunFolder


@dataclass
class Session:
    """`job`: the folder of the job this call carries out; `run_id`: the run whose log gets a traceback."""

    debug: bool = False
    job: RunFolder | None = None
    run_id: str | None = None


_CURRENT: ContextVar[Session] = ContextVar("session")


def begin(debug: bool) -> Session:
    """Open the session of this call."""
    session = Session(debug)
    _CURRENT.set(session)
    return session


def current() -> Session:
    """Return the session of this call."""
    return _CURRENT.get()

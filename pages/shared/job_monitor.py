"""What a detached worker does, live: progress, losses, log, cancel, resume. Found again by its name."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import streamlit as st

from pages.shared import messages, session
from pages.shared.plain import unlinked
from rec_core import jobs
from rec_core.figures.loss_curves import loss_curves
from rec_core.store import Workspace, read_json
from rec_core.types import InputError

LIVE = ("queued", "running", "cancelling")
POLL_SECONDS = 1.5
_WORDS = {
    "queued": ("Waiting in line", "gray", ":material/hourglass:"),
    "running": ("Running", "orange", ":material/progress_activity:"),
    "cancelling": ("Stopping", "orange", ":material/progress_activity:"),
    "cancelled": ("Cancelled", "gray", ":material/block:"),
    "failed": ("Failed", "red", ":material/error:"),
    "done": ("Done", "green", ":material/check:"),
    "lost": ("Lost", "red", ":material/link_off:"),
}


def state_of(name: str) -> str:
    """Return the state of a run or job, "absent" when there is none of that name."""
    try:
        return jobs.state(session.workspace(), name)
    except InputError:
        return "absent"


def watch(name: str, title: str, again: Callable[[], Any] | None = None, details: bool = True) -> str:
    """Draw a run or job, anew every moment while it is live, and return its state.

    Args:
        name: of the run or job.
        title: for people.
        again: what "Resume" or "Start again" calls; None shows no such button.
        details: also draw losses and log.
    """
    state = state_of(name)
    if state != "absent":
        every = POLL_SECONDS if state in LIVE else None
        st.fragment(_panel, run_every=every)(name, title, again, details, state)
    return state


def _panel(name: str, title: str, again: Callable[[], Any] | None, details: bool, drawn_for: str) -> None:
    space = session.workspace()
    jobs.advance(space)
    state = jobs.state(space, name)
    if (state in LIVE) != (drawn_for in LIVE):
        st.rerun()
    status, events = _status(space, name), jobs.events(space, name)
    with st.container(border=True):
        words, colour, icon = _WORDS.get(state, (state, "gray", None))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title}**")
            st.badge(words, icon=icon, color=colour)
        if state in LIVE:
            st.progress(*_progress(space, name, status, events))
        elif state == "lost":
            st.warning("The worker is gone: it was killed or the machine restarted. What it saved is kept.")
        elif state == "failed":
            st.error(unlinked(str(status.get("error") or "It ended with an error; the log says more.")))
        with messages.shown():
            _buttons(space, name, state, again)
        if details:
            _details(space, name, events)


def _progress(
    space: Workspace, name: str, status: dict[str, Any], events: list[dict[str, Any]]
) -> tuple[float, str]:
    line = jobs.queue(space)
    if name in line:
        return 0.0, f"Place {line.index(name) + 1} in line: one heavy job at a time"
    if not events:
        return 0.0, unlinked(status.get("stage") or "starting")
    last = events[-1]
    total, step = max(1, last["total"]), last["step"]
    left = _seconds_left([e for e in events if e["stage"] == last["stage"]])
    words = f"{last['stage']}: {step:,} of {total:,}" + (f", about {left} left in this stage" if left else "")
    return min(1.0, step / total), unlinked(f"{words} {last['message']}".strip())


def _seconds_left(stage: list[dict[str, Any]]) -> str:
    done = stage[-1]["step"] - stage[0]["step"]
    spent = stage[-1]["time"] - stage[0]["time"]
    if done <= 0 or spent <= 0:
        return ""
    seconds = spent / done * (stage[-1]["total"] - stage[-1]["step"]) - (time.time() - stage[-1]["time"])
    return str(timedelta(seconds=round(seconds))) if seconds >= 1 else ""


def _buttons(space: Workspace, name: str, state: str, again: Callable[[], Any] | None) -> None:
    if state in LIVE and st.button(
        "Cancel", key=f"cancel-{name}", icon=":material/stop:", disabled=state == "cancelling"
    ):
        with st.spinner("Asking the worker to stop"):
            jobs.cancel(space, name)
        st.rerun()
    if state not in (*LIVE, "done") and again is not None:
        if st.button("Resume", key=f"again-{name}", icon=":material/resume:", type="primary"):
            again()
            st.rerun()


def _details(space: Workspace, name: str, events: list[dict[str, Any]]) -> None:
    told = [event for event in events if event["metrics"]]
    if told:
        stage = [event for event in told if event["stage"] == told[-1]["stage"]]
        st.plotly_chart(
            loss_curves(stage), key=f"losses-{name}", alt="Losses and metrics by step, one line each"
        )
    with st.expander("Log", icon=":material/article:"):
        st.code(jobs.log_tail(space, name, 60) or "Nothing yet.", language=None, wrap_lines=True)


def _status(space: Workspace, name: str) -> dict[str, Any]:
    for kind in ("runs", "jobs"):
        file = space.root / kind / name / "status.json"
        if file.exists():
            return dict(read_json(file))
    return {}

"""Detached workers: start, queue, watch, cancel, re-attach. The run folder is the only truth about them."""

from rec_core.jobs.cancelling import cancel
from rec_core.jobs.lane import advance, enqueue, enqueue_command, queue
from rec_core.jobs.launching import start, start_command
from rec_core.jobs.watching import Job, active, events, log_tail, state, wait
from rec_core.jobs.working import working, working_on_command

__all__ = [
    "Job",
    "active",
    "advance",
    "cancel",
    "enqueue",
    "enqueue_command",
    "events",
    "log_tail",
    "queue",
    "start",
    "start_command",
    "state",
    "wait",
    "working",
    "working_on_command",
]

"""The line: in order, one at a time, moved by whoever ends or looks."""

import os
import signal

import pytest

from rec_core import jobs
from rec_core.types import InputError
from tests.jobs.fake_work import IDLE, STEPS, new_run, until


def test_the_line_is_served_in_order_one_at_a_time(space, program):
    program(STEPS)
    order = space.root / "order.txt"
    order.touch()
    names = ["c", "a", "b"]
    for name in names:
        new_run(space, name)
    assert [jobs.enqueue(space, name) for name in names] == [0, 1, 2]
    assert jobs.queue(space) == ["a", "b"] and jobs.state(space, "b") == "queued"
    with pytest.raises(InputError, match="already in line"):
        jobs.enqueue(space, "a")
    assert jobs.advance(space) is None  # somebody is at work
    until(lambda: "end b\n" in order.read_text(), 30)
    assert jobs.state(space, "b") == "done"
    assert order.read_text().splitlines() == ["start c", "end c", "start a", "end a", "start b", "end b"]


def test_a_poll_moves_the_line_when_the_worker_was_killed(space, program):
    program(IDLE)
    new_run(space, "a"), new_run(space, "b")
    jobs.enqueue(space, "a"), jobs.enqueue(space, "b")
    os.kill(jobs.active(space)[0].status["pid"], signal.SIGKILL)
    until(lambda: jobs.state(space, "a") == "lost", 2)
    assert jobs.state(space, "b") == "queued"
    assert jobs.advance(space) == "b"
    assert [job.name for job in jobs.active(space)] == ["b"] and jobs.queue(space) == []


def test_cancelling_in_line_takes_it_out_and_cancelling_the_first_starts_the_next(space, program):
    program(IDLE)
    for name in ("a", "b", "c"):
        new_run(space, name)
        jobs.enqueue(space, name)
    assert jobs.cancel(space, "b") == "cancelled"
    assert jobs.queue(space) == ["c"] and jobs.state(space, "a") == "running"
    assert jobs.cancel(space, "a", grace=0.1) == "cancelled"
    assert [job.name for job in jobs.active(space)] == ["c"]

"""Writing what is left: kept answer by answer, and never asked again, however it was interrupted."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest

from rec_core.data.storage import save_dataset
from rec_core.llm.endpoint import Endpoint
from rec_core.llm.endpoint_writer import EndpointConfig, EndpointWriter
from rec_core.llm.writer import Answer, Ask, SamplingConfig
from rec_core.llm.writing import left, write_left
from rec_core.llm.writing_estimate import FEW, Estimate
from rec_core.llm.written_cache import read_answers
from rec_core.store import PROJECT_ROOT, Workspace
from rec_core.systems.description_writing import DescriptionConfig, answers_folder
from rec_core.types import Cancelled, InputError, ignore_progress
from tests.llm.stub_server import echo, failure, serving, slowly

ASKS = [Ask(f"k{i}", f"film {i}") for i in range(12)]


class Scripted:
    """A writer that answers from a table and remembers what it was asked."""

    def __init__(self, **finishes):
        self.asked, self.finishes, self.opened = [], finishes, 0

    def __enter__(self):
        self.opened += 1
        return self

    def __exit__(self, *error):
        self.opened -= 1

    def answers(self, asks):
        for ask in asks:
            self.asked.append((ask.key, ask.attempt))
            yield Answer(ask, f"text {ask.attempt}", self.finishes.get(ask.key, "stop"), 1, 1, 0.0)

    def in_flight(self, seconds):
        yield from ()


def plan(asks, before):
    return Estimate(len(asks), len(before), 0, 0, None, None, None, False)


def write(folder, writer, asks=ASKS, progress=ignore_progress, **options):
    return write_left(asks, writer, folder, {"model": "m"}, plan, progress, "texts", **options)


def test_what_is_on_disk_is_not_asked_again(tmp_path):
    first, second, third = Scripted(), Scripted(), Scripted()
    assert len(write(tmp_path, first, limit=5)) == 5
    assert len(write(tmp_path, second)) == 12
    assert write(tmp_path, third).keys() == {ask.key for ask in ASKS}
    assert [key for key, _ in first.asked + second.asked] == [ask.key for ask in ASKS]
    assert third.asked == [] and (first.opened, second.opened) == (0, 0)


def test_asks_with_the_same_key_are_one_request(tmp_path):
    writer = Scripted()
    write(tmp_path, writer, [ASKS[0], ASKS[1], Ask("k0", "film 0")])
    assert [key for key, _ in writer.asked] == ["k0", "k1"]


def test_marked_answers_are_asked_once_more_only_when_told_to(tmp_path):
    write(tmp_path, Scripted(k2="length", k3="filter"))
    silent, again, later = Scripted(), Scripted(k2="length"), Scripted()
    write(tmp_path, silent)
    answers = write(tmp_path, again, again=True)
    assert silent.asked == [] and again.asked == [("k2", 1), ("k3", 1)]
    assert (answers["k3"].text, answers["k3"].state, answers["k2"].state) == ("text 1", "written", "cut")
    write(tmp_path, later, again=True)
    assert later.asked == [("k2", 2)]


def test_progress_counts_what_was_there_and_tells_the_plan_anew_after_the_first_answers(tmp_path):
    write(tmp_path, Scripted(), limit=3)
    events = []
    write(tmp_path, Scripted(), progress=events.append, limit=7)
    assert [(event.stage, event.step, event.total) for event in events] == [
        ("texts", step, 10) for step in range(3, 11)
    ]
    said = [event.message for event in events]
    assert said[0] == said[FEW - 1] == plan(range(7), range(3)).line
    assert said[FEW] == said[-1] == plan(range(7), range(3 + FEW)).line


def test_left_keeps_the_order():
    answers = {"k1": Answer(ASKS[1], "t", "stop", 1, 1, 0.0)}
    assert left(ASKS[:4], answers) == [ASKS[0], ASKS[2], ASKS[3]]


def endpoint_writer(url, concurrency):
    config = EndpointConfig(concurrency=concurrency)
    return EndpointWriter(Endpoint.at(url), "m", SamplingConfig(), config)


@pytest.mark.parametrize("error", [Cancelled("stop"), KeyboardInterrupt()])
def test_a_stop_keeps_the_answers_that_are_on_their_way(tmp_path, error):
    def stop(event):
        if event.step == 3:
            raise error

    with serving(lambda p, n: slowly(0.02 * (1 + n % 3))(p, n)) as server:
        with pytest.raises(type(error)):
            write(tmp_path, endpoint_writer(server.url, 4), progress=stop)
        asked = len(server.prompts)
        assert 3 <= asked < 12 and len(read_answers(tmp_path)) == asked
        assert len(write(tmp_path, endpoint_writer(server.url, 4))) == 12
    assert Counter(server.prompts) == Counter(ask.prompt for ask in ASKS)


def test_a_failure_keeps_them_too(tmp_path):
    broken = [True]

    def reply(prompt, number):
        time.sleep(0.0 if prompt == "film 1" else 0.1)
        return failure(400) if prompt == "film 1" and broken[0] else echo(prompt, number)

    with serving(reply) as server:
        with pytest.raises(InputError, match="refuses the request"):
            write(tmp_path, endpoint_writer(server.url, 3))
        assert set(read_answers(tmp_path)) == {"k0", "k2"}
        broken[0] = False
        assert len(write(tmp_path, endpoint_writer(server.url, 3))) == 12
    assert Counter(server.prompts) == Counter([ask.prompt for ask in ASKS] + ["film 1"])


KILLS = 5
PHASES = ("asked", "half", "sent")


@pytest.mark.slow
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_client_killed_at_any_moment_pays_for_no_kept_answer_again(concurrency, planted, tmp_path):
    """The server kills its client: on being asked, with half an answer sent, or just after a whole one."""
    space, rng = Workspace(tmp_path), np.random.default_rng(concurrency)
    save_dataset(planted, space.dataset_path("planted"))
    config = DescriptionConfig(writer="endpoint", model="m")
    folder, client, goal, unkept = answers_folder(config, space), [], [None], []

    def at(phase, number):
        if concurrency == 1 and phase == "asked":  # what was answered before must lie on the disk by now
            kept = {answer.ask.prompt for answer in read_answers(folder).values()}
            unkept.extend(set(server.answered[mark:]) - kept)
        if goal[0] == (phase, number):
            time.sleep(float(rng.random()) * 0.01 if phase == "sent" else 0)
            os.kill(client[-1].pid, signal.SIGKILL)

    def run_client():
        words = ["write", "planted", "--model", "m", "--endpoint", server.url, "--yes"]
        command = [sys.executable, "-m", "rec_core", "descriptions", *words]
        command += ["--set", f"endpoint.concurrency={concurrency}"]
        environment = {**os.environ, "ROSETTA_WORKSPACE": str(tmp_path)}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        client.append(subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, **quiet))
        return client[-1].wait(60)

    lost = []
    with serving(at=at) as server:
        for kill in range(KILLS + 1):
            before, first = set(read_answers(folder)), len(server.prompts)
            mark = len(server.answered)
            last = kill == KILLS
            goal[0] = None if last else (PHASES[kill % 3], first + int(rng.integers(5)))
            code = run_client()
            assert code == (0 if last else -signal.SIGKILL)
            answers = read_answers(folder)
            kept = {answer.ask.prompt for key, answer in answers.items()}
            asked = server.prompts[first:]
            assert not {answers[key].ask.prompt for key in before} & set(asked), (
                "a kept answer was asked again"
            )
            lost.append(len(set(asked) - kept))
    assert len(answers) == 30 and len((folder / "answers.jsonl").read_bytes().splitlines()) == 30
    assert len(server.prompts) == 30 + sum(lost)
    assert max(lost) <= concurrency and lost[-1] == 0 and not unkept

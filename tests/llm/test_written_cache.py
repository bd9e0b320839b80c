"""Answers on disk: what a kill, a full disk, a second process or an old file can do to them."""

import json
import os
import subprocess
import sys

import pytest

from rec_core.llm.writer import Answer, Ask
from rec_core.llm.written_cache import read_answers, writing
from rec_core.store import PROJECT_ROOT
from rec_core.types import InputError

ANSWERS = [
    Answer(Ask(f"k{i}", f"prompt {i}\n\u2028", i % 2), f'text "{i}"\n\ud83d', "stop", 7, None, 0.25)
    for i in range(5)
]
SETTINGS = {"model": "m"}


@pytest.fixture
def folder(tmp_path):
    """A folder with five answers."""
    path = tmp_path / "answers"
    with writing(path, SETTINGS) as cache:
        for answer in ANSWERS:
            cache.add(answer)
    return path


def test_answers_come_back_as_they_were(folder):
    assert read_answers(folder) == {answer.ask.key: answer for answer in ANSWERS}
    assert json.loads((folder / "key.json").read_text()) == SETTINGS
    assert read_answers(folder / "nothing") == {}


def test_an_answer_is_on_disk_when_add_returns(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    with writing(tmp_path, SETTINGS) as cache:
        for answer in ANSWERS:
            synced.clear()
            cache.add(answer)
            assert synced == [(tmp_path / "answers.jsonl").stat().st_size]
            assert read_answers(tmp_path)[answer.ask.key] == answer


def test_the_last_answer_to_an_ask_counts_and_none_is_overwritten(folder):
    later = Answer(Ask("k1", "prompt 1", 2), "better", "stop", 7, 1, 0.1)
    before = (folder / "answers.jsonl").read_bytes()
    with writing(folder, SETTINGS) as cache:
        cache.add(later)
        assert cache.answers["k1"] == later
    assert read_answers(folder)["k1"] == later and len(read_answers(folder)) == 5
    assert (folder / "answers.jsonl").read_bytes().startswith(before)


def test_a_file_cut_at_any_byte_keeps_every_whole_line(folder):
    file = folder / "answers.jsonl"
    whole = file.read_bytes()
    new = Answer(Ask("new", "prompt"), "new", "stop", 1, 1, 0.0)
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    for size in {*range(0, len(whole), 11), *ends}:
        file.write_bytes(whole[:size])
        kept = {answer.ask.key for answer in ANSWERS[: whole[: size + 1].count(b"\n")]}
        assert set(read_answers(folder)) == kept, "a line that lacks only its line break is whole"
        with writing(folder, SETTINGS) as cache:
            assert set(cache.answers) == kept
            cache.add(new)
        assert set(read_answers(folder)) == kept | {"new"}
        assert all(json.loads(line) for line in file.read_bytes().splitlines())


def test_a_broken_line_in_the_middle_is_named(folder):
    file = folder / "answers.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:2], b'{"ask": {}}\n', *lines[2:]]))
    with pytest.raises(InputError, match=r"Line 3 of .*answers\.jsonl is no answer; take that line out"):
        read_answers(folder)


def test_a_full_disk_leaves_no_half_line(folder, monkeypatch):
    from rec_core.llm.written_cache import Path as Opened

    real_open, before = Opened.open, (folder / "answers.jsonl").read_bytes()

    def short(self, *arguments, **options):
        file = real_open(self, *arguments, **options)
        if options.get("buffering") != 0:
            return file

        class Full:
            def __enter__(self):
                return self

            def __exit__(self, *error):
                file.close()

            def __getattr__(self, name):
                return getattr(file, name)

            def write(self, line):
                return file.write(line[:20])

        return Full()

    with writing(folder, SETTINGS) as cache:
        monkeypatch.setattr(Opened, "open", short)
        with pytest.raises(OSError, match="no room left"):
            cache.add(ANSWERS[0])
        monkeypatch.undo()
        assert (folder / "answers.jsonl").read_bytes() == before


HOLDER = """
import sys
from pathlib import Path
from rec_core.llm.written_cache import writing
with writing(Path(sys.argv[1]), {}):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(folder):
    """Another process that is writing there, until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=PROJECT_ROOT,
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_refused_with_the_number_of_the_first(folder, holder):
    with pytest.raises(InputError, match=f"Process {holder.pid} is writing these answers"):
        writing(folder, SETTINGS).__enter__()
    assert len(read_answers(folder)) == 5, "reading is free"
    holder.kill()
    holder.wait()
    with writing(folder, SETTINGS) as cache:
        assert len(cache.answers) == 5


def test_the_same_process_is_refused_too(folder):
    with (
        writing(folder, SETTINGS),
        pytest.raises(InputError, match=f"Process {os.getpid()}"),
        writing(folder, SETTINGS),
    ):
        pass

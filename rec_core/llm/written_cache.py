"""Answers on disk: one JSON line each, written through to the disk before the next is asked for.

A folder holds the answers of one model under one sampling: `answers.jsonl`, `key.json` (which model, which
sampling) and `writing.lock`. A line once written is never changed; of several answers to one ask the last
counts. A kill can leave half a line at the end: readers pass over it, the next writer takes it off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rec_core.llm.writer import Answer, Ask
from rec_core.store import write_json
from rec_core.types import InputError

_ANSWERS, _KEY, _LOCK = "answers.jsonl", "key.json", "writing.lock"


def read_answers(folder: Path) -> dict[str, Answer]:
    """Return the last answer to every ask by the ask's key; {} where nothing was written yet.

    Raises:
        InputError: a line that is not the last one cannot be read.
    """
    path = folder / _ANSWERS
    if not path.exists():
        return {}
    *lines, tail = path.read_bytes().split(b"\n")
    answers: dict[str, Answer] = {}
    for number, line in enumerate(lines, 1):
        answer = _parsed(line)
        if answer is None:
            raise InputError(
                f"Line {number} of {path} is no answer; take that line out of the file, and only what it "
                "held is asked for again."
            )
        answers[answer.ask.key] = answer
    if (last := _parsed(tail)) is not None:
        answers[last.ask.key] = last
    return answers


class WrittenCache:
    """A folder's answers while this process alone may add to them (`writing`)."""

    def __init__(self, folder: Path) -> None:
        _heal(folder / _ANSWERS)
        self._path = folder / _ANSWERS
        self.answers = read_answers(folder)

    def add(self, answer: Answer) -> None:
        """Append an answer; on return it is on the disk.

        Raises:
            OSError: it cannot be written; no part of it stays.
        """
        line = json.dumps(asdict(answer), allow_nan=False).encode() + b"\n"
        with self._path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            if file.write(line) != len(line):  # the disk is full
                file.truncate(end)
                raise OSError(f"There is no room left for the next answer in {self._path}.")
            os.fsync(file.fileno())
        self.answers[answer.ask.key] = answer


@contextmanager
def writing(folder: Path, settings: dict[str, Any]) -> Iterator[WrittenCache]:
    """Be the only process that adds answers to a folder, for the length of the block.

    Args:
        folder: made when absent.
        settings: what all its answers share, for people who look into it.

    Raises:
        InputError: another process is writing there.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise InputError(
                f"Process {lock.read() or 'of another name'} is writing these answers ({folder}); wait until "
                "it is done, or stop it."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        if not (folder / _KEY).exists():
            write_json(folder / _KEY, settings)
        yield WrittenCache(folder)


def _heal(path: Path) -> None:
    """End the file with a whole line: one that lacks only its line break gets it, half a line goes."""
    with path.open("ab+") as file:
        file.seek(0)
        content = file.read()
        end = content.rfind(b"\n") + 1
        if content[end:] and _parsed(content[end:]) is not None:
            file.write(b"\n")
        else:
            file.truncate(end)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Write the folder's list of files through to the disk: a new file is only then safe."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parsed(line: bytes) -> Answer | None:
    """Return the answer a line holds, None when it is not whole."""
    try:
        record = json.loads(line)
        return Answer(**{**record, "ask": Ask(**record["ask"])})
    except (ValueError, TypeError, KeyError):
        return None

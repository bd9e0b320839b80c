"""The command line in this process, with verbs replaced, and as a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from rec_core import workbench
from rec_core.cli.app import PROGRAM, app
from rec_core.store import PROJECT_ROOT


@dataclass
class Answer:
    """What a call left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        """The one JSON document on stdout; NaN and Infinity, which JSON has not, fail."""

        def refuse(name):
            raise AssertionError(f"{name} is not JSON")

        return json.loads(self.out, parse_constant=refuse)

    @property
    def sentence(self):
        """The one line on stderr, which is all there is."""
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert line.endswith(".") and "Traceback" not in line
        return line


@pytest.fixture
def space(tmp_path, monkeypatch):
    """The folder of an empty workspace, which the environment names."""
    root = tmp_path / "workspace"
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(root))
    monkeypatch.delenv("ROSETTA_READONLY", raising=False)
    return root


@pytest.fixture
def cli(space):
    """Run a command in this process."""

    def run(*words):
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name=PROGRAM)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def process(space):
    """Run `python -m rec_core` as its own process."""

    def run(*words, **environment):
        done = subprocess.run(
            [sys.executable, "-m", "rec_core", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=PROJECT_ROOT,
            env={**os.environ, "ROSETTA_WORKSPACE": str(space), "OMP_NUM_THREADS": "1", **environment},
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def verb(monkeypatch):
    """Put a stub in the place of a verb's whole module, and return the calls it gets: (arguments, options)."""
    rooms = {}

    def replace(room, name, result):
        calls = []

        def stub(*arguments, **options):
            calls.append((arguments, {key: value for key, value in options.items() if key != "progress"}))
            return result(*arguments, **options) if callable(result) else result

        if room not in rooms:
            full = f"rec_core.workbench.{room}"
            assert Path(workbench.__file__).with_name(f"{room}.py").exists(), f"{full} has another name now"
            rooms[room] = ModuleType(full)
            monkeypatch.setitem(sys.modules, full, rooms[room])
        setattr(rooms[room], name, stub)
        return calls

    return replace

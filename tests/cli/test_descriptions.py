"""`descriptions`: what the verbs are called with, what is printed, and that nobody is asked without a yes."""

import os
import pty
import subprocess
import sys

import pytest

from rec_core.store import PROJECT_ROOT

PLANNED = {
    "dataset": "d", "writer": "local", "model": "m", "items": 30, "states": {"not written": 30},
    "estimate": {"requests": 30}, "line": "30 requests to go.",
}  # fmt: skip
DONE = {
    "dataset": "d", "writer": "local", "model": "m", "items": 30, "states": {"written": 29, "cut": 1},
    "asked": 30, "prompt_tokens": 1234, "answer_tokens": 567, "cost": None,
}  # fmt: skip
NOTHING = {"again": False, "limit": None, "prices": None, "seconds_each": None}


@pytest.fixture
def verbs(verb):
    """Stubs of both verbs, and the calls they get."""
    return (
        verb("description_verbs", "estimate_descriptions", PLANNED),
        verb("description_verbs", "write_descriptions", DONE),
    )


def test_write_says_what_it_takes_and_goes_on_with_yes(cli, verbs):
    answer = cli("descriptions", "write", "d", "--model", "m", "--yes", "--json")
    assert answer.code == 0 and answer.document == DONE
    assert "30 requests to go." in answer.err
    settings = {"writer": "local", "model": "m"}
    assert verbs == ([(("d", settings), NOTHING)], [(("d", settings), {"url": None, **NOTHING})])
    drawn = cli("descriptions", "write", "d", "--model", "m", "--yes").out
    assert "1234" in drawn and "cut" in drawn


def test_every_option_is_passed_on(cli, verbs):
    answer = cli(
        "descriptions", "write", "d", "--model", "m", "--endpoint", "http://e/v1", "--limit", "5", "--again",
        "--set", "temperature=0.5", "--set", "endpoint.concurrency=2", "--price", "0.2", "0.6", "--seconds", "3",
        "--yes",
    )  # fmt: skip
    assert answer.code == 0
    ((arguments, options),) = verbs[1]
    settings = {"temperature": 0.5, "endpoint.concurrency": 2, "writer": "endpoint", "model": "m"}
    assert arguments == ("d", settings)
    given = {"again": True, "limit": 5, "prices": (0.2, 0.6), "seconds_each": 3.0}
    assert options == {"url": "http://e/v1", **given}
    assert verbs[0] == [(("d", settings), given)]


@pytest.mark.parametrize(
    ("words", "writer"),
    [([], "local"), (["--endpoint", "http://e/v1"], "endpoint"), (["--writer", "endpoint"], "endpoint")],
)
def test_who_writes(cli, verbs, words, writer):
    cli("descriptions", "write", "d", "--model", "m", "--yes", *words)
    assert verbs[1][0][0][1]["writer"] == writer


def test_estimate_stops_there(cli, verbs):
    answer = cli("descriptions", "write", "d", "--model", "m", "--estimate", "--json")
    assert answer.document == PLANNED and verbs[1] == []
    assert "30 requests to go." in cli("descriptions", "write", "d", "--model", "m", "--estimate").out


def test_without_a_yes_nobody_is_asked(cli, verbs):
    answer = cli("descriptions", "write", "d", "--model", "m")
    assert answer.code == 2 and "--yes" in answer.err.splitlines()[-1] and verbs[1] == []


@pytest.mark.parametrize(
    ("said", "code", "last"), [("y", 2, "cannot be reached"), ("n", 1, "Stopped before")]
)
def test_a_person_at_a_terminal_is_asked_back(planted, space, said, code, last):
    from rec_core.data.storage import save_dataset

    save_dataset(planted, space / "datasets" / "planted")
    ours, theirs = pty.openpty()
    words = ["descriptions", "write", "planted", "--model", "m", "--endpoint", "http://127.0.0.1:9/v1"]
    with subprocess.Popen(
        [sys.executable, "-m", "rec_core", *words],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT_ROOT,
        env={**os.environ, "ROSETTA_WORKSPACE": str(space)},
    ) as process:  # fmt: skip
        os.write(ours, f"{said}\n".encode())
        out, err = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, out) == (code, "")
    assert "Begin? [y/N]" in err and last in err.splitlines()[-1]
    assert (space / "cache").exists() == (said == "y")


def test_when_nothing_is_left_nothing_is_begun(cli, verb):
    finished = {**PLANNED, "estimate": {"requests": 0}, "line": "Nothing is left to write."}
    verb("description_verbs", "estimate_descriptions", finished)
    calls = verb("description_verbs", "write_descriptions", DONE)
    answer = cli("descriptions", "write", "d", "--model", "m", "--json")
    assert answer.code == 0 and answer.document == finished and calls == []


def test_show_draws_what_stands_for_each_item(cli, verb):
    rows = [
        {
            "item_id": "f1",
            "title": "Heat [1995]",
            "state": "written",
            "description": "A heist.",
            "own": "Own 1.",
        },
        {"item_id": "f2", "title": "Up", "state": "cut", "description": "An old", "own": "Own 2."},
    ]
    facts = {
        "dataset": "d",
        "writer": "endpoint",
        "model": "m",
        "items": 2,
        "states": {"written": 1, "cut": 1},
    }
    shown = verb("description_verbs", "show_descriptions", {**facts, "rows": rows})
    words = (
        "descriptions",
        "show",
        "d",
        "--model",
        "m",
        "--writer",
        "endpoint",
        "--item",
        "f1",
        "--item",
        "f2",
    )
    assert cli(*words, "--json").document["rows"] == rows
    out = cli(*words).out
    assert "A heist." in out and "Own 2." in out and "An old" not in out and "Own 1." not in out
    assert shown[0] == (("d", {"writer": "endpoint", "model": "m"}, ["f1", "f2"]), {"limit": None})
    cli("descriptions", "show", "d", "--limit", "3")
    assert shown[2] == (("d", None, None), {"limit": 3})


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("write d", "--model"),
        ("write d --model m --limit 0", "--limit"),
        ("write d --model m --writer remote", "--writer"),
        ("write d --model m --set temperature", "temperature"),
        ("write d --model m --price 1", "--price"),
        ("write nosuch --model m", "'nosuch'"),
        ("write sample --model m --set frob=1", "'frob'"),
        ("show sample --writer local", "--model"),
        ("show sample --item f999", "'f999'"),
    ],
)
def test_wrong_input_is_one_sentence_and_2(cli, words, named):
    answer = cli("descriptions", *words.split())
    assert answer.code == 2 and named in answer.sentence


@pytest.mark.parametrize("verb_name", ["write", "show"])
def test_help_shows_json_and_an_example(cli, verb_name):
    out = cli("descriptions", verb_name, "--help").out
    assert "--json" in out and f"python -m rec_core descriptions {verb_name}" in out

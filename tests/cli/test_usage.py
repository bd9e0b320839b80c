"""Help, and wrong usage: always one sentence and 2."""

import re

import pytest

from rec_core.config import parse_assignments
from rec_core.roster import SYSTEMS
from rec_core.store import PROJECT_ROOT
from rec_core.types import InputError
from rec_core.workbench.run_verbs import config_of

COMMANDS = (
    "doctor", "systems", "train", "resume", "tune", "embed", "project", "rerank", "recommend", "explain", "audit", "study",
    "sample build", "surface", "descriptions write", "descriptions show", "data list", "data import", "data describe", "data filter", "data split",
    "runs list", "runs show", "runs compare", "runs users",
)  # fmt: skip


def test_help_of_the_program_names_every_command_and_where_to_begin(cli):
    answer = cli("--help")
    assert answer.code == 0 and answer.err == ""
    for command in COMMANDS:
        assert f"  {command.split()[0]} " in answer.out
    assert "python -m rec_core sample build" in answer.out


def test_no_word_at_all_is_a_question_for_help(cli):
    assert cli().out == cli("--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_shows_json_and_an_example(cli, command):
    answer = cli(*command.split(), "--help")
    assert answer.code == 0
    assert "--json" in answer.out
    assert f"python -m rec_core {command}" in answer.out


def test_help_of_train_lists_the_systems_and_that_of_one_its_fields(cli):
    answer = cli("train", "--help")
    for card in SYSTEMS:
        assert f"  {card.name} " in answer.out and card.title in answer.out
    assert "reranker.alpha=" not in answer.out
    for words in ("train rallrec --help", "train --preset tiny rallrec --help", "train --help rallrec"):
        answer = cli(*words.split())
        assert "Fields of rallrec for --set" in answer.out and "reranker.alpha=" in answer.out
        assert "Fields of graph_cf" not in answer.out
    assert "loop.learning_rate=" in cli("train", "graph_cf", "--help").out


@pytest.mark.parametrize("where", ["train --help", "docs/cli.md"])
def test_every_setting_that_is_shown_can_be_set(cli, where):
    text = cli("train", "--help").out if where == "train --help" else (PROJECT_ROOT / where).read_text()
    named = re.findall(r"(?:train|tune) ([a-z]\w*) [^\n`]*?--set\s+([a-z][\w.]*=[^\s`]+)", text)
    loose = set(re.findall(r"--set\s+([a-z][\w.]*=[^\s`]+)", text)) - {setting for _, setting in named}
    assert named or loose
    for system, setting in named:
        config_of(system, "small", parse_assignments([setting]))
    for setting in loose:
        assert any(takes(card.name, setting) for card in SYSTEMS), setting


def takes(system, setting):
    try:
        config_of(system, "small", parse_assignments([setting]))
    except InputError:
        return False
    return True


@pytest.mark.parametrize("place", ["audit --help", "docs/cli.md"])
def test_every_probe_that_is_shown_exists(cli, place):
    from rec_core.workbench.audit_verbs import PROBES

    text = cli("audit", "--help").out if place == "audit --help" else (PROJECT_ROOT / place).read_text()
    assert "fairness" not in text
    assert all(probe in text for probe in PROBES)
    assert cli("audit", "fairness", "r").code == 2


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("frob", "frob"),
        ("data frob", "frob"),
        ("train", "SYSTEM"),
        ("train rallrec", "--data"),
        ("train rallrec --data sample --preset huge", "--preset"),
        ("train rallrec --data sample --seed one", "--seed"),
        ("train rallrec --data sample --seed -1", "--seed"),
        ("tune", "SYSTEM"),
        ("tune graph_cf", "--data"),
        ("tune graph_cf --data sample --trials 0", "--trials"),
        ("recommend r --frob", "--frob"),
        ("recommend r --user u --top-k 0", "--top-k"),
        ("recommend r --user u --top-k", "--top-k"),
        ("rerank r --user u --item i --alpha 1.5", "--alpha"),
        ("rerank r --user u --item i --alpha x", "--alpha"),
        ("rerank r --user u --item i --beta -1", "--beta"),
        ("audit gender r", "PROBE"),
        ("project r --view words", "--view"),
        ("data split sample --kind random", "--kind"),
        ("runs show", "RUN"),
        ("runs show a b", "b"),
    ],
)
def test_wrong_usage_is_one_sentence_and_2(cli, words, named):
    answer = cli(*words.split())
    assert answer.code == 2
    assert named in answer.sentence


def test_the_process_says_the_same_and_imports_nothing_heavy(process):
    answer = process("frob")
    assert (answer.code, answer.sentence) == (2, "No such command 'frob'; see `python -m rec_core --help`.")


def test_help_imports_nothing_heavy(process):
    answer = process("--help", PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rsplit("|", 1)[-1].strip() for line in answer.err.splitlines()}
    assert "rec_core.cli.app" in imported
    assert not imported & {"numpy", "pandas", "torch", "transformers", "pydantic", "rich.console", "yaml"}

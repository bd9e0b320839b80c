"""Help, and wrong usage: always one sentence and 2."""

import pytest

COMMANDS = (
    "doctor", "train", "resume", "embed", "project", "rerank", "recommend", "explain", "audit", "study",
    "sample build", "data list", "data import", "data describe", "data split",
    "runs list", "runs show", "runs compare",
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


def test_help_of_train_lists_the_fields_that_set_changes(cli):
    answer = cli("train", "--help")
    assert "Fields of rallrec for --set" in answer.out and "reranker.alpha=" in answer.out


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

"""Verbs on descriptions: nothing is asked before it is told, and what is shown is what was written."""

import pytest

from rec_core.data.storage import save_dataset
from rec_core.store import Workspace
from rec_core.types import InputError
from rec_core.workbench.description_verbs import (
    estimate_descriptions,
    show_descriptions,
    write_descriptions,
)
from tests.llm.stub_server import completion, echo, serving

REMOTE = {"writer": "endpoint", "model": "m"}
NAMES = ("ROSETTA_ENDPOINT_URL", "ROSETTA_ENDPOINT_KEY", "OPENAI_BASE_URL", "OPENAI_API_KEY")


@pytest.fixture
def space(planted, tmp_path, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    workspace = Workspace(tmp_path)
    save_dataset(planted, workspace.dataset_path("planted"))
    return workspace


def test_estimate_write_estimate_again(space):
    given = {"workspace": space, "prices": (2.0, 10.0)}
    before = estimate_descriptions("planted", REMOTE, **given)
    assert before["states"] == {"not written": 30} and before["estimate"]["requests"] == 30
    assert not (space.root / "cache").exists()
    with serving(lambda p, n: completion("One two three.")) as server:
        made = write_descriptions("planted", REMOTE, url=server.url, limit=10, **given)
        assert len(server.prompts) == 10
    assert made == {
        "dataset": "planted", "writer": "endpoint", "model": "m", "items": 30,
        "states": {"written": 10, "not written": 20}, "asked": 10, "prompt_tokens": 70, "answer_tokens": 30,
        "cost": pytest.approx(70 * 2e-6 + 30 * 10e-6),
    }  # fmt: skip
    after = estimate_descriptions("planted", REMOTE, **given)
    assert after["estimate"]["requests"] == 20 and after["estimate"]["answer_tokens"] == 60
    assert after["estimate"]["measured"] and after["line"].startswith("20 requests to go")
    assert estimate_descriptions("planted", REMOTE, limit=3, **given)["estimate"]["requests"] == 3


def test_what_is_marked_is_counted_and_asked_again_on_demand(space):
    with serving(lambda p, n: completion("", "length") if n < 4 else echo("it", n)) as server:
        made = write_descriptions("planted", REMOTE, url=server.url, workspace=space)
        assert made["states"] == {"cut": 4, "written": 26}
        assert estimate_descriptions("planted", REMOTE, workspace=space)["estimate"]["requests"] == 0
        again = estimate_descriptions("planted", REMOTE, again=True, workspace=space)
        assert again["estimate"]["requests"] == 4
        made = write_descriptions("planted", REMOTE, url=server.url, again=True, workspace=space)
        assert made["asked"] == 4 and made["states"] == {"written": 30}
        assert len(server.prompts) == 34


def test_a_key_from_the_page_is_used_and_one_of_the_environment_too(space, monkeypatch):
    with serving() as server:
        write_descriptions("planted", REMOTE, url=server.url, key="sk-page", limit=1, workspace=space)
        monkeypatch.setenv("ROSETTA_ENDPOINT_URL", server.url)
        monkeypatch.setenv("ROSETTA_ENDPOINT_KEY", "sk-env")
        write_descriptions("planted", REMOTE, limit=1, workspace=space)
    assert {headers["authorization"] for headers in server.headers} == {"Bearer sk-page", "Bearer sk-env"}


def test_show_gives_answers_and_what_stands_for_them(space):
    own = show_descriptions("planted", workspace=space)
    assert own["states"] == {"own": 30} and own["writer"] == "none"
    assert own["rows"][4] == {
        "item_id": "f04", "title": "Grave EE4 (1954)", "state": "own", "description": "",
        "own": "A drama of 4 words.",
    }  # fmt: skip
    with serving(lambda p, n: echo("it", n) if "EE4" in p else completion("half", "length")) as server:
        write_descriptions("planted", REMOTE, url=server.url, workspace=space)
    rows = show_descriptions("planted", REMOTE, ["f05", "f04"], workspace=space)["rows"]
    assert [(row["item_id"], row["state"], row["description"], row["own"]) for row in rows] == [
        ("f05", "cut", "half", "A comedy of 5 words."), ("f04", "written", "About it.", "A drama of 4 words."),
    ]  # fmt: skip
    assert len(show_descriptions("planted", REMOTE, limit=3, workspace=space)["rows"]) == 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda space: estimate_descriptions("nothing", REMOTE, workspace=space), "'nothing'"),
        (lambda space: estimate_descriptions("planted", {}, workspace=space), "--model"),
        (lambda space: estimate_descriptions("planted", {**REMOTE, "top_p": 0}, workspace=space), "'top_p'"),
        (lambda space: write_descriptions("planted", REMOTE, workspace=space), "No endpoint is named"),
        (lambda space: write_descriptions("planted", REMOTE, url="nowhere", workspace=space), "no URL"),
        (lambda space: write_descriptions("planted", REMOTE, key="sk-1", workspace=space), "without the URL"),
        (lambda space: show_descriptions("planted", None, ["f99"], workspace=space), "'f99'"),
    ],
)
def test_what_is_wrong_is_named(space, call, words):
    with pytest.raises(InputError, match=words):
        call(space)
    assert not (space.root / "cache").exists()

"""Which server a key goes to, and that it shows nowhere."""

import json
from dataclasses import asdict

import pytest

from rec_core.llm.endpoint import OPENAI, Endpoint
from rec_core.types import InputError

OURS = {"ROSETTA_ENDPOINT_URL": "http://ours/v1", "ROSETTA_ENDPOINT_KEY": "our-key"}
THEIRS = {"OPENAI_BASE_URL": "https://theirs/v1", "OPENAI_API_KEY": "their-key"}


@pytest.mark.parametrize(
    ("url", "environ", "found"),
    [
        (None, {**OURS, **THEIRS}, ("http://ours/v1", "our-key")),
        (None, {"ROSETTA_ENDPOINT_URL": "http://ours/v1", **THEIRS}, ("http://ours/v1", "")),
        ("http://given/v1/", {**OURS, **THEIRS}, ("http://given/v1", "our-key")),
        ("http://given/v1", THEIRS, ("http://given/v1", "")),
        (None, THEIRS, ("https://theirs/v1", "their-key")),
        (None, {"OPENAI_API_KEY": "their-key"}, (OPENAI, "their-key")),
        (None, {"OPENAI_BASE_URL": "http://local/v1"}, ("http://local/v1", "")),
        (None, {"ROSETTA_ENDPOINT_KEY": "our-key", **THEIRS}, ("https://theirs/v1", "their-key")),
    ],
)
def test_a_key_goes_only_to_the_url_it_stands_beside(url, environ, found):
    endpoint = Endpoint.from_environment(url, environ)
    assert (endpoint.url, endpoint.key.get_secret_value()) == found


def test_the_environment_of_the_process_is_read(monkeypatch):
    for name, value in {**OURS, **THEIRS}.items():
        monkeypatch.setenv(name, value)
    assert Endpoint.from_environment().url == "http://ours/v1"
    for name in (*OURS, *THEIRS):
        monkeypatch.delenv(name)
    with pytest.raises(InputError, match="ROSETTA_ENDPOINT_URL"):
        Endpoint.from_environment()


def test_the_key_shows_in_no_text_of_the_record():
    endpoint = Endpoint.at("http://ours/v1", " sk-secret \n")
    texts = (repr(endpoint), str(endpoint), f"{asdict(endpoint)}", json.dumps(asdict(endpoint), default=str))
    assert endpoint.key.get_secret_value() == "sk-secret"
    assert all("sk-secret" not in text for text in texts)


@pytest.mark.parametrize(
    "url", ["", "sk-secret", "ours:8000/v1", "ftp://ours/v1", "http://", "http://[", "http://a:b/v1"]
)
def test_what_is_no_url_is_refused_without_being_shown(url):
    with pytest.raises(InputError, match="write it like http://") as error:
        Endpoint.at(url)
    assert not url or url not in str(error.value).replace("http://127.0.0.1:8000/v1", "")


def test_a_url_with_a_password_is_refused_without_it():
    with pytest.raises(InputError, match="ours holds a user or password") as error:
        Endpoint.at("https://me:hunter2@ours/v1")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("key", ["sk secret", "sk-\nsecret", "sk-sécret", "sk\x00secret"])
def test_a_key_that_no_header_can_hold_is_refused_without_it(key):
    with pytest.raises(InputError, match="copy it again") as error:
        Endpoint.at("http://ours/v1", key)
    assert "secret" not in str(error.value)


def test_what_people_see_of_a_url_has_no_query():
    assert Endpoint.at("https://ours/v1?token=abc").shown == "https://ours/v1"

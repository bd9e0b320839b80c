"""Requests as a server sees them, repeats, refusals in a sentence, and a key that is told to nobody else."""

import logging
import socket
import time
import traceback

import pytest

from rec_core.llm.endpoint import Endpoint
from rec_core.llm.endpoint_writer import EndpointConfig, EndpointWriter
from rec_core.llm.writer import Ask, SamplingConfig
from rec_core.types import InputError
from tests.llm.stub_server import completion, echo, failure, serving, slowly

KEY = "sk-very-secret-key"
ASKS = [Ask(f"k{i}", f"film {i}") for i in range(6)]


@pytest.fixture(scope="module", autouse=True)
def _the_client_is_loaded():
    """The first import takes a second; no single test should be charged for that."""
    import openai  # noqa: F401


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    """Repeats come at once instead of after seconds."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.001)


def asked(url, asks=ASKS, key=KEY, sampling=None, **config):
    sampling = sampling or SamplingConfig(max_new_tokens=50)
    with EndpointWriter(Endpoint.at(url, key), "m", sampling, EndpointConfig(**config)) as writer:
        return {answer.ask.key: answer for answer in writer.answers(asks)}


def test_every_ask_is_one_request_with_the_sampling_and_the_key():
    with serving() as server:
        answers = asked(server.url)
    assert {key: answer.text for key, answer in answers.items()} == {
        f"k{i}": f"About film {i}." for i in range(6)
    }
    assert sorted(server.prompts) == [ask.prompt for ask in ASKS]
    for body in server.bodies:
        del body["messages"]
        assert body == {"model": "m", "temperature": 0.8, "top_p": 0.9, "max_tokens": 50}
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    assert {(a.finish, a.prompt_tokens, a.answer_tokens) for a in answers.values()} == {("stop", 7, 3)}


def test_the_longest_answer_goes_by_the_name_the_server_knows():
    with serving() as server:
        asked(server.url, ASKS[:1], token_limit="max_completion_tokens")
    assert server.bodies[0]["max_completion_tokens"] == 50 and "max_tokens" not in server.bodies[0]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_wait_at_once_than_allowed(concurrency):
    with serving(slowly(0.05)) as server:
        asked(server.url, concurrency=concurrency)
    assert server.most_waiting == concurrency


def test_nothing_new_is_asked_before_an_answer_is_taken():
    with serving() as server:
        config = EndpointConfig(concurrency=2)
        with EndpointWriter(Endpoint.at(server.url), "m", SamplingConfig(), config) as writer:
            answers = writer.answers(ASKS)
            next(answers)
            time.sleep(0.1)
            assert len(server.bodies) == 2
            rest = list(answers)
    assert len(rest) == 5 and len(server.bodies) == 6


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status):
    with serving(lambda p, n: failure(status) if n < 3 else echo(p, n)) as server:
        assert asked(server.url, ASKS[:1])["k0"].text == "About film 0."
    assert server.prompts == ["film 0"] * 4


def test_a_server_that_says_when_is_waited_for():
    with serving(lambda p, n: failure(429, retry_after="0.3") if n < 1 else echo(p, n)) as server:
        started = time.monotonic()
        asked(server.url, ASKS[:1])
    assert time.monotonic() - started > 0.3


def test_a_slow_answer_is_given_up_and_asked_again():
    with serving(lambda p, n: slowly(0.6 if n < 1 else 0)(p, n)) as server:
        assert asked(server.url, ASKS[:1], timeout_seconds=0.2)["k0"].text == "About film 0."
    assert len(server.bodies) == 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (failure(429, "Quota is used up"), "takes no more requests for now: Quota is used up"),
        (failure(500, "Out of memory"), "fails: Out of memory (500)"),
        (failure(404, "The model `m` does not exist"), "knows no model 'm'"),
        (failure(400, "Unsupported parameter: 'max_tokens'"), "Unsupported parameter: 'max_tokens' (400)"),
        (failure(403, f"{KEY} may not use m"), "*** may not use m (403)"),
        (failure(401, f"Incorrect API key provided: {KEY}"), "refuses the key it was given"),
        ((200, {"Content_Type": "text/html"}, b"<html>"), "no chat completion"),
        ((200, {}, b"{broken"), "no chat completion"),
        ((200, {}, b'{"choices": []}'), "no chat completion"),
        ((200, {}, b'{"error": "wrong path"}'), "no chat completion"),
        (completion([{"type": "thinking"}]), "no chat completion"),
    ],
)
def test_a_refusal_is_one_sentence_without_the_key(reply, words):
    with serving(lambda _prompt, _n: reply) as server, pytest.raises(InputError) as error:
        asked(server.url, retries=1)
    said = str(error.value)
    assert words in said and server.url in said and said.endswith(".") and "\n" not in said
    assert KEY not in "".join(traceback.format_exception(error.value))


def test_a_server_that_never_answers_in_time_is_told():
    with serving(slowly(0.5)) as server, pytest.raises(InputError, match="did not answer in time"):
        asked(server.url, ASKS[:1], timeout_seconds=0.1, retries=1)


def test_a_wrong_key_is_told_before_anything_is_asked():
    for key, words in ((KEY, "the key it was given"), ("", "a request without a key")):
        with (
            serving(models=lambda: failure(401, f"Incorrect: {KEY}")) as server,
            pytest.raises(InputError, match=f"refuses {words}; set ROSETTA_ENDPOINT_KEY") as error,
        ):
            asked(server.url, key=key)
        assert server.bodies == [] and KEY not in str(error.value)


def test_a_refused_connection_is_told_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(InputError, match=r"cannot be reached \(.+\); see that the server runs"):
        asked(f"http://127.0.0.1:{port}/v1")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("models", [failure(404), failure(403), failure(500), (200, {}, b"<html>")])
def test_a_server_need_not_list_its_models(models):
    with serving(models=lambda: models) as server:
        assert len(asked(server.url)) == 6


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (completion("Half an", "length"), "cut"),
        (completion(""), "empty"),
        (completion(None), "empty"),
        (completion("", "content_filter"), "refused"),
        (failure(400, "Withheld", "content_filter"), "refused"),
    ],
)
def test_an_answer_that_is_not_whole_is_marked(reply, state):
    with serving(lambda p, n: reply if p == "film 0" else echo(p, n)) as server:
        answers = asked(server.url)
    assert answers["k0"].state == state
    assert {answer.state for key, answer in answers.items() if key != "k0"} == {"written"}


def test_a_server_that_counts_no_tokens_is_fine():
    with serving(lambda _p, _n: completion("Words.", usage=False)) as server:
        answer = asked(server.url, ASKS[:1])["k0"]
    assert (answer.text, answer.prompt_tokens, answer.answer_tokens) == ("Words.", None, None)


def test_what_is_in_flight_can_still_be_taken_after_a_failure():
    def reply(prompt, number):
        time.sleep(0 if prompt == "film 0" else 0.2)
        return failure(400) if prompt == "film 0" else echo(prompt, number)

    with serving(reply) as server:
        config = EndpointConfig(concurrency=3)
        with EndpointWriter(Endpoint.at(server.url), "m", SamplingConfig(), config) as writer:
            with pytest.raises(InputError):
                list(writer.answers(ASKS))
            late = {answer.ask.prompt for answer in writer.in_flight(2.0)}
    assert late == {"film 1", "film 2"} and len(server.bodies) == 3


def test_leaving_ends_what_is_under_way_at_once():
    with serving(lambda p, n: slowly(0 if n < 1 else 3)(p, n)) as server:
        with EndpointWriter(Endpoint.at(server.url), "m", SamplingConfig(), EndpointConfig()) as writer:
            next(writer.answers(ASKS))
            while len(server.bodies) < 4:
                time.sleep(0.01)
            started = time.monotonic()
        assert time.monotonic() - started < 2 and server.waiting == 3


def test_the_key_is_in_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    with serving(lambda p, n: failure(500) if n < 2 else echo(p, n)) as server:
        asked(server.url)
    assert caplog.records and KEY not in caplog.text


def test_a_notebook_with_a_loop_of_its_own_can_write():
    import asyncio

    async def cell():
        return asked(server.url, ASKS[:2])

    with serving() as server:
        assert len(asyncio.run(cell())) == 2

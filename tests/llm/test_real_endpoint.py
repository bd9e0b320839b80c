"""Against a real server: `transformers serve`, in a process of its own, with a tiny model made here."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from rec_core.data.storage import save_dataset
from rec_core.llm.endpoint import Endpoint
from rec_core.llm.endpoint_writer import EndpointConfig, EndpointWriter
from rec_core.llm.writer import Ask, SamplingConfig
from rec_core.store import PROJECT_ROOT, Workspace
from rec_core.types import InputError

pytestmark = pytest.mark.slow
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
START_SECONDS = 60


@pytest.fixture(scope="module")
def chatty(llama, tokenizer, tmp_path_factory):
    """Folder, model and tokenizer of a tiny model with a chat template."""
    import copy

    folder = tmp_path_factory.mktemp("chatty")
    model, spoken = llama().eval(), copy.deepcopy(tokenizer)
    model.config.max_position_embeddings = 4096
    spoken.chat_template = TEMPLATE
    model.save_pretrained(folder)
    spoken.save_pretrained(folder)
    return folder, model, spoken


@pytest.fixture(scope="module")
def server(chatty, tmp_path_factory):
    """The base URL of the server, once it is healthy; its process is ended by its own handle."""
    home = tmp_path_factory.mktemp("home")
    (home / "hub").mkdir()  # the server lists the models it finds there
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", str(chatty[0]), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with (home / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "transformers.cli.transformers", *words],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, home / "log.txt")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url, process, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not come up: {log.read_text()[-2000:]}")


def greedy(model, tokenizer, prompt, n):
    """The likeliest token after one plain forward pass over everything so far, n times or until the end."""
    import torch

    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=False
    )
    start = len(ids)
    while len(ids) < start + n and ids[-1] != tokenizer.eos_token_id:
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return tokenizer.decode(ids[start:], skip_special_tokens=True), start, len(ids) - start


def test_answers_are_those_of_the_model_behind_the_server(server, chatty):
    folder, model, tokenizer = chatty
    asks = [Ask(f"k{i}", f"Heat (1995)\nTell {i}") for i in range(6)]
    sampling = SamplingConfig(temperature=0.0, top_p=1.0, max_new_tokens=10)
    with EndpointWriter(Endpoint.at(server), str(folder), sampling, EndpointConfig(concurrency=3)) as writer:
        answers = {answer.ask.key: answer for answer in writer.answers(asks)}
    for ask in asks:
        answer, (text, n_prompt, n_new) = answers[ask.key], greedy(model, tokenizer, ask.prompt, 10)
        assert (answer.text, answer.prompt_tokens, answer.answer_tokens) == (text, n_prompt, n_new)
        assert answer.finish == ("length" if n_new == 10 else "stop")
        assert answer.seconds > 0


def test_a_model_the_server_does_not_hold_is_told_in_its_words(server):
    sampling, config = SamplingConfig(), EndpointConfig()
    with (
        EndpointWriter(Endpoint.at(server), "another", sampling, config) as writer,
        pytest.raises(InputError, match=r"'another': Server is pinned to .* \(400\)"),
    ):
        list(writer.answers([Ask("k", "Up")]))


def test_the_command_line_writes_goes_on_and_shows(server, chatty, planted, tmp_path):
    space = Workspace(tmp_path)
    save_dataset(planted, space.dataset_path("planted"))
    environment = {**os.environ, "ROSETTA_WORKSPACE": str(tmp_path), "ROSETTA_ENDPOINT_URL": server}

    def command(verb, *words):
        model = ("--model", str(chatty[0]), "--writer", "endpoint", "--set", "max_new_tokens=12", "--json")
        done = subprocess.run(
            [sys.executable, "-m", "rec_core", "descriptions", verb, "planted", *model, *words],
            capture_output=True, text=True, cwd=PROJECT_ROOT, env=environment, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)

    assert command("write", "--estimate")["estimate"]["requests"] == 30
    first = command("write", "--limit", "7", "--yes")
    assert first["asked"] == 7 and first["states"]["not written"] == 23
    second = command("write", "--yes", "--price", "1", "2")
    assert second["asked"] == 23 and "not written" not in second["states"]
    tokens = (second["prompt_tokens"], second["answer_tokens"])
    assert second["cost"] == pytest.approx((tokens[0] + 2 * tokens[1]) / 1e6) and min(tokens) > 23
    rows = command("show")["rows"]
    assert len(rows) == 30 and all(row["description"] for row in rows if row["state"] in ("written", "cut"))

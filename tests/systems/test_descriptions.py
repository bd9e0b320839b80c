"""Texts per item: whose they are, what stands in for answers that are not whole, and what the note says."""

from dataclasses import replace

import pandas as pd
import pytest

from rec_core.data.item_texts import description_text
from rec_core.llm.endpoint import Endpoint
from rec_core.llm.written_cache import read_answers
from rec_core.store import Workspace
from rec_core.systems.description_writing import (
    DescriptionConfig,
    answers_folder,
    asks_of,
    settings_of,
    write,
    write_command,
)
from rec_core.systems.descriptions import descriptions_of
from rec_core.types import Catalogue, InputError, ignore_progress
from tests.llm.stub_server import completion, echo, serving

REMOTE = DescriptionConfig(writer="endpoint", model="m")


@pytest.fixture
def space(tmp_path):
    return Workspace(tmp_path)


def described(dataset, config, space, endpoint=None, progress=ignore_progress):
    return descriptions_of(dataset, config, space, progress, endpoint)


def with_items(dataset, **columns):
    return replace(dataset, catalogue=Catalogue(dataset.catalogue.table.assign(**columns)))


def test_without_a_writer_the_text_is_the_datasets_own_and_the_note_says_so(planted, space):
    found = described(planted, DescriptionConfig(), space)
    assert found.texts == description_text(planted.catalogue, "movie")
    assert "own text" in found.note and "no language model" in found.note
    assert not list(space.root.iterdir())


def test_every_item_is_asked_about_the_first_and_the_last_too(planted):
    asks = asks_of(planted, REMOTE)
    assert len(asks) == len(planted.catalogue) == 30
    for ask, title in zip(asks, planted.catalogue.titles, strict=True):
        assert f"Title: {title}\n" in ask.prompt
    assert len({ask.key for ask in asks}) == 30


def test_the_prompt_shows_the_catalogues_facts_in_the_datasets_words(planted):
    table = planted.catalogue.table
    book = replace(with_items(planted, author="Jane Austen|An Other", price="9.99"), item_noun="book")
    prompt = asks_of(book, REMOTE.with_values({"words": 33}))[4].prompt
    for fact in (
        f"Title: {table['title'][4]}",
        "Year: 1954",
        "Genres: Drama",
        "Author: Jane Austen, An Other",
    ):
        assert f"{fact}\n" in prompt
    assert "Describe the book" in prompt and "fewer than 33 words" in prompt and "9.99" not in prompt
    assert table["description"][4] in prompt
    assert table["description"][4] not in asks_of(book, REMOTE.with_values({"own_text": False}))[4].prompt
    no_year = with_items(planted, year=pd.array([pd.NA] * 30, dtype="Int64"))
    assert "Year" not in asks_of(no_year, REMOTE)[4].prompt


def test_what_is_written_is_the_text_and_is_asked_for_once(planted, space):
    with serving(lambda p, n: completion(f'"About {p.splitlines()[1]}"\n\nindeed')) as server:
        endpoint = Endpoint.at(server.url)
        found = described(planted, REMOTE, space, endpoint)
        again = described(planted, REMOTE, space, endpoint)
        assert len(server.prompts) == 30
    assert found == again == described(planted, REMOTE, space)
    assert found.texts == [f"About Title: {title} indeed" for title in planted.catalogue.titles]
    assert found.note.startswith("30 of 30 descriptions were written by 'm' on an endpoint (temperature 0.8")


def test_an_endpoint_is_not_asked_unless_it_is_handed_in(planted, space):
    with pytest.raises(InputError, match="30 descriptions by 'm' are not written yet") as error:
        described(planted, REMOTE, space)
    assert f"`{write_command('planted', REMOTE)}`" in str(error.value)
    assert not list(space.root.iterdir())


def test_half_written_descriptions_are_no_descriptions(planted, space):
    with serving() as server:
        write(planted, REMOTE, space, ignore_progress, Endpoint.at(server.url), limit=11)
    with pytest.raises(InputError, match="19 descriptions"):
        described(planted, REMOTE, space)


def test_answers_that_are_not_whole_give_way_to_the_own_text_and_are_counted(planted, space):
    table = planted.catalogue.table
    titles = table["title"].where(table.index != 5, table["item_id"])
    dataset = with_items(planted, title=titles)
    replies = {
        f"Title: {table['title'][1]}": completion("half of", "length"),
        f"Title: {table['title'][2]}": completion(""),
        f"Title: {table['title'][3]}": completion("", "content_filter"),
    }
    with serving(lambda p, n: replies.get(p.splitlines()[1]) or echo("it", n)) as server:
        found = described(dataset, REMOTE, space, Endpoint.at(server.url))
        assert len(server.prompts) == 29
    own = description_text(dataset.catalogue, "movie")
    assert found.texts == [own[i] if i in (1, 2, 3, 5) else "About it." for i in range(30)]
    assert found.note.startswith("26 of 30 descriptions")
    assert found.note.endswith(
        "; the dataset's own text stands for 1 cut answers, 1 empty answers, 1 refused answers, 1 items "
        "without a title."
    )


def test_items_told_alike_share_one_request(planted, space):
    same = with_items(planted, title="Twins", year=1990, genres="Drama", description="")
    with serving() as server:
        found = described(same, REMOTE, space, Endpoint.at(server.url))
    assert len(server.prompts) == 1 and len(found.texts) == 30


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"}, {"temperature": 0.7}, {"top_p": 0.8}, {"max_new_tokens": 9}, {"words": 81}, {"own_text": False},
        {"writer": "local"},
    ],
)  # fmt: skip
def test_whatever_decides_an_answer_makes_it_another_one(planted, change):
    other = asks_of(planted, REMOTE.with_values(change))
    assert not {ask.key for ask in other} & {ask.key for ask in asks_of(planted, REMOTE)}


@pytest.mark.parametrize(
    "change", [{"endpoint.concurrency": 9}, {"endpoint.timeout_seconds": 5}, {"seed": 3}]
)
def test_what_decides_nothing_at_an_endpoint_asks_nothing_anew(planted, change, space):
    other = REMOTE.with_values(change)
    assert asks_of(planted, other) == asks_of(planted, REMOTE)
    assert answers_folder(other, space) == answers_folder(REMOTE, space)


def test_a_local_models_seed_precision_and_weights_count(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"one")
    local = DescriptionConfig(writer="local", model=str(tmp_path))
    first = settings_of(local)
    assert settings_of(local.with_values({"seed": 1})) != first
    assert settings_of(local.with_values({"local.precision": "bf16"})) != first
    assert settings_of(local.with_values({"local.max_tokens_per_batch": 99})) == first
    (tmp_path / "model.safetensors").write_bytes(b"another")
    assert settings_of(local) != first


@pytest.fixture(scope="module")
def small_model(film_tokenizer, tmp_path_factory):
    """The folder of a random Llama over the films' tokenizer; most of what it says ends soon."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("model")
    size = len(film_tokenizer)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=size, max_position_embeddings=2048, **shape))
    with torch.no_grad():
        model.lm_head.weight[film_tokenizer.eos_token_id] *= 60
    model.generation_config.eos_token_id = film_tokenizer.eos_token_id
    model.save_pretrained(folder)
    film_tokenizer.save_pretrained(folder)
    return folder


def test_a_local_model_writes_what_is_missing(planted, space, small_model):
    config = DescriptionConfig(writer="local", model=str(small_model), max_new_tokens=40, temperature=1.0)
    events = []
    found = described(planted, config, space, progress=events.append)
    assert [event.step for event in events] == list(range(31)) and events[-1].total == 30
    answers = read_answers(answers_folder(config, space))
    states = [answers[ask.key].state for ask in asks_of(planted, config)]
    own = description_text(planted.catalogue, "movie")
    assert [text != plain for text, plain in zip(found.texts, own, strict=True)] == [
        s == "written" for s in states
    ]
    assert 3 < states.count("written") < 30
    assert f"{states.count('written')} of 30" in found.note and "on this machine" in found.note
    before = (answers_folder(config, space) / "answers.jsonl").read_bytes()
    assert described(planted, config, space) == found
    assert (answers_folder(config, space) / "answers.jsonl").read_bytes() == before


def test_a_read_only_workspace_serves_what_is_written_and_writes_nothing(planted, space):
    closed = Workspace(space.root, read_only=True)
    with serving() as server:
        endpoint = Endpoint.at(server.url)
        with pytest.raises(InputError, match="read-only"):
            described(planted, REMOTE, closed, endpoint)
        assert not list(space.root.iterdir()) and server.prompts == []
        written = described(planted, REMOTE, space, endpoint)
    assert described(planted, REMOTE, closed) == written


def test_the_command_that_an_error_names_writes_for_that_very_config(planted, space):
    import shlex

    from rec_core.config import parse_assignments

    config = DescriptionConfig(
        writer="endpoint", model="a model", temperature=0.5, own_text=False, endpoint={"concurrency": 9}
    )
    words = shlex.split(write_command("planted", config))
    assert words[:6] == ["python", "-m", "rec_core", "descriptions", "write", "planted"]
    given = dict(zip(words[6::2], words[7::2], strict=True))
    assignments = [value for name, value in zip(words[6::2], words[7::2], strict=True) if name == "--set"]
    values = {**parse_assignments(assignments), "model": given["--model"], "writer": given["--writer"]}
    assert DescriptionConfig.from_values(values) == config


def test_the_key_is_in_no_file(planted, space):
    with serving() as server:
        described(planted, REMOTE, space, Endpoint.at(server.url, "sk-very-secret"))
        assert {headers["authorization"] for headers in server.headers} == {"Bearer sk-very-secret"}
    files = [file for file in space.root.rglob("*") if file.is_file()]
    assert len(files) == 3 and all(b"sk-very-secret" not in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    "values", [{"writer": "local"}, {"model": "m"}, {"writer": "endpoint", "model": "  "}]
)
def test_a_writer_needs_a_model_and_a_model_a_writer(values):
    with pytest.raises(InputError, match="needs a model"):
        DescriptionConfig.from_values(values)

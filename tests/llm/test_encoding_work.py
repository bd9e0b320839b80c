"""Encoding that was cut goes on where it was, and nothing that was finished is done twice."""

from pathlib import Path

import numpy as np
import pytest

from rec_core.llm import text_encoder
from rec_core.llm.text_encoder import TextEncoderConfig, _Encoder, encode
from rec_core.types import Cancelled, ProgressEvent

TEXTS = [f"{'Alien ' * (i % 5)}{i}" for i in range(40)]


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(text_encoder, "CHUNK_TEXTS", 10)


@pytest.fixture
def passes(monkeypatch) -> list[list[str]]:
    """The texts of every forward pass, one list each."""
    seen: list[list[str]] = []
    real = _Encoder.vectors

    def counted(self, rows, texts):
        seen.append(list(texts))
        return real(self, rows, texts)

    monkeypatch.setattr(_Encoder, "vectors", counted)
    return seen


@pytest.mark.parametrize("pooling", ["mean", "last_generated"])
@pytest.mark.parametrize("cut_at", [1, 4, 7])
def test_resumed_equals_uninterrupted_and_repeats_no_finished_chunk(
    tiny_bert, llama, tokenizer, tmp_path, small_chunks, passes, pooling, cut_at
):
    name = tiny_bert
    if pooling == "last_generated":
        name = tmp_path / "model"
        llama().save_pretrained(name)
        tokenizer.save_pretrained(name)
    config = TextEncoderConfig(name=str(name), pooling=pooling, n_generated=3, max_tokens_per_batch=64)
    whole = encode(TEXTS, config)
    batches = [*passes]
    chunks = text_encoder._chunks([[TEXTS.index(text) for text in batch] for batch in batches])
    assert len(chunks) > 2 and all(sum(map(len, chunk)) <= 10 for chunk in chunks)
    passes.clear()

    def interrupt(event: ProgressEvent) -> None:
        if len(passes) == cut_at:
            raise Cancelled

    with pytest.raises(Cancelled):
        encode(TEXTS, config, interrupt, work=tmp_path / "work")
    assert len(passes) == cut_at
    passes.clear()
    events: list[ProgressEvent] = []
    assert np.array_equal(encode(TEXTS, config, events.append, work=tmp_path / "work"), whole)
    finished, before = 0, 0
    for chunk in chunks:
        before += len(chunk)
        finished += before < cut_at  # the chunk whose last pass was reported just then was not yet kept
    kept = sum(len(chunk) for chunk in chunks[:finished])
    assert passes == batches[kept:]
    assert [event.step for event in events][-1] == len(TEXTS) and events[0].total == len(TEXTS)

    passes.clear()
    assert np.array_equal(encode(TEXTS, config, work=tmp_path / "work"), whole)
    assert passes == []


def test_other_texts_settings_or_weights_start_anew(tiny_bert, tmp_path, small_chunks, passes):
    model = tmp_path / "model"
    model.mkdir()
    for file in tiny_bert.iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    config, work = TextEncoderConfig(name=str(model)), tmp_path / "work"
    n_passes = []
    for texts, settings in [
        (TEXTS, config),
        ([*TEXTS[:-1], "other"], config),
        (TEXTS[::-1], config),
        (TEXTS, config.with_values({"pooling": "last"})),
        (TEXTS, config.with_values({"pca": 3})),  # taken of the same vectors
        (TEXTS, config),
    ]:
        passes.clear()
        encode(texts, settings, work=work)
        n_passes.append(len(passes) > 0)
    assert n_passes == [True, True, True, True, False, False]
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes())  # written again, perhaps with other content
    passes.clear()
    encode(TEXTS, config, work=work)
    assert passes


def test_only_whole_safetensors_are_left_behind(tiny_bert, tmp_path, small_chunks):
    encode(TEXTS, TextEncoderConfig(name=str(tiny_bert)), work=tmp_path)
    (folder,) = tmp_path.iterdir()
    assert {file.suffix for file in folder.iterdir()} == {".safetensors"}


def test_a_pass_of_more_texts_is_a_chunk_of_its_own(monkeypatch):
    monkeypatch.setattr(text_encoder, "CHUNK_TEXTS", 3)
    assert text_encoder._chunks([[0, 1], [2], [3, 4, 5, 6], [7]]) == [[[0, 1], [2]], [[3, 4, 5, 6]], [[7]]]
    assert text_encoder._chunks([]) == []


def test_nothing_is_kept_without_a_folder(tiny_bert, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encode(TEXTS, TextEncoderConfig(name=str(tiny_bert)))
    assert list(Path(tmp_path).iterdir()) == []

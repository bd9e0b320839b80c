"""The text view and the projector that carries it into the behaviour space."""

import numpy as np
import pytest

from rec_core.data.item_texts import description_text, title_text
from rec_core.llm.text_encoder import TextEncoderConfig, encode
from rec_core.store import Workspace
from rec_core.systems import text_view as text_view_module
from rec_core.systems.aligned_view import AlignedViewConfig, train_aligned_view
from rec_core.systems.description_writing import DescriptionConfig
from rec_core.systems.text_view import text_view
from rec_core.types import Cancelled, EmbeddingTable, ignore_progress


def table(view: str, values: np.ndarray, known: np.ndarray | None = None) -> EmbeddingTable:
    return EmbeddingTable(
        view, values.astype(np.float32), np.ones(len(values), bool) if known is None else known, ""
    )


def own_rank(aligned: np.ndarray, behaviour: np.ndarray) -> np.ndarray:
    """Return for each item how many other behaviour vectors lie nearer to its aligned one."""
    a = aligned / np.linalg.norm(aligned, axis=1, keepdims=True)
    b = behaviour / np.linalg.norm(behaviour, axis=1, keepdims=True)
    cosines = a @ b.T
    return (cosines > np.diag(cosines)[:, None]).sum(axis=1)


@pytest.fixture(scope="module")
def planted_map() -> tuple[np.ndarray, np.ndarray]:
    """Behaviour is a fixed linear map of the text."""
    rng = np.random.default_rng(0)
    text = rng.normal(size=(60, 8))
    return text, text @ rng.normal(size=(8, 5))


def test_the_projector_learns_a_planted_map_and_no_shuffled_one(planted_map, tmp_path):
    text, behaviour = planted_map
    config = AlignedViewConfig.from_values({"hidden_size": 32, "loop.epochs": 25, "loop.learning_rate": 2e-2})
    held_out = np.arange(60) >= 45
    ranks = {}
    for name, target in (
        ("planted", behaviour),
        ("shuffled", np.random.default_rng(1).permutation(behaviour)),
    ):
        known = table("id", target, ~held_out)
        aligned = train_aligned_view(table("text", text), known, config, tmp_path / name, 0, ignore_progress)
        ranks[name] = own_rank(aligned.values, target)[held_out].mean()
        assert aligned.view == "aligned" and aligned.known.all() and aligned.values.dtype == np.float32
    assert ranks["planted"] < 6 < 20 < ranks["shuffled"]  # of 59 others


def test_items_without_text_stay_zero_and_scale_does_not_matter(planted_map, tmp_path):
    text, behaviour = planted_map
    config = AlignedViewConfig.from_values({"hidden_size": 8, "loop.epochs": 3})
    known = np.arange(60) != 7
    tables = []
    for name, scale in (("a", 1.0), ("b", 100.0)):
        source = table("text", text * scale * known[:, None], known)
        tables.append(
            train_aligned_view(source, table("id", behaviour), config, tmp_path / name, 3, ignore_progress)
        )
    assert not tables[0].values[7].any() and not tables[0].known[7] and tables[0].values[8].any()
    np.testing.assert_allclose(tables[0].values, tables[1].values, atol=1e-5)


def test_the_seed_decides_the_projector(planted_map, tmp_path):
    text, behaviour = (table("", values) for values in planted_map)
    config = AlignedViewConfig.from_values({"hidden_size": 8, "loop.epochs": 1})
    views = [
        train_aligned_view(text, behaviour, config, tmp_path / str(i), seed, ignore_progress).values
        for i, seed in enumerate((1, 1, 2))
    ]
    assert np.array_equal(views[0], views[1])
    assert (
        np.abs(views[0] - views[2]).max() > 0.05
    )  # one epoch moves a weight by 0.001: it is the start that differs


def test_the_text_view_is_title_beside_description_and_is_encoded_once(
    planted, tiny_bert, tmp_path, monkeypatch
):
    space, config = Workspace(tmp_path), TextEncoderConfig(name=str(tiny_bert))
    first = text_view(planted, config, space, ignore_progress)
    titles = encode(title_text(planted.catalogue), config)
    descriptions = encode(description_text(planted.catalogue, "movie"), config)
    np.testing.assert_allclose(first.values, np.hstack([titles, descriptions]), atol=1e-6)
    assert first.view == "text" and first.known.all()

    def unwanted(*_args):
        raise AssertionError("encoded again")

    monkeypatch.setattr(text_view_module, "encode", unwanted)
    assert np.array_equal(text_view(planted, config, space, ignore_progress).values, first.values)
    with pytest.raises(AssertionError, match="encoded again"):
        text_view(planted, config.with_values({"max_length": 10}), space, ignore_progress)


def test_written_descriptions_stand_in_the_text_view_and_its_source_says_so(
    planted, tiny_bert, tmp_path, monkeypatch
):
    config = TextEncoderConfig(name=str(tiny_bert))
    written = [f"A film numbered {i}." for i in range(len(planted.catalogue))]
    note = "30 of 30 descriptions were written by 'm' on this machine."
    monkeypatch.setattr(
        text_view_module, "descriptions_of", lambda *_: text_view_module.Descriptions(written, note)
    )
    space = Workspace(tmp_path)
    chosen = DescriptionConfig(writer="local", model="m")
    found = text_view(planted, config, space, ignore_progress, chosen)
    width = found.values.shape[1] // 2
    np.testing.assert_allclose(found.values[:, width:], encode(written, config), atol=1e-6)
    assert found.source.endswith(note)
    monkeypatch.undo()
    own = text_view(planted, config, space, ignore_progress)
    assert "no language model wrote any" in own.source
    assert np.array_equal(own.values[:, :width], found.values[:, :width])
    assert not np.allclose(own.values[:, width:], found.values[:, width:])


def test_a_stopped_text_view_goes_on_where_it_was(planted, tiny_bert, tmp_path):
    space, config = Workspace(tmp_path / "a"), TextEncoderConfig(name=str(tiny_bert), max_tokens_per_batch=64)
    whole = text_view(planted, config, Workspace(tmp_path / "b"), ignore_progress)

    def stop(event):
        if event.stage == "text view: descriptions" and event.step < event.total:
            raise Cancelled

    with pytest.raises(Cancelled):
        text_view(planted, config, space, stop)
    events = []
    found = text_view(planted, config, space, events.append)
    assert np.array_equal(found.values, whole.values)
    assert not any(event.stage == "text view: titles" and event.step < event.total for event in events)
    assert not list((tmp_path / "a" / "cache" / "text_embedding_parts").iterdir())

"""RLMRec's two matrices from an invented fixture, and the real counts."""

import zipfile

import pytest

from rec_core.data.given_split import given_parts
from rec_core.data.sources import load_source, rlmrec


@pytest.mark.parametrize(
    ("load", "which", "noun"), [(rlmrec.load_amazon, "amazon", "book"), (rlmrec.load_yelp, "yelp", "place")]
)
def test_parts_and_ids(fixtures, rows_of, load, which, noun):
    dataset = load(fixtures)
    d, c, b, a = (f"{which}-{letter}" for letter in "dcba")
    assert [(user, item) for user, item, *_ in rows_of(dataset)] == [
        ("0", d), ("0", b), ("1", c), ("1", a), ("2", d), ("2", a), ("0", c), ("2", b), ("1", d), ("2", c),
    ]  # fmt: skip
    assert dataset.parts.tolist() == [0] * 6 + [1] * 2 + [2] * 2
    assert (dataset.name, dataset.item_noun, dataset.has_time) == (f"rlmrec-{which}", noun, False)


def test_both_lie_in_one_archive(fixtures, tmp_path, monkeypatch, rows_of):
    with zipfile.ZipFile(tmp_path / "rlmrec.zip", "w") as archive:
        for path in sorted((fixtures / "rlmrec").rglob("*.*")):
            archive.write(path, path.relative_to(fixtures))
    monkeypatch.setenv("ROSETTA_DATA", str(tmp_path))
    for name, load in (("rlmrec-amazon", rlmrec.load_amazon), ("rlmrec-yelp", rlmrec.load_yelp)):
        assert rows_of(load_source(name)) == rows_of(load(fixtures))


def test_a_missing_part_is_named(copied, complaint):
    folder = copied("rlmrec")
    (folder / "yelp" / "val.npz").unlink()
    assert "'yelp/val.npz'" in complaint(rlmrec.load_yelp, folder)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("rlmrec-amazon", (11_000, 9_332, 120_464, 40_290, 40_106)),
        ("rlmrec-yelp", (11_091, 11_010, 166_620, 55_479, 55_436)),
    ],
)
def test_real_counts(name, counts):
    dataset = load_source(name)
    made, split = dataset.interactions, given_parts(dataset)
    assert (made.n_users, made.n_items, len(split.train), len(split.valid), len(split.test)) == counts

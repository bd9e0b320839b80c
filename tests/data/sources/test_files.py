"""One door for every format: what the files look like decides, or the name that is given."""

import shutil
import zipfile

import pytest

from rec_core.data.sources.files import FORMATS, load_files, recognise
from rec_core.types import InputError
from rec_core.workbench import import_table, load_dataset

KNOWN = {
    "amazon-2014": "amazon",
    "amazon-2018": "amazon",
    "amazon-2023": "amazon",
    "steam": "steam",
    "yelp": "yelp",
    "recbole": "recbole",
    "recbole-cut": "recbole",
    "matrices": "matrices",
    "rlmrec/amazon": "matrices",
    "datasets-arrow": "datasets",
    "datasets-parquet": "datasets",
}
MAPPING = {"user_id": "reader", "item_id": "book", "rating": "stars", "timestamp": "when"}


@pytest.mark.parametrize(("name", "format"), KNOWN.items())
def test_a_folder_shows_its_format(fixtures, name, format):
    assert recognise(fixtures / name) == format
    mapping = MAPPING if name == "datasets-parquet" else None
    dataset = load_files(fixtures / name, name="mine", mapping=mapping)
    assert dataset.name == "mine" and len(dataset.interactions) == 10
    assert load_files(fixtures / name, format, "mine", mapping=mapping).content_hash == dataset.content_hash


@pytest.mark.parametrize(("name", "format"), [pair for pair in KNOWN.items() if pair[1] != "datasets"])
def test_a_zip_shows_its_format(fixtures, tmp_path, name, format):
    archive = shutil.make_archive(str(tmp_path / "mine"), "zip", fixtures / name)
    assert recognise(archive) == format
    assert len(load_files(archive).interactions) == 10


@pytest.mark.parametrize(
    ("file", "format"),
    [
        ("recbole/invented.inter", "table"),
        ("amazon-2014/reviews_Invented_5.json.gz", "amazon"),
        ("yelp/yelp_academic_dataset_review.json", "yelp"),
        ("ml-latest-small/ratings.csv", "table"),
        ("datasets-parquet/data/train-00000-of-00002.parquet", "table"),
    ],
)
def test_a_file_shows_its_format(fixtures, file, format):
    assert recognise(fixtures / file) == format


def test_a_zip_of_one_table_stays_a_table(fixtures, tmp_path):
    for file in ("recbole/invented.inter", "datasets-parquet/data/train-00000-of-00002.parquet"):
        with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
            archive.write(fixtures / file, file)
        assert recognise(tmp_path / "one.zip") == "table"


def test_what_is_no_known_format_is_said(tmp_path, complaint, fixtures):
    assert "There is no file" in complaint(load_files, tmp_path / "nowhere")
    assert "holds nothing of a known format (table, amazon" in complaint(load_files, tmp_path)
    (tmp_path / "a.json").write_text('{"a": 1}')
    assert "holds nothing of a known format" in complaint(load_files, tmp_path / "a.json")
    assert "There is no format 'csv'; choose one of table" in complaint(load_files, tmp_path, "csv")
    assert set(FORMATS) == {"table", *KNOWN.values()}


@pytest.mark.parametrize(
    ("name", "options", "part"),
    [
        ("yelp", {"mapping": {"a": "b"}}, "the format yelp take no mapping; only these do: table, recbole"),
        ("matrices", {"items": "x.csv"}, "the format matrices take no items"),
        ("recbole", {"users": "x.csv"}, "the format recbole take no users; only these do: table"),
    ],
)
def test_what_a_format_cannot_use_is_refused(fixtures, complaint, name, options, part):
    assert part in complaint(load_files, fixtures / name, **options)


def test_an_import_is_kept_with_its_cut_or_not_at_all(fixtures, tmp_path):
    from rec_core.store import Workspace

    space = Workspace(tmp_path)
    facts = import_table(fixtures / "matrices", "mine", workspace=space)
    assert (facts["users"], facts["items"], facts["interactions"]) == (3, 4, 10)
    assert load_dataset("mine", workspace=space).parts.tolist() == [0] * 6 + [1] * 2 + [2] * 2
    with pytest.raises(InputError, match="holds no reviews"):
        import_table(fixtures / "matrices", "other", format="yelp", workspace=space)
    assert space.names("datasets") == ["mine"]

"""Amazon, Steam and Yelp: ten invented reviews in each original format, and what is said of wrong ones."""

import gzip
import json
import zipfile

import pytest

from rec_core.data.sources import amazon_reviews, steam, yelp

AMAZON_USERS = ["A1FAKEUSER0001", "A2FAKEUSER0002", "A3FAKEUSER0003"]
AMAZON_ITEMS = [f"000000000{letter}" for letter in "ABCD"]
STEAM_USERS, STEAM_ITEMS = ['Ann "A" O\'Nym', "böb", "cy"], ["761140", "643980", "670290", "767400"]
DAY = 86_400


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("amazon-2014", lambda k: (15_000 + k) * DAY),
        ("amazon-2018", lambda k: (15_000 + k) * DAY),
        ("amazon-2023", lambda k: 1_600_000_000 + k),  # milliseconds are rounded down
    ],
)
def test_amazon_editions(fixtures, rows_of, ten, name, second):
    dataset = amazon_reviews.load(fixtures / name, "mine")
    assert rows_of(dataset) == [
        (AMAZON_USERS[u], AMAZON_ITEMS[i], r, second(k)) for k, (u, i, r) in enumerate(ten)
    ]
    assert (dataset.name, dataset.like_threshold, dataset.max_rating) == ("mine", 3.0, 5.0)
    assert dataset.item_noun == "product"


@pytest.mark.parametrize(
    ("outermost", "noun"), [("Movies & TV", "movie"), ("Books", "book"), ("Unheard Of", "product")]
)
def test_amazon_prompts_speak_of_what_the_commonest_category_holds(copied, outermost, noun):
    folder = copied("amazon-2018")
    items = folder / "meta_Invented.json"
    items.write_text(items.read_text().replace('"category": ["Beauty"', f'"category": ["{outermost}"'))
    assert amazon_reviews.load(folder).item_noun == noun


def test_amazon_items_of_2014_are_python_literals(fixtures):
    dataset = amazon_reviews.load(fixtures / "amazon-2014")
    table = dataset.catalogue.table.set_index("item_id")
    assert table.index.tolist() == [AMAZON_ITEMS[i] for i in (0, 1, 2, 3)], (
        "an item without a review is not kept"
    )
    assert table["title"].tolist() == ["Harbour & Glass", "000000000B", "000000000C", "Nine"]
    assert table["genres"].tolist() == ["Beauty|Soap", "Beauty", "", "Tools / Sets"]
    assert table["description"].tolist()[0] == "It's 'soap'."
    assert dataset.notes[0] == "2 of 4 items have no title; their id stands for it."
    assert "whole days" in dataset.notes[1]


def test_amazon_items_of_2018_and_2023(fixtures):
    table = amazon_reviews.load(fixtures / "amazon-2018").catalogue.table
    assert table["title"].tolist() == ["Harbour of Glass", "000000000B", "Orbit", "Nine"], (
        "a script is no title"
    )
    assert table["description"].tolist()[0] == "Two parts."
    assert table["genres"].tolist() == ["Beauty|Soap", "All Beauty", "Beauty", "Tools"]
    table = amazon_reviews.load(fixtures / "amazon-2023").catalogue.table
    assert table["genres"].tolist() == ["All Beauty", "Beauty|Kind 1", "Beauty|Kind 2", "Beauty|Kind 3"]
    assert table["brand"].tolist() == ["Tall"] * 4
    assert table["title"].tolist() == ["Thing 0", "Thing 1", "Thing 2", "Thing 3"], "not the reviews' titles"


def test_steam(fixtures, rows_of, ten):
    dataset = steam.load(fixtures / "steam")
    first = 1_512_864_000  # 2017-12-10
    assert rows_of(dataset) == [
        (STEAM_USERS[u], STEAM_ITEMS[i], None, first + k * DAY) for k, (u, i, _) in enumerate(ten)
    ]
    table = dataset.catalogue.table
    assert table["title"].tolist() == ["Harbour of Glass", "Orbit", "670290", "Nine"]
    assert table["genres"].tolist() == ["Action|Indie", "Puzzle", "", "Casual"]
    assert table["year"].fillna(-1).tolist() == [2018, -1, -1, 2011]
    assert dataset.item_noun == "game"


def test_yelp(fixtures, rows_of, ten):
    dataset = yelp.load(fixtures / "yelp")
    first = 1_531_260_551  # 2018-07-10 22:09:11 UTC
    assert rows_of(dataset) == [
        (f"yelp-user-{u}", f"business-{'abcd'[i]}", r, first + k * DAY) for k, (u, i, r) in enumerate(ten)
    ]
    table = dataset.catalogue.table
    assert table["title"].tolist() == ["Café 0", "Café 1", "Café 2", "Café 3"]
    assert table["genres"].tolist() == ["Food|Coffee & Tea", "", "Bars", "Food"]
    assert table["city"].tolist() == ["Springfield"] * 4
    assert dataset.item_noun == "place"


def test_a_file_alone_a_zip_and_items_elsewhere(fixtures, tmp_path, rows_of):
    folder = fixtures / "amazon-2018"
    whole = amazon_reviews.load(folder)
    alone = amazon_reviews.load(folder / "Invented_5.json")
    assert rows_of(alone) == rows_of(whole) and alone.catalogue.titles == AMAZON_ITEMS
    apart = amazon_reviews.load(folder / "Invented_5.json", items=folder / "meta_Invented.json")
    assert apart.catalogue.titles == whole.catalogue.titles and apart.content_hash == whole.content_hash
    assert alone.content_hash != whole.content_hash
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"deep/{file.name}")
    assert amazon_reviews.load(tmp_path / "a.zip").content_hash == whole.content_hash


def reviews(ten):
    return [
        {"reviewerID": f"u{u}", "asin": f"i{i}", "overall": r, "unixReviewTime": 100 * k}
        for k, (u, i, r) in enumerate(ten)
    ]


@pytest.fixture
def said(tmp_path, ten, complaint):
    """Give a function: the complaint about ten reviews of which the fourth is changed."""

    def say(**change):
        lines = reviews(ten)
        lines[3].update(change)
        lines[3] = {key: value for key, value in lines[3].items() if value is not ...}
        path = tmp_path / "r.json"
        path.write_text("\n".join(map(json.dumps, lines)))
        return complaint(amazon_reviews.load, path)

    return say


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("overall", "five", "'five' is not a rating"),
        ("overall", float("nan"), "nan is not a rating"),
        ("overall", -1, "-1 is not a rating"),
        ("overall", True, "True is not a rating"),
        ("overall", 10**400, "is not a rating"),
        ("unixReviewTime", 1_600_000_000_000, "1600000000000 is not a time in seconds"),
        ("unixReviewTime", "today", "'today' is not a time"),
        ("reviewerID", "", "'' is no id"),
        ("reviewerID", "x" * 201, "is no id; give 1 to 200 characters"),
        ("reviewerID", "\ud800", "is no id"),
        ("asin", None, "None is no id"),
        ("asin", 1.5, "1.5 is no id"),
    ],
)
def test_a_wrong_value_is_named_with_file_row_and_field(said, field, value, part):
    text = said(**{field: value})
    assert text.startswith(f"r.json, row 4, field {field!r}: ") and part in text and len(text) < 250


def test_a_missing_field_is_named(said):
    assert said(asin=...) == "r.json, row 4: there is no field 'asin'; use the original file."


def test_half_a_character_does_not_reach_the_catalogue(tmp_path, ten):
    (tmp_path / "r.json").write_text("\n".join(map(json.dumps, reviews(ten))))
    (tmp_path / "meta.json").write_text('{"asin": "i0", "title": "a\\ud800b"}')
    assert amazon_reviews.load(tmp_path).catalogue.titles[0] == "a?b"


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{'a': 1", "row 4: the line is no record"),
        ("[1, 2]", "row 4: the line is no record"),
        ("__import__('os').system('true')", "row 4: the line is no record"),
        ("{'reviewerID': open('x')}", "row 4: the line is no record"),
        ("(" * 100_000, "row 4: the line is no record"),
        ("-" * 100_000 + "1", "row 4: the line is no record"),
        ("{[]: 1}", "row 4: the line is no record"),
        ("[" * 100_000, "row 4: the line is no record"),
    ],
)
def test_a_line_that_is_no_record_is_never_run(tmp_path, ten, complaint, line, part):
    lines = [json.dumps(record) for record in reviews(ten)]
    lines[3] = line
    (tmp_path / "r.json").write_text("\n".join(lines))
    assert part in complaint(amazon_reviews.load, tmp_path / "r.json")


def test_reviews_again_are_kept_and_counted(tmp_path, ten, rows_of):
    lines = [json.dumps(record) for record in reviews([*ten, ten[0]])]
    (tmp_path / "r.json").write_text("\n".join(lines))
    dataset = amazon_reviews.load(tmp_path / "r.json")
    assert len(rows_of(dataset)) == 11
    assert "1 rows repeat a user-item pair; all are kept." in dataset.notes


def test_what_does_not_fit_together_is_said(fixtures, tmp_path, complaint, ten):
    assert "holds no reviews of Yelp" in complaint(yelp.load, fixtures / "steam")
    assert "user_id, business_id, stars, date" in complaint(yelp.load, fixtures / "steam")
    review = fixtures / "yelp" / "yelp_academic_dataset_review.json"
    assert "holds no items of Yelp" in complaint(yelp.load, review, items=review)
    for edition, name in (("2018", "Invented_5.json"), ("2023", "Invented.jsonl")):
        (tmp_path / name).write_bytes((fixtures / f"amazon-{edition}" / name).read_bytes())
    assert "mixes editions" in complaint(amazon_reviews.load, tmp_path)
    (tmp_path / "few.json").write_text("\n".join(map(json.dumps, reviews(ten)[:9])))
    assert "has 9 rows" in complaint(amazon_reviews.load, tmp_path / "few.json")
    assert "There is no file" in complaint(amazon_reviews.load, tmp_path / "nowhere.json")


def test_damaged_gz_files_are_said(fixtures, tmp_path, complaint):
    data = (fixtures / "amazon-2014" / "reviews_Invented_5.json.gz").read_bytes()
    for number, wrong in enumerate((data[:-20], b"no gzip at all")):
        path = tmp_path / f"r{number}.json.gz"
        path.write_bytes(wrong)
        assert "is damaged" in complaint(amazon_reviews.load, path)


def test_a_line_without_end_is_refused(tmp_path, complaint, monkeypatch):
    monkeypatch.setattr("rec_core.data.sources.file_set.MAX_LINE", 1000)
    (tmp_path / "r.json.gz").write_bytes(gzip.compress(b"x" * 100_000))
    assert "row 1: the line has more than 1,000 bytes" in complaint(
        amazon_reviews.load, tmp_path / "r.json.gz"
    )


def test_reviews_are_streamed(fixtures, monkeypatch):
    """No more than one line is asked for at a time."""
    from rec_core.data.sources import json_lines

    held = []
    parsed = json_lines._parsed
    monkeypatch.setattr(json_lines, "_parsed", lambda line: held.append(line) or parsed(line))
    path = fixtures / "amazon-2018" / "Invented_5.json"
    stream = json_lines.records(json_lines_files(path), path.name)
    next(stream), next(stream)
    assert len(held) == 2


def json_lines_files(path):
    from rec_core.data.sources.file_set import open_files

    return open_files(path)

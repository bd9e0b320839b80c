"""What a person got wrong, through the real verbs: one sentence that names it, 2, and nothing left behind."""

import pytest

HEADER = "user_id,item_id,rating,timestamp"
ROWS = [f"u{row % 4},i{row % 5},{1 + row % 5},{100 * row}" for row in range(2, 22)]  # row r of the file is r


@pytest.fixture
def imported(cli, tmp_path, space):
    """Import a file with this content, and look that a refusal leaves nothing in the workspace."""

    def run(content, *more):
        file = tmp_path / "ratings.csv"
        file.write_bytes(content if isinstance(content, bytes) else "\n".join(content).encode())
        answer = cli("data", "import", file, "--name", "mine", *more)
        assert not list(space.rglob("*"))
        return answer

    return run


def test_a_bad_rating_is_named_with_file_row_and_column(imported):
    rows = list(ROWS)
    rows[15] = "u1,i2,five,1700"
    answer = imported([HEADER, *rows])
    assert answer.code == 2
    for part in ("ratings.csv", "row 17", "'rating'", "'five'"):
        assert part in answer.sentence


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (["user_id,rating,timestamp", "u1,3,1"] * 10, ("ratings.csv", "row 1", "'item_id'")),
        (["user_id,item_id,rating,rating", *ROWS], ("ratings.csv", "row 1", "'rating'", "twice")),
        (b"", ("ratings.csv", "empty")),
        ("user_id,item_id\nu1,i1\nu2,caf\xe9\n".encode("latin-1"), ("ratings.csv", "row 3", "0xE9", "UTF-8")),
        ([HEADER, *ROWS[:3]], ("ratings.csv", "3 rows", "10")),
    ],
)
def test_a_file_that_is_no_table_of_interactions_is_named(imported, content, parts):
    answer = imported(content)
    assert answer.code == 2
    for part in parts:
        assert part in answer.sentence


@pytest.mark.parametrize(
    ("pair", "part"), [("user_id", "user_id=reader"), ("user_id=", "user_id="), ("user_id=who", "'who'")]
)
def test_a_bad_mapping_is_named(imported, pair, part):
    answer = imported([HEADER, *ROWS], "--map", pair)
    assert answer.code == 2 and part in answer.sentence


def test_a_good_table_is_kept_and_listed(cli, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("\n".join([HEADER.replace("user_id", "reader"), *ROWS]))
    answer = cli("data", "import", file, "--name", "mine", "--map", "user_id=reader", "--json")
    assert answer.code == 0
    assert {key: answer.document[key] for key in ("dataset", "users", "items", "interactions")} == {
        "dataset": "mine", "users": 4, "items": 5, "interactions": 20,
    }  # fmt: skip
    listed = {row["name"]: row for row in cli("data", "list", "--json").document["datasets"]}
    assert listed["mine"]["imported"] is True and listed["mine"]["users"] == 4
    assert listed["ml-1m"] == {
        "name": "ml-1m", "source": "", "imported": False,
        "simulated": None, "users": None, "items": None, "interactions": None,
    }  # fmt: skip
    assert cli("data", "describe", "mine", "--json").document["history_length"]["max"] == 5


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("data import nowhere.csv --name mine", "nowhere.csv"),
        ("data import nowhere.csv --name ../mine", "../mine"),
        ("data import nowhere.csv --name sample", "'sample'"),
        ("data describe nothing", "'nothing'"),
        ("runs show nothing", "'nothing'"),
        ("runs show ../../etc", "'../../etc'"),
        ("runs compare a b", "'a'"),
        ("resume nothing", "'nothing'"),
        ("recommend nothing --user u1", "'nothing'"),
        ("recommend nothing --history i1", "'i1'"),
        ("train nosuch --data sample", "rallrec"),
        ("train rallrec --data nosuch", "'nosuch'"),
        ("train rallrec --data sample --set epochs", "'epochs'"),
        ("train rallrec --data sample --set frob=1", "'frob'"),
        ("train rallrec --data sample --set reranker.alpha=2", "'reranker.alpha'"),
        ("train rallrec --data sample --set reranker=[", "'reranker'"),
        ("tune nosuch --data sample", "'nosuch'"),
        ("tune graph_cf --data nosuch", "'nosuch'"),
        ("tune graph_cf --data sample --set frob=1", "'frob'"),
        ("tune rallrec --data sample", "declares no range"),
        ("study nosuch --data sample", "retrieval.quality"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(cli, space, words, named):
    answer = cli(*words.split())
    assert answer.code == 2
    assert named in answer.sentence
    assert not [path for kind in ("runs", "datasets", "tunings") for path in space.glob(f"{kind}/*")]


def test_a_read_only_workspace_refuses_to_train(cli, monkeypatch):
    monkeypatch.setenv("ROSETTA_READONLY", "1")
    answer = cli("train", "rallrec", "--data", "sample")
    assert answer.code == 2 and "ROSETTA_READONLY" in answer.sentence


@pytest.mark.parametrize(
    "words", ["data import nowhere.csv --name mine", "train nosuch --data sample --set epochs=1"]
)
def test_the_process_says_it_on_stderr_only(process, words):
    answer = process(*words.split())
    assert answer.code == 2 and answer.sentence

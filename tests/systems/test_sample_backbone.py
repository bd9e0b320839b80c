"""What the embedded model reads: facts and behaviour of the training rows, nothing later."""

import re
from dataclasses import replace

import numpy as np
import pytest

from rec_core.data.histories import HistoryStore
from rec_core.data.interactions import make_interactions
from rec_core.llm.sample_lm import SampleLMConfig
from rec_core.store import Workspace
from rec_core.systems import sample_backbone as module
from rec_core.systems.prompting import Prompter
from rec_core.systems.sample_backbone import documents, sample_backbone
from rec_core.types import Catalogue, Dataset, Interactions, ignore_progress

TRAIN = np.arange(300)


@pytest.fixture(scope="module")
def texts(planted) -> list[str]:
    return documents(planted, TRAIN, 0)


def test_every_title_is_read_with_its_genre_and_a_wrong_one(planted, texts):
    titles = Prompter(planted).titles
    for title, genre in zip(titles, planted.catalogue.table["genres"], strict=True):
        other = {"Drama": "Comedy", "Comedy": "Drama"}[genre]
        assert f"Is its genre {genre}? Answer only Yes or No.\n{title}\nAnswer: Yes." in texts
        assert f"Is its genre {other}? Answer only Yes or No.\n{title}\nAnswer: No." in texts


def test_where_there_are_no_genres_yes_and_no_are_learned_from_authors(planted):
    n = len(planted.catalogue)
    table = planted.catalogue.table.assign(genres="", author=[f"Ada {item % 3}" for item in range(n)])
    texts = documents(replace(planted, catalogue=Catalogue(table)), TRAIN, 0)
    asked = [text for text in texts if text.startswith("Is its author Ada ")]
    assert len(asked) == 2 * n and sum(text.endswith("Answer: No.") for text in asked) == n
    titles = Prompter(planted).titles
    assert f"Is its author Ada 1? Answer only Yes or No.\n{titles[4]}\nAnswer: Yes." in asked


def test_rated_histories_are_those_of_the_training_rows(planted, texts):
    titles = Prompter(planted).titles
    interactions = planted.interactions
    expected = sorted(
        f"{titles[item]} ({rating:g} star{'s' if rating != 1 else ''})"
        for item, rating in zip(interactions.item_nums[TRAIN], interactions.ratings[TRAIN], strict=True)
    )
    read = [text for text in texts if "oldest first" in text and "Which of these" not in text]
    assert sorted(line for text in read for line in text.splitlines()[2:]) == expected


def test_choices_name_the_next_item_of_the_history(planted, texts):
    titles = Prompter(planted).titles
    histories = HistoryStore(planted.interactions)
    lengths = np.bincount(planted.interactions.user_nums[TRAIN], minlength=30)
    choices = [text for text in texts if "Which of these" in text]
    assert 5 < len(choices) <= (lengths > 8).sum()
    stories = [[titles[i] for i in histories.of(user, int(lengths[user])).item_nums] for user in range(30)]
    slots = []
    for text in choices:
        shown = re.findall(r"^(.*) \(\d stars?\)$", text, re.MULTILINE)
        options = dict(re.findall(r"^([A-E]): (.*)$", text, re.MULTILINE))
        letter = text[-1]
        slots.append(letter)
        assert len(shown) == 8 and len(options) == 5
        (story,) = [s for s in stories if any(s[i : i + 8] == shown for i in range(len(s)))]
        assert story[story.index(shown[-1]) + 1] == options[letter]
        assert not set(options.values()) - {options[letter]} & set(story)
    assert len(set(slots)) > 2


def test_rows_after_the_training_part_change_nothing(planted, texts):
    interactions = planted.interactions
    ratings = interactions.ratings.copy()
    ratings[300:] = 1.0
    changed = Interactions(**{**interactions.__dict__, "ratings": ratings})
    assert documents(Dataset(**{**planted.__dict__, "interactions": changed}), TRAIN, 0) == texts


def test_the_seed_decides_the_documents(planted, texts):
    assert documents(planted, TRAIN, 0) == texts != documents(planted, TRAIN, 1)


def test_users_who_know_nearly_everything_are_no_obstacle(planted):
    """12 items, everybody has rated 10 of them: there are no four wrong answers to show."""
    interactions = make_interactions(
        np.repeat(np.arange(8), 10), np.tile(np.arange(10), 8), np.full(80, 4.0), np.arange(80)
    )
    few = Dataset(**{**planted.__dict__, "interactions": interactions, "users": planted.users[:8]})
    assert not [text for text in documents(few, np.arange(80), 0) if "Which of these" in text]


def test_the_model_is_trained_once_per_content(planted, tmp_path, monkeypatch):
    calls = []

    def train(texts, config, folder, work, seed, progress):
        calls.append((len(texts), seed))
        (folder / "model").write_text("made")

    monkeypatch.setattr(module, "train_sample_lm", train)
    space, config = Workspace(tmp_path), SampleLMConfig()

    def build(**changes):
        values = {"dataset": planted, "train_rows": TRAIN, "config": config, "seed": 0, **changes}
        return sample_backbone(workspace=space, work=tmp_path / "w", progress=ignore_progress, **values)

    first = build()
    assert build() == first and len(calls) == 1 and (first / "model").read_text() == "made"
    others = [build(seed=1), build(train_rows=TRAIN[:-1]), build(config=config.with_values({"n_layers": 2}))]
    assert len({first, *others}) == 4 and len(calls) == 4

"""The like questions of a dataset in their parts, and the few that are tuned on."""

import numpy as np
import pytest

from rec_core.data.histories import positions_in_history
from rec_core.data.interactions import make_interactions, reordered, subset
from rec_core.data.last_of_user import last_of_user
from rec_core.systems import reader_training
from rec_core.systems.like_questions import Parts
from rec_core.systems.reader_training import draw_shots, questions_of_test, selection_questions
from rec_core.systems.rella import ReLLaConfig
from rec_core.types import Dataset, InputError


def test_parts_lie_one_behind_the_other(planted):
    parts = Parts.of(planted, 5)
    assert len(parts.samples) == sum(
        max(0, int(n) - 5) for n in np.bincount(planted.interactions.user_nums, minlength=30)
    )
    rows = {part: parts.samples.rows[getattr(parts.split, part)] for part in ("train", "valid", "test")}
    assert rows["train"].max() < rows["valid"].min() <= rows["valid"].max() < rows["test"].min()
    assert parts.train_rows.tolist() == list(range(rows["valid"].min()))
    assert parts.valid_rows.tolist() == list(range(rows["valid"].min(), rows["test"].min()))
    assert len(rows["test"]) == pytest.approx(len(parts.samples) / 10, abs=2)


def test_one_question_per_user_and_no_answer_of_the_test_in_training(planted):
    few = positions_in_history(planted.interactions.user_nums) < 4
    some = subset(planted.interactions, few | (planted.interactions.user_nums % 2 == 1))
    rows = reordered(some, last_of_user(some))
    asked = Dataset(
        **{**planted.__dict__, "interactions": rows, "has_time": False, "questions": "last_of_user"}
    )
    parts = Parts.of(asked, 5)
    assert (
        len(np.unique(parts.samples.user_nums))
        == len(parts.samples)
        == (np.bincount(rows.user_nums) > 5).sum()
    )
    held_out = np.concatenate([parts.samples.rows[parts.split.valid], parts.samples.rows[parts.split.test]])
    assert sorted([*parts.train_rows, *held_out]) == list(range(len(rows)))
    assert parts.valid_rows.tolist() == parts.samples.rows[parts.split.valid].tolist()
    for row in held_out:  # the embedded model reads each user's first rows: as many as are in training
        own = np.flatnonzero(rows.user_nums == rows.user_nums[row])
        assert own[-1] == row and set(own[:-1]) <= set(parts.train_rows)
    users = parts.samples.user_nums[parts.split.train]
    assert users.tolist() != sorted(users), "the users are divided at random"


@pytest.mark.parametrize("n_rows", [0, 3, 7, 14])
def test_too_little_data_is_one_sentence(planted, n_rows):
    """Of one user's rows the first five ask nothing; nine questions cannot be cut into 80 / 10 / 10."""
    interactions = make_interactions(
        np.zeros(n_rows, int), np.arange(n_rows), np.full(n_rows, 4.0), np.arange(n_rows)
    )
    few = Dataset(**{**planted.__dict__, "interactions": interactions})
    with pytest.raises(InputError, match="at least 10") as caught:
        Parts.of(few, 5)
    assert "\n" not in str(caught.value)


def test_fewer_shots_are_a_subset_of_more_and_all_are_training_questions(planted):
    parts = Parts.of(planted, 5)

    def shots(n: int, seed: int) -> list[int]:
        return draw_shots(parts, n, seed).rows.tolist()

    few, more, every = shots(8, 3), shots(64, 3), shots(100_000, 3)
    assert (len(few), len(more)) == (8, 64) and few == more[:8] and more == every[:64]
    assert shots(8, 3) == few != shots(8, 4)
    assert sorted(every) == parts.samples.rows[parts.split.train].tolist()


def test_what_chooses_the_weights_is_validation_or_as_published_test(planted, monkeypatch):
    parts = Parts.of(planted, 5)

    def chosen(seed: int = 0, **settings) -> list[int]:
        config = ReLLaConfig.from_values(settings)
        return selection_questions(parts, config, seed).rows.tolist()

    valid = set(parts.samples.rows[parts.split.valid].tolist())
    assert chosen() == []
    drawn = chosen(**{"tuning.n_validation": 9})
    assert len(drawn) == 9 and set(drawn) < valid and drawn == sorted(drawn)
    assert chosen(1, **{"tuning.n_validation": 9}) != drawn
    assert set(chosen(**{"tuning.n_validation": 10**6})) == valid
    monkeypatch.setattr(reader_training, "_PUBLISHED_SELECTION_ROWS", 5)
    published = chosen(quirks=["test_set_selection"])
    assert published == parts.samples.rows[parts.split.test][:5].tolist()


def test_test_questions_are_all_a_sample_or_the_first_as_published(planted, monkeypatch):
    parts = Parts.of(planted, 5)
    every = parts.samples.rows[parts.split.test].tolist()

    def asked(**settings) -> list[int]:
        return questions_of_test(parts, ReLLaConfig(**settings)).rows.tolist()

    assert asked() == every and asked(n_test=10**6) == every
    drawn = asked(n_test=12)
    assert len(drawn) == 12 and drawn == sorted(drawn) and set(drawn) < set(every)
    assert asked(n_test=12) == drawn
    monkeypatch.setattr(reader_training, "_PUBLISHED_TEST_ROWS", 7)
    assert asked(quirks=("first_10000_rows",)) == every[:7]

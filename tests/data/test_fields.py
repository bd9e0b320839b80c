"""The fields of like questions: by hand, by a naive loop over histories, and without a look ahead."""

from dataclasses import replace

import numpy as np
import pytest

from rec_core.data.ctr import make_ctr_samples
from rec_core.data.fields import Fields, by_user, make_fields, make_log, windows_of
from rec_core.data.histories import HistoryStore
from rec_core.types import CTRSamples, Dataset, InputError


@pytest.fixture
def questions(planted: Dataset) -> CTRSamples:
    return make_ctr_samples(planted.interactions, planted.like_threshold, 5)


@pytest.fixture
def train(questions: CTRSamples) -> CTRSamples:
    return questions.take(np.arange(150))


def fields_of(planted: Dataset, train: CTRSamples, length: int = 4, **changes) -> Fields:
    return make_fields(planted, train, length, **changes)


def test_single_valued_fields_by_hand(planted, train):
    fields = fields_of(planted, train)
    assert fields.names == ("user", "gender", "age_group", "item")  # every film has its own year: no category
    n_users, n_items = len(np.unique(train.user_nums)), len(np.unique(train.item_nums))
    assert fields.sizes == (n_users + 1, 4, 3, n_items + 1)  # genders: "", man, woman
    starts = np.cumsum([0, *fields.sizes])
    user = int(train.user_nums[0])
    words = planted.users.loc[user]
    place = 1 + ["", "man", "woman"].index(words["gender"])
    assert fields.user_codes[user, 1] == starts[1] + place
    assert fields.user_codes[user, 2] == starts[2] + 1 + ["", "25-34"].index(words["age_group"])
    known = sorted(map(str, np.unique(train.user_nums)))
    assert fields.user_codes[user, 0] == 1 + known.index(str(user))
    for column, codes in enumerate(fields.user_codes.T):
        assert ((codes >= starts[column]) & (codes < starts[column + 1])).all()
    assert ((fields.item_codes >= starts[3]) & (fields.item_codes < starts[4])).all()


def test_whatever_training_never_saw_is_the_first_code_of_its_block(planted, questions):
    few = questions.take(np.arange(6))
    fields = fields_of(planted, few)
    starts = np.cumsum([0, *fields.sizes])
    strangers = np.setdiff1d(np.arange(30), few.user_nums)
    assert len(strangers) and (fields.user_codes[strangers, 0] == 0).all()
    assert fields.user_codes[-1].tolist() == starts[:3].tolist()  # nobody: unknown in every field
    unseen = np.setdiff1d(np.arange(30), few.item_nums)
    assert (fields.item_codes[unseen, 0] == starts[3]).all() and not fields.known_items[unseen].any()
    assert (fields.item_codes[few.item_nums, 0] > starts[3]).all() and fields.known_items[few.item_nums].all()
    assert fields.n_history_codes <= 1 + 6 * 4


def test_genres_are_those_of_training_targets(planted, questions):
    odd = questions.take(np.flatnonzero(questions.item_nums % 2 == 1)[:40])
    fields = fields_of(planted, odd)
    assert fields.genres == ("Comedy",)
    assert fields.item_genres[:, 0].tolist() == [float(i % 2) for i in range(30)]
    assert fields_of(planted, odd, leave_out=("genres",)).genres == ()


@pytest.mark.parametrize("length", [0, 1, 4, 100])
def test_windows_equal_a_loop_over_histories(planted, questions, train, length):
    """The last `length` items before the target, newest last, and how often each rating comes among them."""
    rows, order = planted.interactions, by_user(planted.interactions)
    fields = fields_of(planted, train, length)
    log = make_log(fields, rows.item_nums[order], rows.ratings[order])
    windows = windows_of(rows, questions, length)
    store = HistoryStore(rows)
    for s in range(0, len(questions), 7):
        past = store.of(int(questions.user_nums[s]), int(questions.history_lengths[s]))
        items, ratings = past.item_nums[-length:] if length else [], past.ratings[-length:] if length else []
        stretch = slice(windows.ends[s] - windows.lengths[s], windows.ends[s])
        assert log.item_codes[stretch].tolist() == [fields.history_codes[i] for i in items]
        counts = log.rating_counts[stretch.stop] - log.rating_counts[stretch.start]
        assert counts.tolist() == [
            int(np.sum(np.asarray(ratings) == value)) for value in fields.rating_values
        ]
        assert rows.item_nums[order][windows.ends[s]] == questions.item_nums[s]


def test_neither_the_target_nor_anything_later_is_seen(planted, train):
    """Turn every rating from a training target on upside down: fields and windows of that question stay."""
    rows, last = planted.interactions, int(train.rows[-1])
    turned = rows.ratings.copy()
    turned[last:] = 6 - turned[last:]
    future = replace(planted, interactions=replace(rows, ratings=turned))
    order = by_user(rows)
    seen = []
    for dataset in (planted, future):
        fields = fields_of(dataset, train)
        log = make_log(fields, rows.item_nums[order], dataset.interactions.ratings[order])
        windows = windows_of(rows, train, 4)
        counts = log.rating_counts[windows.ends] - log.rating_counts[windows.ends - windows.lengths]
        seen.append((fields, counts))
    for name, value in vars(seen[0][0]).items():
        assert np.array_equal(value, getattr(seen[1][0], name)), name
    assert np.array_equal(seen[0][1], seen[1][1])


def test_later_questions_add_no_category(planted, questions, train):
    """Cut everything after the last training question off: the same fields."""
    rows, n = planted.interactions, int(train.rows[-1]) + 1
    arrays = ("user_nums", "item_nums", "ratings", "timestamps")
    cut = replace(rows, **{name: getattr(rows, name)[:n] for name in arrays})
    short = fields_of(replace(planted, interactions=cut), train)
    for name, value in vars(fields_of(planted, train)).items():
        assert np.array_equal(value, getattr(short, name)), name


def test_ratings_count_for_the_nearest_known_value(planted, train):
    fields = replace(fields_of(planted, train), rating_values=np.array([1.0, 3.0, 4.0], np.float32))
    log = make_log(fields, np.zeros(5, int), np.array([0.5, 2.1, np.nan, 3.6, 9.0], np.float32))
    assert np.diff(log.rating_counts, axis=0).tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
        [0, 0, 1],
        [0, 0, 1],
    ]
    assert len(log.item_codes) == 6 and log.item_codes[5] == 0


def test_a_fine_rating_scale_is_cut_into_levels(planted, train):
    fine = np.random.default_rng(0).uniform(0, 10, len(planted.interactions)).astype(np.float32)
    dataset = replace(planted, interactions=replace(planted.interactions, ratings=fine))
    values = fields_of(dataset, train).rating_values
    assert len(values) == 20 and (np.diff(values) > 0).all()


def test_wrong_names_are_refused(planted, train):
    with pytest.raises(InputError, match="no field 'zip' to leave out"):
        fields_of(planted, train, leave_out=("zip",))
    with pytest.raises(InputError, match="leave out fewer"):
        fields_of(planted, train, leave_out=("user", "gender", "age_group"))
    with pytest.raises(InputError, match="leave out fewer"):
        fields_of(planted, train, leave_out=("item",))
    assert fields_of(planted, train, leave_out=("user",)).names == ("gender", "age_group", "item")

"""What the tests of streamed sources share: the fixtures' folder, rows as tuples, files with one change."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rec_core.types import InputError

FIXTURES = Path(__file__).parents[2] / "fixtures"
TEN = (
    (0, 0, 5),
    (0, 1, 3),
    (1, 0, 4),
    (1, 2, 2),
    (2, 3, 5),
    (0, 2, 4),
    (1, 3, 1),
    (2, 0, 4),
    (2, 1, 3),
    (0, 3, 5),
)


def _rows_of(dataset):
    made = dataset.interactions
    ratings = [None if np.isnan(rating) else rating for rating in made.ratings.tolist()]
    users, items = made.user_ids[made.user_nums].tolist(), made.item_ids[made.item_nums].tolist()
    return list(zip(users, items, ratings, made.timestamps.tolist(), strict=True))


@pytest.fixture
def rows_of():
    """Give a function: (user id, item id, rating or None, timestamp) per interaction of a dataset."""
    return _rows_of


@pytest.fixture
def ten():
    """Give the ten rows (user, item, rating) that the fixtures spell in their formats."""
    return TEN


@pytest.fixture
def fixtures():
    return FIXTURES


@pytest.fixture
def copied(tmp_path):
    """Give a function that copies a fixture and replaces text in one of its files."""

    def copy(name, file=None, old=b"", new=b""):
        folder = tmp_path / name
        if not folder.exists():
            shutil.copytree(FIXTURES / name, folder)
        if file is not None:
            data = (folder / file).read_bytes()
            assert old in data
            (folder / file).write_bytes(data.replace(old, new, 1))
        return folder

    return copy


@pytest.fixture
def complaint():
    """Give a function that returns the one sentence of the InputError that a call raises."""

    def complain(call, *args, **options):
        with pytest.raises(InputError) as caught:
            call(*args, **options)
        text = str(caught.value)
        assert text.endswith(".") and "\n" not in text
        return text

    return complain

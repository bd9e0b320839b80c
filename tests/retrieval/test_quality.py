"""Retrieval quality and plain cosines by hand."""

import numpy as np

from rec_core.retrieval.cosine import cosines
from rec_core.retrieval.quality import label_agreement, random_quality, retrieval_quality
from rec_core.types import EvidenceItem, History

VALUES = np.array([[1, 0], [3, 4], [0, 2], [-1, 0], [0, 0]], dtype=np.float32)


def history(items: list[int]) -> History:
    nums = np.array(items, dtype=np.int32)
    return History(nums, np.ones(len(nums), dtype=np.float32), np.arange(len(nums), dtype=np.int64))


def test_cosines_by_hand() -> None:
    np.testing.assert_allclose(cosines(VALUES, 0, [1, 2, 3, 4]), [0.6, 0.0, -1.0, 0.0])
    np.testing.assert_array_equal(cosines(VALUES, 4, [0, 4]), [0.0, 0.0])
    assert cosines(VALUES, 0, []).shape == (0,)


def test_quality_is_the_mean_cosine_per_target() -> None:
    quality = retrieval_quality(
        VALUES, np.array([0, 0, 1]), [np.array([1, 3]), np.array([], int), np.array([2])]
    )
    np.testing.assert_allclose(quality, [(0.6 - 1.0) / 2, np.nan, 0.8])


def test_random_quality_picks_distinct_items_of_the_own_history_never_the_target() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, 3)).astype(np.float32)
    past, target = history([4, 7, 7, 9, 3]), 7
    # all three other items fit in: nothing is left to chance
    np.testing.assert_allclose(
        random_quality(values, np.array([target]), [past], 10, seed=0),
        cosines(values, target, [4, 9, 3]).mean(),
    )
    one = {
        round(float(random_quality(values, np.array([target]), [past], 1, seed=s)[0]), 6) for s in range(40)
    }
    assert one == {round(float(c), 6) for c in cosines(values, target, [4, 9, 3])}
    assert np.isnan(random_quality(values, np.array([7]), [history([7])], 3, seed=0))[0]


def test_random_quality_is_seeded() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 4)).astype(np.float32)
    targets, histories = rng.integers(0, 50, 5), [history(list(rng.integers(0, 50, 30))) for _ in range(5)]
    first = random_quality(values, targets, histories, 4, seed=3)
    np.testing.assert_array_equal(first, random_quality(values, targets, histories, 4, seed=3))
    assert not np.array_equal(first, random_quality(values, targets, histories, 4, seed=4))


def test_label_agreement_is_the_share_of_evidence_on_the_targets_side():
    def item(rating: float) -> EvidenceItem:
        return EvidenceItem(0, rating, 0, "semantic", 1, 1.0)

    evidence = [
        [item(5), item(2), item(3)],
        [item(5), item(2), item(3)],
        [item(np.nan), item(4)],
        [],
        [item(np.nan)],
    ]
    found = label_agreement(evidence, np.array([1, 0, 1, 1, 0]), 3.0)
    np.testing.assert_allclose(found, [1 / 3, 2 / 3, 1.0, np.nan, np.nan])

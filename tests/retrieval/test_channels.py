"""The two channels against naive loops."""

import time

import numpy as np

from rec_core.retrieval.channels import recency_channel, semantic_channel
from rec_core.retrieval.similarity import CosineSimilarity, DotSimilarity, ShiftedNeighbours
from rec_core.types import History


def history(items: list[int] | np.ndarray) -> History:
    nums = np.asarray(items, dtype=np.int32)
    return History(nums, np.ones(len(nums), dtype=np.float32), np.arange(len(nums), dtype=np.int64))


def naive_semantic(values: np.ndarray, target: int, past: History, top_k: int) -> list[int]:
    latest = {int(item): position for position, item in enumerate(past.item_nums)}
    latest.pop(target, None)
    unit = [row / np.sqrt((row**2).sum()) if row.any() else row for row in values.astype(np.float64)]
    scored = [(-round(float(unit[i] @ unit[target]), 6), -position) for i, position in latest.items()]
    return [-position for _, position in sorted(scored)[:top_k]]


def test_semantic_channel_equals_a_naive_loop() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 4)).astype(np.float32)
    values[20:] = values[:10]  # equal texts: the more recent must come first
    values[15] = 0.0
    targets = rng.integers(0, 30, 50)
    histories = [
        history(rng.integers(0, 30, rng.integers(0, 40))) for _ in targets
    ]  # with repeats and targets
    chosen = semantic_channel(CosineSimilarity(values), targets, histories, 8)
    for target, past, positions in zip(targets, histories, chosen, strict=True):
        assert positions.tolist() == naive_semantic(values, int(target), past, 8)


def test_semantic_channel_by_hand() -> None:
    values = np.array([[1, 0], [1, 1], [0, 1], [2, 0.2], [-1, 0]], dtype=np.float32)
    # cosine to item 0: item 1 0.707, item 2 0, item 3 0.995, item 4 -1
    past = history([4, 1, 0, 3, 2, 1])
    assert semantic_channel(CosineSimilarity(values), np.array([0]), [past], 10)[0].tolist() == [3, 5, 4, 0]
    assert semantic_channel(CosineSimilarity(values), np.array([0]), [past], 2)[0].tolist() == [3, 5]


def test_equal_vectors_are_told_apart_by_recency_alone() -> None:
    rng = np.random.default_rng(2)
    for width in (3, 64, 101):
        values = np.tile(rng.normal(size=(1, width)).astype(np.float32), (40, 1))
        positions = semantic_channel(
            CosineSimilarity(values), np.array([0]), [history(np.arange(1, 40))], 39
        )[0]
        assert positions.tolist() == list(range(38, -1, -1))


def test_recency_channel_is_newest_first_and_keeps_the_latest_of_repeats() -> None:
    past = history([7, 8, 7, 9, 8])
    assert recency_channel(past, 10).tolist() == [4, 3, 2]  # 8 at 4, 9 at 3, 7 at 2
    assert recency_channel(past, 2).tolist() == [4, 3]
    assert recency_channel(history([]), 5).tolist() == []


def test_shift_reads_the_similarities_of_the_next_row_and_wraps() -> None:
    values = np.array([[1, 0], [0, 1], [-1, 0], [1, 1]], dtype=np.float32)
    past = history([1, 2, 3])  # read as rows 2, 3, 0: cosines to item 0 are -1, 0.707, 1
    assert semantic_channel(ShiftedNeighbours(CosineSimilarity(values)), np.array([0]), [past], 3)[
        0
    ].tolist() == [2, 1, 0]
    assert semantic_channel(CosineSimilarity(values), np.array([0]), [past], 3)[0].tolist() == [2, 0, 1]
    wrapping = history([2, 3])  # read as rows 3 and 0: cosines to item 1 are 0.707 and 0
    assert semantic_channel(ShiftedNeighbours(CosineSimilarity(values)), np.array([1]), [wrapping], 2)[
        0
    ].tolist() == [0, 1]


def test_the_published_shift_makes_retrieval_of_planted_clusters_fall_to_random() -> None:
    rng = np.random.default_rng(3)
    cluster = rng.integers(0, 5, 400)  # items in no order: the next row says nothing about this one
    values = (np.eye(5)[cluster] + 0.1 * rng.normal(size=(400, 5))).astype(np.float32)
    targets = rng.integers(0, 400, 300)
    histories = [history(rng.choice(400, 60, replace=False)) for _ in targets]

    def share_of_own_cluster(similarity) -> float:
        chosen = semantic_channel(similarity, targets, histories, 8)
        own = [
            cluster[h.item_nums[p]] == cluster[t] for t, h, p in zip(targets, histories, chosen, strict=True)
        ]
        return float(np.mean(np.concatenate(own)))

    # 300 targets x 8 picks around 1/5, with the picks of one target dependent: 0.05 is more than 3 standard
    # errors
    assert share_of_own_cluster(CosineSimilarity(values)) > 0.95
    assert abs(share_of_own_cluster(ShiftedNeighbours(CosineSimilarity(values))) - 0.2) < 0.05


def test_a_thousand_targets_take_well_under_a_second() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(4000, 64)).astype(np.float32)
    histories = [history(rng.choice(4000, 100, replace=False)) for _ in range(1000)]
    targets = rng.integers(0, 4000, 1000)
    start = time.process_time()
    semantic_channel(CosineSimilarity(values), targets, histories, 30)
    assert time.process_time() - start < 0.3  # ten thousand in 3 s


def test_a_mixture_is_compared_by_dot_products_as_equation_7_has_it() -> None:
    """An item that lacks a block is not scaled up for it: 0.8 + 0.8 beats 0.9 + nothing, though its cosine is lower.

    Target (1, 0 | 1, 0); item 1 (0.8, 0.6 | 0.8, 0.6): dot 1.6, cosine 1.6 / 2 = 0.8.
    Item 2 (0.95, 0.312 | 0, 0): dot 0.95, cosine 0.95 / 2**0.5 = 0.672; item 3 (1, 0 | 0, 0): dot 1, cosine 0.707.
    Item 4 (0.6, 0.8 | 0.5, 0.866): dot 1.1, cosine 0.55: by dot above item 3, by cosine below it.
    """
    values = np.array(
        [[1, 0, 1, 0], [0.8, 0.6, 0.8, 0.6], [0.95, 0.312, 0, 0], [1, 0, 0, 0], [0.6, 0.8, 0.5, 0.866]]
    )
    past = history([1, 2, 3, 4])
    assert semantic_channel(DotSimilarity(values), np.array([0]), [past], 4)[0].tolist() == [0, 3, 2, 1]
    assert semantic_channel(CosineSimilarity(values), np.array([0]), [past], 4)[0].tolist() == [0, 2, 1, 3]

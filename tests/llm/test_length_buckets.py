"""Batches of rows of like length: little padding, no order by length, every row once."""

import numpy as np
import pytest
import torch

from rec_core.llm.length_buckets import SMALLEST, WINDOW, BatchOrder, epoch_batches, padding_share
from rec_core.llm.token_rows import TokenRow, collate


def prompts(n: int, seed: int = 0) -> list[TokenRow]:
    """Rows as 30 history items make them: 100 to 900 tokens."""
    return [TokenRow([7] * int(k), 2) for k in np.random.default_rng(seed).integers(100, 901, n)]


def lengths(rows: list[TokenRow]) -> list[int]:
    return [len(row.ids) for row in rows]


@pytest.mark.parametrize("bucketing", [True, False])
@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (4, 4), (37, 4), (1000, 8), (1003, 16)])
def test_every_row_comes_once_and_only_the_last_batch_is_short(n, batch_size, bucketing):
    batches = epoch_batches(lengths(prompts(n)), batch_size, 3, 0, bucketing)
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert len(batches[-1]) == n - batch_size * (len(batches) - 1)


@pytest.mark.parametrize(("n", "batch_size"), [(1024, 4), (1024, 32), (4096, 16), (4096, 64), (20_000, 128)])
def test_under_5_percent_of_the_positions_are_padding(n, batch_size):
    rows = prompts(n)
    shares = [padding_share(rows, epoch_batches(lengths(rows), batch_size, 0, e, True)) for e in range(3)]
    assert max(shares) < 0.05
    assert padding_share(rows, epoch_batches(lengths(rows), batch_size, 0, 0, False)) > 0.3


def test_padding_share_counts_what_collating_pads():
    rows, batches = prompts(50), [[0, 1, 2], [3], [4, 5, 6, 7]]
    masks = [collate([rows[i] for i in batch], 2)["attention_mask"] for batch in batches]
    empty = sum(int((mask == 0).sum()) for mask in masks)
    assert padding_share(rows, batches) == pytest.approx(empty / sum(mask.numel() for mask in masks))
    assert padding_share(rows, [[5]]) == padding_share(rows, []) == 0.0


def test_a_window_is_sorted_before_it_is_cut():
    """Within the only window no batch reaches into another's range of lengths."""
    size = lengths(prompts(8 * (2 * SMALLEST - 1)))
    ranges = sorted(
        (min(found), max(found))
        for batch in epoch_batches(size, 8, 1, 0, True)
        for found in [[size[i] for i in batch]]
    )
    assert all(high <= low for (_, high), (low, _) in zip(ranges, ranges[1:], strict=False))
    assert ranges[0][1] < ranges[-1][0]


def test_length_says_nothing_about_the_place_in_the_epoch():
    """Over 300 epochs the mean length at every place is that of all rows, within 5 standard errors."""
    size = np.array(lengths(prompts(320)))
    places = np.array(
        [[size[batch].mean() for batch in epoch_batches(size, 16, 0, epoch, True)] for epoch in range(300)]
    )
    error = places.std(axis=0) / np.sqrt(len(places))
    assert (np.abs(places.mean(axis=0) - size.mean()) < 5 * error).all()
    assert places.std(axis=0).min() > 150  # the batches themselves do differ in length


def test_the_short_last_batch_is_drawn_from_rows_of_every_length():
    size = np.array(lengths(prompts(35)))
    drawn = [size[epoch_batches(size, 8, seed, 0, True)[-1]].mean() for seed in range(300)]
    assert abs(np.mean(drawn) - size.mean()) < 5 * np.std(drawn) / np.sqrt(300)


@pytest.mark.parametrize("n_batches", [WINDOW - 2, 4 * WINDOW])
def test_rows_meet_others_in_the_next_epoch(n_batches):
    """Also where all rows would fit into one window."""
    size = lengths(prompts(8 * n_batches))

    def pairs(epoch: int) -> set[tuple[int, int]]:
        batches = epoch_batches(size, 8, 0, epoch, True)
        return {(i, j) for batch in batches for i in batch.tolist() for j in batch.tolist() if i < j}

    first, second = pairs(0), pairs(1)
    assert len(first & second) < 0.3 * len(first)


def test_seed_and_epoch_decide_the_batches():
    size = lengths(prompts(100))

    def batches(seed: int, epoch: int) -> list[list[int]]:
        return [batch.tolist() for batch in epoch_batches(size, 8, seed, epoch, True)]

    torch.manual_seed(1)
    first = batches(5, 2)
    torch.manual_seed(2)
    assert batches(5, 2) == first
    assert first not in (batches(5, 3), batches(6, 2), batches(6, 1))


@pytest.mark.parametrize("n_processes", [1, 2, 3, 5])
def test_processes_share_the_rows_of_every_batch(n_processes):
    size = lengths(prompts(41))
    orders = [BatchOrder(size, 8, 7, True, n_processes, rank) for rank in range(n_processes)]
    for order in orders:
        order.set_epoch(3)
    shares = [list(order) for order in orders]
    whole = epoch_batches(size, 8, 7, 3, True)
    assert {len(order) for order in orders} == {len(whole)} == {6}
    for number, batch in enumerate(whole):
        parts = [share[number] for share in shares]
        assert sum(parts, []) == batch.tolist()
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert (min(map(len, (share[-1] for share in shares))) == 0) == (n_processes > 1)  # 41 = 5 * 8 + 1


def test_no_rows_at_all_make_a_row_without_targets():
    batch = collate([], 2)
    assert batch["input_ids"].shape == (1, 2) and bool(batch["attention_mask"].all())
    assert not (batch["labels"] != -100).any()

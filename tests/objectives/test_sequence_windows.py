"""Sequence windows: every step once, the right context, cuts that move."""

import collections

import numpy as np
import pytest
import torch

from rec_core.objectives.sequence_windows import SequenceWindows

PAD = 99
LENGTHS = [0, 1, 2, 5, 6, 9, 23, 4]


def histories() -> list[list[int]]:
    """Item numbers that tell who and when: 10 x user + step would repeat, so they are counted through."""
    starts = np.concatenate(([0], np.cumsum(LENGTHS)))
    return [list(range(starts[u], starts[u + 1])) for u in range(len(LENGTHS))]


def windows(max_length: int, stretch: int, n_ahead: int = 1) -> SequenceWindows:
    indptr = torch.tensor(np.concatenate(([0], np.cumsum(LENGTHS))))
    return SequenceWindows(indptr, torch.arange(sum(LENGTHS)), PAD, max_length, stretch, n_ahead)


def rows(cut: SequenceWindows, seed: int) -> list[tuple[int, list[int], list[list[int]]]]:
    drawn = cut.draw(torch.Generator().manual_seed(seed))
    inputs, targets = cut.read(drawn)
    return list(zip(drawn[0].tolist(), inputs.tolist(), targets.tolist(), strict=True))


@pytest.mark.parametrize("stretch", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_every_step_is_a_target_once_after_the_items_before_it(stretch: int, seed: int):
    cut, own = windows(5, stretch), histories()
    met = collections.Counter()
    for user, inputs, targets in rows(cut, seed):
        real = [item for item in inputs if item != PAD]
        place = own[user].index(real[0])
        assert inputs == [PAD] * (5 - len(real)) + own[user][place : place + len(real)]
        assert len(real) == 5 or place == 0  # short only where the history begins
        wanted = [(position, target) for position, (target,) in enumerate(targets) if target != PAD]
        assert 1 <= len(wanted) <= stretch and wanted[-1][0] == 4
        for position, target in wanted:
            assert own[user][own[user].index(inputs[position]) + 1] == target
            met[user, target] += 1
    assert met == collections.Counter((u, item) for u, row in enumerate(own) for item in row[1:])
    assert cut.n_steps == len(met) == sum(max(n - 1, 0) for n in LENGTHS)


def test_contexts_of_a_step_are_other_ones_each_epoch():
    """Item 12 of the history of 23 (windows of 5): after 1 to 5 items, each equally often over the epochs."""
    cut, target = windows(5, 5), histories()[6][12]
    lengths = collections.Counter()
    for seed in range(400):
        for _, _inputs, targets in rows(cut, seed):
            if [target] in targets:
                lengths[targets.index([target]) + 1] += 1
    assert sorted(lengths) == [1, 2, 3, 4, 5] and sum(lengths.values()) == 400
    assert all(50 <= count <= 112 for count in lengths.values())  # four standard deviations around 80


def test_one_step_per_window_reads_all_it_can():
    for user, inputs, targets in rows(windows(4, 1), 0):
        own = histories()[user]
        before = own[: own.index(targets[-1][0])][-4:]
        assert inputs == [PAD] * (4 - len(before)) + before
        assert targets[:-1] == [[PAD]] * 3


def test_the_fewest_windows_and_the_random_order():
    cut = windows(5, 5)
    assert cut.fewest == 0 + 0 + 1 + 1 + 1 + 2 + 5 + 1
    counts = {len(rows(cut, seed)) for seed in range(50)}
    assert min(counts) == cut.fewest and max(counts) <= cut.fewest + 2  # two histories need several
    users = [tuple(row[0] for row in rows(windows(5, 1), seed)) for seed in range(3)]
    assert len(set(users)) == 3 and all(list(order) != sorted(order) for order in users)


def test_several_items_ahead():
    """After item i of a history the targets are i + 1, i + 2 and i + 3, as far as it goes."""
    for user, inputs, targets in rows(windows(5, 5, n_ahead=3), 1):
        own = histories()[user]
        for item, ahead in zip(inputs, targets, strict=True):
            if ahead[0] != PAD:
                later = own[own.index(item) + 1 :][:3]
                assert ahead == later + [PAD] * (3 - len(later))
            else:
                assert ahead == [PAD] * 3


def test_who_is_left_out_has_no_windows():
    cut = windows(5, 5)
    cut.leave_out(torch.tensor([False] * 5 + [True, True, False]))
    assert {row[0] for row in rows(cut, 0)} == {2, 3, 4, 7} and cut.n_steps == 1 + 4 + 5 + 3


def test_more_targets_than_room_are_refused():
    with pytest.raises(ValueError, match="6 targets do not fit into windows of 5"):
        windows(5, 6)

"""Sequential systems: what is read of a history, and that asking by user or by history is the same."""

import numpy as np
import pytest
import torch

from rec_core.systems.ranking_parts import RankingParts, Rows
from rec_core.systems.sequential import SequentialConfig, _newest, learn, load, make_net
from rec_core.types import History, InputError, ignore_progress

TINY = {
    "embedding_size": 8,
    "max_length": 6,
    "dropout": 0.1,
    "sasrec.hidden_size": 16,
    "loop.epochs": 2,
    "batch_size": 64,
}


def history(items) -> History:
    nums = np.asarray(items, np.int32)
    return History(nums, np.full(len(nums), 5.0, np.float32), np.arange(len(nums)))


def test_the_newest_items_are_kept_in_order_and_padded_on_the_left():
    rows = Rows(np.array([0, 0, 2, 9]), np.array([4, 5, 0, 1, 2, 3, 4, 5, 6], np.int32))
    net = make_net(SequentialConfig.from_values(TINY), 3, 7, torch.Generator())
    assert _newest(rows, np.array([2, 0, 1]), 4, net).tolist() == [[3, 4, 5, 6], [7] * 4, [7, 7, 4, 5]]
    assert _newest(rows, np.array([1]), 4, net).tolist() == [[4, 5]]
    assert _newest(rows, np.array([0]), 4, net).tolist() == [[7]]


@pytest.mark.parametrize("encoder", ["sasrec", "gru4rec", "caser"])
def test_user_and_history_give_the_same_scores_and_order_matters(encoder, planted, tmp_path):
    config = SequentialConfig.from_values({**TINY, "encoder": encoder})
    parts = RankingParts.of(planted, config.task)
    learn(parts, config, tmp_path, 0, ignore_progress)
    system = load(planted, config, tmp_path)
    rows = parts.histories("test")
    by_user = system.user_scores(parts, "test")(np.array([3, 5])).numpy()
    for user, scores in zip((3, 5), by_user, strict=True):
        np.testing.assert_allclose(system.catalogue_scores(history(rows.row(user)), user), scores, atol=1e-5)
    forth = system.catalogue_scores(history(rows.row(3)))
    back = system.catalogue_scores(history(rows.row(3)[::-1]))
    assert np.abs(forth - back).max() > 1e-6
    seen_in_training = system.user_scores(parts, "valid")(np.array([3])).numpy()
    assert np.abs(seen_in_training - by_user[:1]).max() > 1e-6  # the test reads the validation item too


def test_a_row_per_prefix_takes_as_many_targets_in_more_windows(planted, tmp_path):
    """Steps of one epoch: the same number, since a step has so many targets; other weights come out."""
    vectors, steps = {}, {}
    for targets in (0, 1):
        config = SequentialConfig.from_values({**TINY, "loop.epochs": 1, "targets_per_window": targets})
        parts = RankingParts.of(planted, config.task)
        events = []
        learn(parts, config, tmp_path / str(targets), 0, events.append)
        steps[targets] = events[-1].total
        vectors[targets] = load(planted, config, tmp_path / str(targets)).net.item_vectors.detach().numpy()
    n_targets = sum(max(len(parts.histories("valid").row(user)) - 1, 0) for user in range(parts.n_users))
    assert steps == {0: -(-n_targets // 64), 1: -(-n_targets // 64)}
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4


def test_a_window_cannot_have_more_targets_than_it_reads():
    with pytest.raises(
        InputError, match="'targets_per_window' of SequentialConfig cannot be 7.*only 6 items"
    ):
        SequentialConfig.from_values({**TINY, "targets_per_window": 7})

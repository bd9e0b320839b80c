"""The ID view: it finds planted communities, and reads training rows alone."""

import numpy as np
import pytest

from rec_core.data.interactions import make_interactions
from rec_core.data.vocab import Vocab
from rec_core.systems.behaviour_view import (
    BehaviourViewConfig,
    _validation,
    load_behaviour_view,
    train_behaviour_view,
)
from rec_core.types import InputError, Interactions, ignore_progress

CONFIG = BehaviourViewConfig.from_values(
    {"embedding_size": 8, "batch_size": 64, "loop.epochs": 40, "reg": 1e-3}
)


def communities(seed: int, n_users: int = 40, n_items: int = 40, shuffled: bool = False) -> Interactions:
    """Every user takes 10 items of the own half (of anything when shuffled), one after the other."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        pool = np.arange(n_items) if shuffled else np.arange(user % 2, n_items, 2)
        rows += [(user, item, 5.0, place) for place, item in enumerate(rng.permutation(pool)[:10])]
    users, items, ratings, times = (np.array(column) for column in zip(*rows, strict=True))
    return make_interactions(
        users, items, ratings, times, users=Vocab(np.arange(n_users)), items=Vocab(np.arange(n_items))
    )


def trained(interactions, folder, config=CONFIG, seed=0, n_train=None):
    n_train = int(len(interactions) * 0.7) if n_train is None else n_train
    rows = np.arange(len(interactions))
    out = folder / "out"
    train_behaviour_view(
        interactions, rows[:n_train], rows[n_train:], 3.0, config, out, folder / "work", seed, ignore_progress
    )
    return load_behaviour_view(out)


def hit_rate(view, interactions, n_train) -> float:
    """Share of later rows in the user's 10 best items not seen in training, by a loop."""
    hits = []
    for row in range(n_train, len(interactions)):
        user, item = interactions.user_nums[row], interactions.item_nums[row]
        seen = set(interactions.item_nums[:n_train][interactions.user_nums[:n_train] == user].tolist())
        order = [i for i in np.argsort(-(view.items.values @ view.users[user])) if i not in seen]
        hits.append(item in order[:10])
    return float(np.mean(hits))


def test_communities_are_found_and_shuffled_data_holds_none(tmp_path):
    """10 of about 33 unseen items: chance is 0.3; inside the own half it is 10 of 13."""
    scores = {}
    for shuffled in (False, True):
        interactions = communities(0, shuffled=shuffled)
        n_train = int(len(interactions) * 0.7)
        scores[shuffled] = hit_rate(trained(interactions, tmp_path / str(shuffled)), interactions, n_train)
    assert scores[False] > 0.6 and scores[True] < 0.45


def test_items_outside_the_training_rows_are_unknown_and_zero(tmp_path):
    interactions = communities(1)
    view = trained(interactions, tmp_path, n_train=60)
    known = np.isin(np.arange(40), interactions.item_nums[:60])
    assert 0 < known.sum() < 40
    assert np.array_equal(view.items.known, known)
    assert not view.items.values[~known].any() and np.abs(view.items.values[known]).sum(axis=1).min() > 0
    assert view.items.view == "id" and view.users.shape == (40, 8)


def test_rows_outside_both_parts_change_nothing(tmp_path):
    interactions = communities(2)
    later = interactions.item_nums.copy()
    later[360:] = (later[360:] + 7) % 40
    other = Interactions(**{**interactions.__dict__, "item_nums": later})
    config = CONFIG.with_values({"loop.epochs": 5})
    views = []
    for place, data in enumerate((interactions, other)):
        train_behaviour_view(
            data, np.arange(300), np.arange(300, 360), 3.0, config,
            tmp_path / f"out{place}", tmp_path / f"work{place}", 0, ignore_progress,
        )  # fmt: skip
        views.append(load_behaviour_view(tmp_path / f"out{place}"))
    assert np.array_equal(views[0].items.values, views[1].items.values)


def test_a_user_who_has_seen_everything_stops_nobody(tmp_path):
    """The edges of user 0 stay in the graph, but no negative item is drawn for them; of all users: one sentence."""
    pairs = [(0, item) for item in range(6)] + [
        (user, (user + n) % 6) for user in range(1, 9) for n in range(4)
    ]
    users, items = np.array(pairs).T
    made = make_interactions(users, items, np.full(len(pairs), 5.0), np.zeros(len(pairs)))
    view = trained(made, tmp_path / "a", CONFIG.with_values({"loop.epochs": 3}), n_train=len(pairs))
    assert view.items.known.all() and np.abs(view.users[0]).sum() > 0
    users, items = np.repeat(np.arange(3), 6), np.tile(np.arange(6), 3)
    full = make_interactions(users, items, np.full(18, 5.0), np.zeros(18))
    with pytest.raises(InputError, match="import more items"):
        trained(full, tmp_path / "b", n_train=18)


def test_edges_can_be_the_likes_alone(tmp_path):
    interactions = communities(3)
    ratings = np.where(interactions.item_nums < 10, 2.0, 5.0).astype(np.float32)
    interactions = Interactions(**{**interactions.__dict__, "ratings": ratings})
    config = CONFIG.with_values({"edges": "likes", "loop.epochs": 2})
    view = trained(interactions, tmp_path, config)
    assert not view.items.known[:10].any() and view.items.known[10:].all()


def test_a_small_catalogue_is_no_obstacle(tmp_path):
    """Recall at 20 where there are 12 items."""
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.permutation(12)[:6] for _ in range(8)])
    interactions = make_interactions(
        np.repeat(np.arange(8), 6),
        items,
        np.full(48, 5.0),
        np.tile(np.arange(6), 8),
        items=Vocab(np.arange(12)),
    )
    view = trained(interactions, tmp_path, CONFIG.with_values({"loop.epochs": 5}))
    assert view.items.values.shape == (12, 8)


def test_validation_is_recall_of_unseen_likes_by_a_loop():
    from types import SimpleNamespace

    import torch

    from rec_core.data.seen import seen_items

    interactions = communities(5)
    rng = np.random.default_rng(0)
    users, items = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    net = SimpleNamespace(vectors=lambda: (torch.tensor(users), torch.tensor(items)))
    train, wanted = np.arange(200), np.arange(200, 400)
    seen = seen_items(interactions.user_nums[train], interactions.item_nums[train], 40, 40)
    got = _validation(net, interactions, seen, wanted)()
    recalls = []
    for user in range(40):
        before = set(interactions.item_nums[train][interactions.user_nums[train] == user].tolist())
        fresh = set(interactions.item_nums[wanted][interactions.user_nums[wanted] == user].tolist()) - before
        if before and fresh:
            top = [i for i in np.argsort(-(items @ users[user])) if i not in before][:20]
            recalls.append(len(fresh & set(top)) / len(fresh))
    assert got == pytest.approx(np.mean(recalls)) and 0.2 < got < 0.9
    assert _validation(SimpleNamespace(), interactions, seen, np.arange(0)) is None

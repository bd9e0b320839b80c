"""AMP-CF's objective: the loss by hand, two steps of Adam, and what planted tastes teach it."""

import math

import numpy as np
import pytest
import torch

from rec_core.data.seen import seen_items
from rec_core.nets.amp_cf import AMPCF
from rec_core.objectives.persona_choice import PersonaChoice
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.training.step import Stepper

USERS = np.array([0, 0, 1, 1, 2, 2, 2], dtype=np.int32)
ITEMS = np.array([0, 1, 1, 2, 0, 2, 3], dtype=np.int32)
BATCH = (torch.tensor([0, 2]), torch.tensor([1, 3]), torch.tensor([[4, 2], [1, 4]]))


def objective(n_personas: int = 2, **settings) -> PersonaChoice:
    net = AMPCF(3, 5, n_personas, 4, torch.Generator().manual_seed(0))
    sampler = UnseenSampler(seen_items(USERS, ITEMS, 3, 5), 5, torch.device("cpu"))
    return PersonaChoice(net, USERS, ITEMS, sampler, 2, 3, **settings)


def test_loss_by_hand():
    target = objective(reg=0.3, positive_entropy_weight=0.7, negative_entropy_weight=0.4)
    losses, for_taken, for_drawn, squares = [], [], [], 0.0
    for user, item, drawn in zip(*(part.tolist() for part in BATCH), strict=True):
        candidates = [item, *drawn]
        scores, weights = target.net(torch.tensor([user]), torch.tensor([candidates]))
        scores, weights = scores[0].tolist(), weights[0].T.tolist()
        losses.append(math.log(sum(math.exp(score) for score in scores)) - scores[0])
        entropies = [-sum(a * math.log(a) for a in of_each) for of_each in weights]
        for_taken.append(entropies[0])
        for_drawn += entropies[1:]
        for row in (target.net.personas[user], *target.net.items[candidates]):
            squares += float(row.detach().square().sum())
    expected = sum(losses) / 2 + 0.7 * sum(for_taken) / 2 - 0.4 * sum(for_drawn) / 4 + 0.3 * squares / 2 / 2
    assert float(target.loss(BATCH).detach()) == pytest.approx(expected, abs=1e-5)


def test_shares_of_a_batch_add_up():
    target = objective(positive_entropy_weight=0.7, negative_entropy_weight=0.4, reg=0.1)
    whole = float(target.loss(BATCH).detach())
    shares = [float(target.loss(tuple(part[i : i + 1] for part in BATCH)).detach()) for i in range(2)]
    assert sum(shares) / 2 == pytest.approx(whole, abs=1e-6)


def test_two_steps_of_one_persona_are_adam_on_matrix_factorisation_with_biases():
    target = objective(n_personas=1)
    stepper = Stepper(target, 0.05, 0.0, "fp32")
    tables = [
        value.detach().double().clone() for value in (target.net.personas, target.net.items, target.net.bias)
    ]
    moments = [(torch.zeros_like(table), torch.zeros_like(table)) for table in tables]
    batches = [BATCH, (torch.tensor([1, 0]), torch.tensor([1, 0]), torch.tensor([[3, 4], [2, 2]]))]
    for t, batch in enumerate(batches, start=1):
        stepper.step(batch)
        gradients = [torch.zeros_like(table) for table in tables]
        for user, item, drawn in zip(*(part.tolist() for part in batch), strict=True):
            candidates = [item, *drawn]
            scores = [float(tables[0][user] @ tables[1][j] + tables[2][j]) for j in candidates]
            total = sum(math.exp(score) for score in scores)
            for place, j in enumerate(candidates):
                slope = (math.exp(scores[place]) / total - (place == 0)) / 2
                gradients[0][user] += slope * tables[1][j]
                gradients[1][j] += slope * tables[0][user]
                gradients[2][j] += slope
        for index, (gradient, (m, v)) in enumerate(zip(gradients, moments, strict=True)):
            m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
            moments[index] = (m, v)
            tables[index] = tables[index] - 0.05 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    for value, table in zip((target.net.personas, target.net.items, target.net.bias), tables, strict=True):
        torch.testing.assert_close(value.detach().double(), table, atol=1e-5, rtol=0)


# --- planted tastes: every user likes 7 of the 10 items in each of two out of four clusters -----------------------------

N_USERS, N_ITEMS, CLUSTER = 60, 40, 10


def planted() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = [
        (user, cluster * CLUSTER + item)
        for user in range(N_USERS)
        for cluster in rng.choice(4, 2, replace=False)
        for item in rng.permutation(CLUSTER)[:7]
    ]
    users, items = np.array(rows).T
    return users, items


def trained_weights(users: np.ndarray, items: np.ndarray, epochs: int = 40, **settings) -> np.ndarray:
    """Weights (N, K) of the personas for every training pair."""
    net = AMPCF(N_USERS, N_ITEMS, 2, 16, torch.Generator().manual_seed(0), "dot")
    sampler = UnseenSampler(seen_items(users, items, N_USERS, N_ITEMS), N_ITEMS, torch.device("cpu"))
    target = PersonaChoice(net, users, items, sampler, 4, 140, **settings)
    stepper, rng = Stepper(target, 0.03, 0.0, "fp32"), np.random.default_rng(0)
    for _ in range(epochs):
        for batch in target.batches(rng):
            stepper.step(batch)
    with torch.no_grad():
        _, weights = net(torch.from_numpy(users), torch.from_numpy(items)[:, None])
    return weights[:, :, 0].double().numpy()


def purity(personas: np.ndarray, users: np.ndarray, clusters: np.ndarray) -> float:
    """Share of a user's items that lie in the main cluster of the persona that carries them."""
    kept = 0
    for user in range(N_USERS):
        for persona in (0, 1):
            carried = clusters[(users == user) & (personas == persona)]
            kept += np.bincount(carried).max() if len(carried) else 0
    return kept / len(users)


def test_personas_are_the_planted_tastes():
    users, items = planted()
    weights = trained_weights(users, items, positive_entropy_weight=0.3, negative_entropy_weight=0.3)
    carriers, clusters = weights.argmax(axis=1), items // CLUSTER
    assert purity(carriers, users, clusters) > 0.9
    shuffled = np.random.default_rng(1).permutation(carriers)
    assert (
        purity(shuffled, users, clusters) < 0.75
    )  # even chance keeps more than half: the larger part counts
    assert weights.max(axis=1).mean() > 0.95


def test_the_entropy_of_taken_items_falls_with_its_weight():
    users, items = planted()
    entropies = []
    for weight in (0.0, 0.1, 1.0):
        weights = trained_weights(users, items, 8, positive_entropy_weight=weight)
        entropies.append(float(-(weights * np.log(weights.clip(1e-12))).sum(axis=1).mean()))
    assert entropies[0] > entropies[1] > entropies[2]

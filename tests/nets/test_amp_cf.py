"""AMP-CF against loops over users, candidates and personas."""

import math

import numpy as np
import pytest
import torch

from rec_core.nets.amp_cf import AMPCF

USERS = torch.tensor([2, 0, 2])
ITEMS = torch.tensor([[1, 4, 0], [3, 3, 2], [0, 1, 2]])


def net(n_personas: int = 3, attention="cosine", temperature: float = 1.0, seed: int = 0) -> AMPCF:
    model = AMPCF(4, 5, n_personas, 6, torch.Generator().manual_seed(seed), attention, temperature)
    with torch.no_grad():
        model.bias.copy_(torch.tensor([0.3, -0.2, 0.0, 0.5, 0.1]))
        model.personas.mul_(10)
        model.items.mul_(10)
    return model.double()


def by_loop(model: AMPCF, user: int, item: int, temperature: float) -> tuple[float, list[float]]:
    table = {name: value.detach().numpy() for name, value in model.named_parameters()}
    personas, target = table["personas"][user].reshape(model.n_personas, 6), table["items"][item]
    logits = []
    for persona in personas:
        if model.attention == "dot":
            logits.append(float(persona @ target))
        else:
            a, b = persona @ table["of_users"], target @ table["of_items"]
            logits.append(float(a @ b) / math.sqrt(a @ a) / math.sqrt(b @ b) / temperature)
    total = sum(math.exp(logit) for logit in logits)
    weights = [math.exp(logit) / total for logit in logits]
    mixed = sum(weight * persona for weight, persona in zip(weights, personas, strict=True))
    return float(mixed @ target + table["bias"][item]), weights


@pytest.mark.parametrize(("attention", "temperature"), [("cosine", 1.0), ("cosine", 0.2), ("dot", 1.0)])
def test_scores_and_weights_equal_a_loop(attention, temperature):
    model = net(3, attention, temperature)
    scores, weights = (tensor.detach().numpy() for tensor in model(USERS, ITEMS))
    assert weights.shape == (3, 3, 3)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    for row in range(3):
        for place in range(3):
            score, of_each = by_loop(model, int(USERS[row]), int(ITEMS[row, place]), temperature)
            assert scores[row, place] == pytest.approx(score)
            np.testing.assert_allclose(weights[row, :, place], of_each)


@pytest.mark.parametrize("attention", ["cosine", "dot"])
@pytest.mark.parametrize("users", [torch.tensor([1]), torch.arange(4), torch.arange(4).repeat(3)])
def test_candidates_are_scored_as_in_the_catalogue(attention, users):
    model = net(3, attention)  # one row of one candidate is fewer than the table's rows, twelve are more
    scores, weights = model.catalogue(model.personas_of(users))
    for n_candidates in (1, 5):
        items = torch.arange(n_candidates).expand(len(users), -1)
        some_scores, some_weights = model(users, items)
        torch.testing.assert_close(some_scores, scores[:, :n_candidates])
        torch.testing.assert_close(some_weights, weights[:, :, :n_candidates])


@pytest.mark.parametrize("attention", ["cosine", "dot"])
def test_one_persona_is_matrix_factorisation_with_biases(attention):
    model = net(1, attention)
    scores, weights = model.catalogue(model.personas_of(torch.arange(4)))
    assert torch.equal(weights, torch.ones(4, 1, 5, dtype=torch.float64))
    assert torch.equal(scores, model.personas @ model.items.T + model.bias)
    assert {name for name, _ in model.named_parameters()} == {"personas", "items", "bias"}


@pytest.mark.parametrize("attention", ["cosine", "dot"])
def test_the_order_of_the_personas_means_nothing(attention):
    model = net(3, attention)
    personas = model.personas_of(torch.arange(4))
    scores, weights = model.catalogue(personas)
    order = [2, 0, 1]
    other_scores, other_weights = model.catalogue(personas[:, order])
    torch.testing.assert_close(other_scores, scores)
    torch.testing.assert_close(other_weights, weights[:, order])


@pytest.mark.parametrize("attention", ["cosine", "dot"])
def test_gradients(attention):
    model = net(2, attention)
    names, values = zip(*model.named_parameters(), strict=True)

    def scores_and_weights(*parameters: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), (USERS, ITEMS))

    assert torch.autograd.gradcheck(
        scores_and_weights, tuple(value.detach().requires_grad_() for value in values)
    )
    model(USERS, ITEMS)[0].sum().backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in values)


def test_the_generator_decides_the_values():
    first, again, other = net(), net(), net(seed=1)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert not torch.equal(first.personas, other.personas)

"""Draws against a loop written from the definition, against transformers' own cut, and against frequencies."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from rec_core.llm.row_sampler import RowSampler, draw
from rec_core.llm.writer import SamplingConfig


def by_hand(logits, uniform, temperature, top_p):
    """Softmax, the fewest likeliest tokens that hold top_p, then walk until the random number is passed."""
    weights = [np.exp((x - max(logits)) / temperature) for x in logits]
    probs = [w / sum(weights) for w in weights]
    kept, held = set(), 0.0
    for token in sorted(range(len(probs)), key=lambda t: -probs[t]):
        if held >= top_p:
            break
        kept.add(token)
        held += probs[token]
    total = sum(probs[token] for token in kept)
    passed = 0.0
    for token in range(len(probs)):
        if token in kept:
            passed += probs[token]
            if passed > uniform * total:
                return token
    raise AssertionError("no token was drawn")


@pytest.mark.parametrize(("temperature", "top_p"), [(0.8, 0.9), (1.0, 1.0), (2.0, 0.3), (0.1, 0.05)])
def test_a_draw_equals_the_walk_by_hand(temperature, top_p):
    rng = np.random.default_rng(3)
    logits, uniforms = rng.normal(size=(200, 9)) * 2, rng.random(200)
    drawn = draw(torch.tensor(logits), torch.tensor(uniforms), temperature, top_p)
    expected = [by_hand(row, u, temperature, top_p) for row, u in zip(logits, uniforms, strict=True)]
    assert drawn.tolist() == expected


def test_temperature_zero_takes_the_likeliest():
    logits = torch.tensor([[0.1, 3.0, 2.9], [5.0, 4.9, 0.0]])
    assert draw(logits, torch.tensor([0.99, 0.99]), 0.0, 0.9).tolist() == [1, 0]


def test_what_is_kept_is_what_transformers_keeps():
    from transformers.generation.logits_process import TemperatureLogitsWarper, TopPLogitsWarper

    rng = np.random.default_rng(5)
    logits = torch.tensor(rng.normal(size=(50, 40)) * 3)
    theirs = TopPLogitsWarper(0.7)(None, TemperatureLogitsWarper(1.3)(None, logits.clone()))
    uniforms = torch.tensor(np.linspace(0, 1, 2000, endpoint=False))
    for row, warped in zip(logits, theirs, strict=True):
        drawn = draw(row.expand(2000, -1), uniforms, 1.3, 0.7)
        probs = torch.softmax(warped, dim=-1)
        assert set(drawn.tolist()) <= set(torch.nonzero(probs).ravel().tolist())
        shares = torch.bincount(drawn, minlength=40) / 2000
        assert torch.allclose(shares, probs.to(shares), atol=1 / 1000)  # evenly spread numbers: exact shares


def test_frequencies_are_those_of_the_softmax():
    logits = torch.tensor([1.0, 0.0, -1.0, 2.0])
    uniforms = torch.tensor(np.random.default_rng(0).random(20_000))
    counts = torch.bincount(draw(logits.expand(20_000, -1), uniforms), minlength=4).numpy()
    assert chisquare(counts, torch.softmax(logits.double(), -1).numpy() * 20_000).pvalue > 0.01


@pytest.mark.parametrize("uniform", [0.0, np.nextafter(1.0, 0.0)])
def test_the_ends_of_the_random_numbers_draw_tokens_that_are_possible(uniform):
    logits = torch.tensor([[-torch.inf, 1.0, 1.0, -torch.inf]])
    assert draw(logits, torch.tensor([uniform], dtype=torch.float64)).item() == (1 if uniform == 0 else 2)


def test_a_row_uses_its_own_number_of_the_step():
    uniforms = torch.tensor([[0.0, 0.9], [0.9, 0.0]])
    sampler = RowSampler(uniforms, SamplingConfig(temperature=1.0, top_p=1.0), width=3)
    scores = torch.zeros(2, 2)
    first = sampler(torch.zeros(2, 3, dtype=torch.long), scores)
    second = sampler(torch.zeros(2, 4, dtype=torch.long), scores)
    assert first.argmax(-1).tolist() == [0, 1] and second.argmax(-1).tolist() == [1, 0]
    assert torch.isinf(first).sum() == 2

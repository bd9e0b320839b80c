"""Equation 8 by hand, the published shares of the channels, and what alpha and beta may never do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_core.retrieval.rerank import Ranked, RerankConfig, beta_is_idle, rerank
from rec_core.types import InputError


def config(**values) -> RerankConfig:
    return RerankConfig.from_values(values)


def positions(ranked: list[Ranked]) -> list[int]:
    return [row.position for row in ranked]


def test_equation_8_by_hand() -> None:
    # alpha 2/3, beta 1. Semantic 5, 6, 7, 8: 2/3, 1/3, 2/9, 1/6. Recency 9, 6, 4: 1/3, 1/6, 1/9.
    # 6 is in both: max(1/3, 1/6) = 1/3, which ties with 9 (1/3): semantic first. 8 has 1/6, alone: 6 dropped
    # its own.
    ranked = rerank([5, 6, 7, 8], [9, 6, 4], config(alpha=2 / 3, beta=1, top_k=5))
    assert [(r.position, r.channel, r.rank, r.tied) for r in ranked] == [
        (5, "semantic", 1, False),
        (6, "semantic", 2, True),
        (9, "recency", 1, True),
        (7, "semantic", 3, False),
        (8, "semantic", 4, False),
    ]
    np.testing.assert_allclose([r.score for r in ranked], [2 / 3, 1 / 3, 1 / 3, 2 / 9, 1 / 6], rtol=1e-11)


def test_beta_is_the_power_of_the_rank() -> None:
    ranked = rerank([1, 2, 3], [], config(alpha=0.8, beta=2, top_k=3))
    np.testing.assert_allclose([r.score for r in ranked], [0.8, 0.8 / 4, 0.8 / 9], rtol=1e-11)
    ranked = rerank([], [4, 5], config(alpha=0.8, beta=0.5, top_k=2))
    np.testing.assert_allclose([r.score for r in ranked], [0.2, 0.2 / 2**0.5], rtol=1e-11)


def test_an_item_of_both_channels_keeps_the_better_score_or_the_sum() -> None:
    # alpha 0.5: position 3 is semantic rank 2 (1/4) and recency rank 1 (1/2)
    kept = rerank([8, 3], [3], config(alpha=0.5, beta=1, duplicates="max"))
    assert [(r.position, r.channel, r.rank, r.score) for r in kept] == [
        (8, "semantic", 1, 0.5),
        (3, "recency", 1, 0.5),
    ]
    summed = rerank([8, 3], [3], config(alpha=0.5, beta=1, duplicates="sum"))
    assert [(r.position, r.channel, r.score) for r in summed] == [(3, "recency", 0.75), (8, "semantic", 0.5)]


def test_an_item_with_equal_scores_in_both_channels_counts_as_semantic() -> None:
    both = rerank([4], [4], config(alpha=0.5, beta=1))
    assert [(r.position, r.channel, r.rank, r.score, r.tied) for r in both] == [
        (4, "semantic", 1, 0.5, False)
    ]


def test_sums_that_are_equal_tie() -> None:
    # alpha 0.6: position 1 has semantic rank 3 (0.2), recency rank 4 (0.1); position 2 semantic rank 2 (0.3)
    ranked = rerank([9, 2, 1], [5, 6, 7, 1], config(alpha=0.6, beta=1, duplicates="sum"))
    assert {r.position: (r.score, r.tied) for r in ranked if r.position in (1, 2)} == {
        1: (0.3, True),
        2: (0.3, True),
    }


def test_chronological_order_keeps_the_choice() -> None:
    by_score = rerank([5, 1, 7], [9, 8], config(top_k=4))
    by_time = rerank([5, 1, 7], [9, 8], config(top_k=4, order="chronological"))
    assert positions(by_time) == sorted(positions(by_score))
    assert set(by_time) == set(by_score)


PUBLISHED_SHARES = {  # (K, alpha) -> semantic items among the K at beta 0.5, 1, 2
    (15, 1 / 2): (8, 8, 8),
    (15, 2 / 3): (12, 10, 9),
    (15, 4 / 5): (15, 12, 10),
    (30, 1 / 2): (15, 15, 15),
    (30, 2 / 3): (24, 20, 18),
    (30, 4 / 5): (29, 24, 20),
}


@pytest.mark.parametrize(("top_k", "alpha"), list(PUBLISHED_SHARES))
def test_share_of_the_semantic_channel(top_k: int, alpha: float) -> None:
    shares = []
    for beta in (0.5, 1, 2):
        ranked = rerank(range(top_k), range(100, 100 + top_k), config(alpha=alpha, beta=beta, top_k=top_k))
        assert len(ranked) == top_k
        shares.append(sum(r.channel == "semantic" for r in ranked))
    assert tuple(shares) == PUBLISHED_SHARES[top_k, alpha]


channel = st.lists(st.integers(0, 30), unique=True, max_size=20)
betas = st.floats(0.01, 10)
sizes = st.integers(1, 40)
rules = st.sampled_from(["max", "sum"])


@given(channel, channel, betas, sizes, rules)
@settings(max_examples=150, deadline=None)
def test_alpha_1_is_the_semantic_order_filled_up_by_recency(
    semantic, recency, beta, top_k, duplicates
) -> None:
    ranked = rerank(semantic, recency, config(alpha=1, beta=beta, top_k=top_k, duplicates=duplicates))
    rest = [p for p in recency if p not in semantic]
    assert positions(ranked) == (semantic + rest)[:top_k]


@given(channel, channel, betas, sizes, rules)
@settings(max_examples=150, deadline=None)
def test_alpha_0_is_the_recency_order_filled_up_by_similarity(
    semantic, recency, beta, top_k, duplicates
) -> None:
    ranked = rerank(semantic, recency, config(alpha=0, beta=beta, top_k=top_k, duplicates=duplicates))
    rest = [p for p in semantic if p not in recency]
    assert positions(ranked) == (recency + rest)[:top_k]


@given(channel, channel, betas, betas, sizes)
@settings(max_examples=150, deadline=None)
def test_at_alpha_one_half_beta_changes_nothing(semantic, recency, beta, other, top_k) -> None:
    first = rerank(semantic, recency, config(alpha=0.5, beta=beta, top_k=top_k))
    second = rerank(semantic, recency, config(alpha=0.5, beta=other, top_k=top_k))
    assert [(r.position, r.channel, r.rank) for r in first] == [
        (r.position, r.channel, r.rank) for r in second
    ]


def test_beta_is_idle_only_where_it_is() -> None:
    assert beta_is_idle(config(alpha=0.5))
    assert not beta_is_idle(config(alpha=0.5, duplicates="sum"))
    assert not beta_is_idle(config(alpha=2 / 3))
    # sums do depend on beta at 1/2: position 1 holds 2 / 2**beta halves, position 0 one
    low = rerank([0, 1], [2, 1], config(alpha=0.5, beta=0.1, duplicates="sum"))
    high = rerank([0, 1], [2, 1], config(alpha=0.5, beta=2, duplicates="sum"))
    assert positions(low) != positions(high)


@given(channel, channel, st.floats(0, 1), betas, sizes, rules)
@settings(max_examples=150, deadline=None)
def test_choices_are_distinct_and_fall_in_score(semantic, recency, alpha, beta, top_k, rule) -> None:
    ranked = rerank(semantic, recency, config(alpha=alpha, beta=beta, top_k=top_k, duplicates=rule))
    assert len(set(positions(ranked))) == len(ranked) == min(top_k, len(set(semantic) | set(recency)))
    assert all(a.score >= b.score for a, b in zip(ranked, ranked[1:], strict=False))
    lists = {"semantic": semantic, "recency": recency}
    assert all(lists[r.channel][r.rank - 1] == r.position for r in ranked)


def test_bounds() -> None:
    for wrong in ({"alpha": 1.1}, {"beta": 0}, {"beta": -1}, {"top_k": 0}, {"order": "random"}):
        with pytest.raises(InputError):
            config(**wrong)
    assert RerankConfig() == config(alpha=2 / 3, beta=1, top_k=30, order="score", duplicates="max")

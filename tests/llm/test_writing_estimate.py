"""Estimates against sums by hand."""

import pytest

from rec_core.llm.writer import Answer, Ask
from rec_core.llm.writing_estimate import FEW, Prices, estimate
from rec_core.types import InputError

ASKS = [Ask(str(i), "abcd" * 100) for i in range(30)]  # 400 bytes each, 12,000 in all


def answers(n, prompt_tokens=50, answer_tokens=90, seconds=2.0):
    return [
        Answer(Ask(f"a{i}", "x" * 200), "t", "stop", prompt_tokens, answer_tokens, seconds) for i in range(n)
    ]


def test_by_rules_of_thumb_while_nothing_was_answered():
    found = estimate(ASKS, [], words=60, max_new_tokens=256)
    assert (found.requests, found.prompt_tokens, found.answer_tokens) == (30, 3000, 30 * 80)
    assert found.answer_tokens_at_most == 30 * 256
    assert (found.cost, found.cost_at_most, found.seconds, found.measured) == (None, None, None, False)


def test_measured_from_the_first_few_answers_on():
    found = estimate(ASKS, answers(FEW), words=60, max_new_tokens=256)
    assert (found.prompt_tokens, found.answer_tokens) == (3000, 30 * 90)  # 50 tokens of 200 bytes: a quarter
    assert found.seconds == 30 * 2.0 and found.measured
    assert estimate(ASKS, answers(FEW - 1), words=60, max_new_tokens=256).seconds is None
    dense = estimate(ASKS, answers(FEW, prompt_tokens=100), words=60, max_new_tokens=256)
    assert dense.prompt_tokens == 6000


def test_requests_that_wait_at_once_share_the_time():
    given = {"words": 60, "max_new_tokens": 256, "seconds_each": 3.0}
    assert estimate(ASKS, answers(FEW), at_once=4, **given).seconds == 30 * 3.0 / 4
    assert estimate(ASKS[:2], [], at_once=4, **given).seconds == 3.0


def test_cost_is_price_times_tokens():
    prices = Prices(prompt=2.0, answer=10.0)
    found = estimate(ASKS, [], words=60, max_new_tokens=256, prices=prices)
    assert found.cost == pytest.approx(3000 * 2e-6 + 2400 * 10e-6)
    assert found.cost_at_most == pytest.approx(3000 * 2e-6 + 30 * 256 * 10e-6)


def test_answers_are_never_thought_longer_than_allowed():
    assert estimate(ASKS, [], words=600, max_new_tokens=100).answer_tokens == 30 * 100


def test_servers_that_count_no_tokens_are_timed_all_the_same():
    found = estimate(ASKS, answers(FEW, None, None), words=60, max_new_tokens=256)
    assert found.prompt_tokens == 3000 and found.seconds == 60.0 and not found.measured


def test_the_line_says_all_of_it():
    line = estimate(
        ASKS, answers(9), words=60, max_new_tokens=256, prices=Prices(prompt=200.0, answer=1000.0)
    ).line
    assert line == (
        "30 requests to go, about 3,000 prompt tokens, about 2,700 answer tokens (at most 7,680), cost about "
        "3.30 (at most 8.28), about 60 seconds; measured on earlier answers."
    )
    bare = estimate(ASKS, [], words=60, max_new_tokens=256).line
    assert "cost" not in bare and "seconds" not in bare and bare.endswith("by rules of thumb.")
    assert estimate([], [], words=60, max_new_tokens=256).line == "Nothing is left to write."


@pytest.mark.parametrize(
    ("each", "said"), [(10.0, "about 5 minutes"), (1000.0, "about 8.3 hours"), (0.1, "about 3 seconds")]
)
def test_time_is_said_in_units_for_people(each, said):
    assert said in estimate(ASKS, [], words=60, max_new_tokens=256, seconds_each=each).line


def test_a_negative_price_is_refused():
    with pytest.raises(InputError, match="'prompt'"):
        Prices.from_values({"prompt": -1})

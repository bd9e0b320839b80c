import numpy as np
import pytest
from scipy import stats

from rec_core.probes import power
from rec_core.types import InputError


@pytest.mark.parametrize(
    ("base", "rate", "n"), [(0.10, 0.12, 1856), (0.10, 0.15, 316), (0.10, 0.20, 86), (0.05, 0.075, 674)]
)
def test_n_for_rate_equals_the_printed_sizes(base, rate, n):
    assert power.n_for_rate(base, rate) == n


@pytest.mark.parametrize(("effect", "n"), [(0.01, 3140), (0.02, 785), (0.03, 349), (0.05, 126), (-0.05, 126)])
def test_n_for_mean_equals_the_printed_sizes(effect, n):
    assert power.n_for_mean(effect, sd=0.2) == n


@pytest.mark.parametrize(("sd", "n"), [(0.2, 385), (0.3, 865)])
def test_n_for_half_width_equals_the_printed_sizes(sd, n):
    assert power.n_for_half_width(0.02, sd) == n


@pytest.mark.parametrize("rate", [0.12, 0.15, 0.3])
def test_smallest_rate_is_the_way_back(rate):
    n = power.n_for_rate(0.1, rate)
    assert power.smallest_rate(n, 0.1) <= rate < power.smallest_rate(n - 1, 0.1)


@pytest.mark.parametrize("effect", [0.01, 0.05])
def test_smallest_mean_is_the_way_back(effect):
    n = power.n_for_mean(effect, 0.2)
    assert power.smallest_mean(n, 0.2) <= effect < power.smallest_mean(n - 1, 0.2)


def test_smallest_mean_closed_form():
    expected = (stats.norm.ppf(0.975) + stats.norm.ppf(0.9)) * 0.3 / np.sqrt(50)
    assert power.smallest_mean(50, 0.3, power=0.9) == pytest.approx(expected, rel=1e-3)


def test_promised_power_holds_in_simulation():
    n = power.n_for_rate(0.1, 0.12)
    rates = np.random.default_rng(0).binomial(n, 0.12, 20_000) / n
    found = np.abs(rates - 0.1) / np.sqrt(0.09 / n) > stats.norm.ppf(0.975)
    assert found.mean() == pytest.approx(0.8, abs=0.015)


def test_too_few_trials_show_nothing_below_certainty():
    assert power.smallest_rate(2, 0.9) == 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: power.n_for_rate(0.1, 0.1), "does not differ"),
        (lambda: power.n_for_rate(0.0, 0.1), "base is 0"),
        (lambda: power.n_for_mean(0.0, 0.2), "other than 0"),
        (lambda: power.n_for_half_width(0.0, 0.2), "half-width"),
        (lambda: power.smallest_mean(1, 0.2), "n = 1"),
        (lambda: power.smallest_mean(10, 0.0), "above 0"),
    ],
)
def test_wrong_input_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()

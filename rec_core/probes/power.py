"""How many users an audit needs, and what it can see with the users it has: asked before the run, not after.

Two-sided tests in the normal approximation; n counts independent units (users, or prompts of distinct users).
"""

from __future__ import annotations

from math import ceil

from rec_core.types import InputError

POWER = 0.8
ALPHA = 0.05


def n_for_rate(base: float, rate: float, power: float = POWER, alpha: float = ALPHA) -> int:
    """Return how many trials show that a rate is `rate` when chance would give `base`.

    For a pick rate by slot, chance is 1 / number of candidates.

    Raises:
        InputError: a rate is not strictly between 0 and 1, or both are the same.
    """
    _check_shares(base=base, rate=rate, power=power, alpha=alpha)
    if base == rate:
        raise InputError(f"A rate of {rate:g} does not differ from {base:g}; name the change worth finding.")
    return _one_sample(abs(rate - base), _spread(base), _spread(rate), power, alpha)


def smallest_rate(n: int, base: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """Return the smallest rate above `base` (chance) that n trials would show, or 1.0 if none below 1.

    Raises:
        InputError: n is below 2, or a share is not strictly between 0 and 1.
    """
    _check_shares(base=base, power=power, alpha=alpha)
    _check_units(n)
    from scipy.optimize import brentq
    from statsmodels.stats.power import normal_power_het

    def shortfall(rate: float) -> float:
        gained = normal_power_het(
            rate - base, n, alpha, std_null=_spread(base), std_alternative=_spread(rate)
        )
        return float(gained) - power

    highest = 1 - 1e-9
    return float(brentq(shortfall, base, highest)) if shortfall(highest) > 0 else 1.0


def n_for_mean(effect: float, sd: float, power: float = POWER, alpha: float = ALPHA) -> int:
    """Return how many pairs show a mean difference of `effect` when single differences spread by `sd`.

    Raises:
        InputError: the effect is 0 or the spread is not positive.
    """
    _check_shares(power=power, alpha=alpha)
    if effect == 0 or sd <= 0:
        raise InputError("A sample size needs an effect other than 0 and a standard deviation above 0.")
    return _one_sample(abs(effect), sd, sd, power, alpha)


def smallest_mean(n: int, sd: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """Return the smallest mean difference that n pairs would show when single differences spread by `sd`.

    Raises:
        InputError: n is below 2, or the spread is not positive.
    """
    _check_shares(power=power, alpha=alpha)
    _check_units(n)
    if sd <= 0:
        raise InputError("A detectable effect needs a standard deviation above 0.")
    from statsmodels.stats.power import NormalIndPower

    # ratio 0: one sample of differences
    return float(sd * NormalIndPower().solve_power(nobs1=n, alpha=alpha, power=power, ratio=0))


def n_for_half_width(half_width: float, sd: float, confidence: float = 0.95) -> int:
    """Return how many units make a mean's interval reach `half_width` to each side.

    Raises:
        InputError: the half-width or the spread is not positive.
    """
    _check_shares(confidence=confidence)
    if half_width <= 0 or sd <= 0:
        raise InputError("A sample size needs a half-width and a standard deviation above 0.")
    from scipy.stats import norm

    return ceil((norm.ppf((1 + confidence) / 2) * sd / half_width) ** 2)


def _one_sample(difference: float, sd_null: float, sd_alternative: float, power: float, alpha: float) -> int:
    from statsmodels.stats.power import normal_sample_size_one_tail

    n = normal_sample_size_one_tail(
        difference, power, alpha / 2, std_null=sd_null, std_alternative=sd_alternative
    )
    return max(2, ceil(n))


def _spread(rate: float) -> float:
    return (rate * (1 - rate)) ** 0.5


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 < share < 1:
            raise InputError(f"{name} is {share:g}; it must lie strictly between 0 and 1.")


def _check_units(n: int) -> None:
    if n < 2:
        raise InputError(f"Nothing can be tested with n = {n}; take at least 2 units.")

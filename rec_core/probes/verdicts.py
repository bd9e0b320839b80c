"""From numbers to words by a rule fixed before the run, and the tidy rows every probe returns.

A headline row names what change would be material. Its verdict is, in this order:
1. "not enough data" when there are fewer units than `min_n`, or no limits;
2. "no effect larger than X" when the whole interval lies within -X .. X, X being the material change: with
many
   users nearly everything is significant, so size decides first;
3. "evidence of effect" when the p value, corrected by Holm over all headline rows, is at most `alpha`;
4. "not enough data" otherwise: neither shown nor ruled out.
Every other row is descriptive and has no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rec_core.metrics.intervals import Interval, holm

EVIDENCE = "evidence of effect"
NOT_ENOUGH = "not enough data"
COLUMNS = ("measure", "group", "value", "low", "high", "n", "p_corrected", "verdict")


@dataclass(frozen=True)
class Row:
    """One measured number. With `material` it is a headline: tested (`p`, uncorrected) and judged."""

    measure: str
    group: str
    interval: Interval
    p: float = float("nan")
    material: float | None = None


def no_effect_larger_than(material: float) -> str:
    """Return the verdict's words for a material change."""
    return f"no effect larger than {material:g}"


def decide(
    interval: Interval, material: float, p_corrected: float, alpha: float = 0.05, min_n: int = 30
) -> str:
    """Return the verdict of one headline row by the rule above."""
    if interval.n < min_n or not np.isfinite([interval.low, interval.high]).all():
        return NOT_ENOUGH
    if -material <= interval.low and interval.high <= material:
        return no_effect_larger_than(material)
    return EVIDENCE if p_corrected <= alpha else NOT_ENOUGH


def tidy(rows: Sequence[Row], alpha: float = 0.05, min_n: int = 30) -> pd.DataFrame:
    """Return one table row per number, Holm-corrected over the headline rows, with their verdicts."""
    headline = np.array([row.material is not None for row in rows], dtype=bool)
    corrected = holm(np.where(headline, [row.p for row in rows], np.nan))
    verdicts = [
        "" if row.material is None else decide(row.interval, row.material, p, alpha, min_n)
        for row, p in zip(rows, corrected, strict=True)
    ]
    records = [
        (
            row.measure,
            row.group,
            row.interval.value,
            row.interval.low,
            row.interval.high,
            row.interval.n,
            p,
            verdict,
        )
        for row, p, verdict in zip(rows, corrected, verdicts, strict=True)
    ]
    return pd.DataFrame(records, columns=list(COLUMNS))

import numpy as np
import pytest

from rec_core.metrics.intervals import Interval
from rec_core.probes.verdicts import COLUMNS, EVIDENCE, NOT_ENOUGH, Row, decide, no_effect_larger_than, tidy

NAN = float("nan")


@pytest.mark.parametrize(
    ("interval", "p", "expected"),
    [
        (Interval(0.2, 0.1, 0.3, 100), 0.01, EVIDENCE),
        (Interval(-0.2, -0.3, -0.1, 100), 0.05, EVIDENCE),
        (Interval(0.2, 0.1, 0.3, 29), 0.01, NOT_ENOUGH),  # too few units
        (Interval(0.2, 0.1, 0.3, 100), 0.06, NOT_ENOUGH),  # not significant after correction
        (Interval(0.02, -0.1, 0.12, 100), 0.9, NOT_ENOUGH),  # neither shown nor ruled out
        (Interval(0.01, -0.03, 0.05, 100), 0.9, "no effect larger than 0.05"),
        (
            Interval(0.03, 0.02, 0.04, 10**6),
            0.001,
            "no effect larger than 0.05",
        ),  # significant, but immaterial
        (Interval(-0.03, -0.06, 0.0, 100), 0.9, NOT_ENOUGH),  # one limit outside is enough
        (Interval(0.2, NAN, NAN, 100), 0.01, NOT_ENOUGH),
        (Interval(0.2, 0.1, 0.3, 100), NAN, NOT_ENOUGH),
    ],
)
def test_decide(interval, p, expected):
    assert decide(interval, 0.05, p) == expected


def test_words_name_the_size():
    assert no_effect_larger_than(0.2) == "no effect larger than 0.2"


def test_tidy_corrects_and_judges_headlines_only():
    wide = Interval(0.2, 0.1, 0.3, 100)
    rows = [
        Row("a", "x", wide, p=0.03, material=0.05),
        Row("b", "x", wide, p=0.001),  # descriptive: its p must not enter the family
        Row("c", "x", wide, p=0.04, material=0.05),
        Row("d", "x", wide, material=0.05),  # a headline that could not be tested
    ]
    table = tidy(rows)
    assert tuple(table.columns) == COLUMNS
    # Holm over 0.03 and 0.04: 0.06, max(0.06, 0.04); without the correction both were evidence
    assert table["p_corrected"].tolist() == pytest.approx([0.06, NAN, 0.06, NAN], nan_ok=True)
    assert table["verdict"].tolist() == [NOT_ENOUGH, "", NOT_ENOUGH, NOT_ENOUGH]
    assert tidy(rows, alpha=0.1)["verdict"].tolist() == [EVIDENCE, "", EVIDENCE, NOT_ENOUGH]
    assert tidy(rows, alpha=0.1, min_n=101)["verdict"].tolist() == [NOT_ENOUGH, "", NOT_ENOUGH, NOT_ENOUGH]
    assert table[["value", "low", "high", "n"]].iloc[0].tolist() == [0.2, 0.1, 0.3, 100]


def test_tidy_without_rows_has_the_columns():
    assert tuple(tidy([]).columns) == COLUMNS and not len(tidy([]))
    assert np.isnan(tidy([Row("a", "x", Interval(1, 0, 2, 5))])["p_corrected"]).all()

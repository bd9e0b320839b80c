"""What does each known defect of the published code do to the figures and to what is retrieved?

One run of RALLRec as it should be and one per switch of `systems.quirks`, on the same test rows where the
switch leaves the rows alone.
"""

from __future__ import annotations

from rec_core.studies.reading_runs import ReadingRuns, reading_study
from rec_core.studies.readings import Row, compared, evidence_measured, measured
from rec_core.systems.quirks import WHAT_IT_DOES

NAME = "rallrec.quirks"
_OTHER_ROWS = ("first_10000_rows",)


def rows_of(runs: ReadingRuns) -> list[Row]:
    """Return metrics and evidence of every switch, and its difference to none."""
    faithful = runs.reading("no switch", "rallrec", "rallrec")
    rows = [*measured(faithful, {}, 0), *evidence_measured(faithful, 0)]
    for quirk in WHAT_IT_DOES:
        switched = runs.reading(quirk, "rallrec", "rallrec", {"quirks": [quirk]})
        rows += [*measured(switched, {}, 0), *evidence_measured(switched, 0)]
        if quirk not in _OTHER_ROWS:
            rows += compared(switched, faithful, 0)
    return rows


run = reading_study(NAME, rows_of)

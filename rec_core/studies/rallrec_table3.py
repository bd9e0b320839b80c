"""RALLRec's table 3: the method without augmentation, without retrieval and without tuning."""

from __future__ import annotations

from rec_core.studies.rallrec_paper import TABLE_3, printed
from rec_core.studies.reading_runs import RECENT, ReadingRuns, reading_study
from rec_core.studies.readings import Row, compared, measured

NAME = "rallrec.table3"


def rows_of(runs: ReadingRuns) -> list[Row]:
    """Return metrics of each way of answering, and differences.

    "w/o retrieval" is tuned on and shown the most recent items; "w/o instruction tuning" shows RALLRec's own
    evidence to the untuned model (the paper's figure on ML-1M equals its zero-shot row).
    """
    best = runs.reading("RALLRec", "rallrec", "rallrec")
    variants = [
        runs.reading("w/o data augmentation", "rallrec", "rallrec", {"tuning.augmentation": "none"}),
        runs.reading("w/o retrieval", "rallrec", "recent", RECENT),
        runs.reading("w/o instruction tuning", "rallrec", "untuned"),
    ]
    rows = []
    for reading in (best, *variants):
        rows += measured(reading, printed(TABLE_3, runs.data, reading.label), 0)
    for other in variants:
        rows += compared(best, other, 0)
    return rows


run = reading_study(NAME, rows_of)

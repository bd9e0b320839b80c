"""RALLRec's figure 4: tuned on recent or retrieved items, read with four ways of choosing evidence.

The paper prints no numbers for it; its text says that reranking is best.
"""

from __future__ import annotations

from rec_core.studies.reading_runs import ReadingRuns, reading_study
from rec_core.studies.readings import Row, compared, measured

NAME = "rallrec.figure4"
TUNED_ON = {"recent": {"tuning.augmentation": "recent"}, "retrieved": {}}
SHOWN = {
    "recent": "recent",
    "retrieve then mix": "retrieve_then_mix",
    "mix then retrieve": "aligned_concatenation",
    "rerank": "rallrec",
}


def rows_of(runs: ReadingRuns) -> list[Row]:
    """Return metrics of each way of answering, and differences.

    Differences are of each way to reranking, among models tuned alike.
    """
    rows = []
    for tuned_on, more in TUNED_ON.items():
        readings = [
            runs.reading(f"tuned on {tuned_on}, shown {label}", "rallrec", arm, more)
            for label, arm in SHOWN.items()
        ]
        for reading in readings:
            rows += measured(reading, {}, 0)
        *others, reranked = readings
        for other in others:
            rows += compared(reranked, other, 0)
    return rows


run = reading_study(NAME, rows_of)

"""RALLRec's table 4: which embedding chooses the evidence, read by one tuned model, without reranking.

Every prompt lists the most similar item first; ReLLa's order by time is in table 1.
"""

from __future__ import annotations

from rec_core.studies.rallrec_paper import TABLE_4, printed
from rec_core.studies.reading_runs import ReadingRuns, reading_study
from rec_core.studies.readings import Row, compared, evidence_measured, measured

NAME = "rallrec.table4"
ARMS = {
    "text": "text_by_similarity",
    "ID": "id_retrieval",
    "concatenation w/o alignment": "concatenation",
    "concatenation w/ alignment": "aligned_concatenation",
}


def rows_of(runs: ReadingRuns) -> list[Row]:
    """Return metrics of each way of answering, and differences.

    The rows of each embedding also say how good its evidence is.
    """
    readings = {label: runs.reading(label, "rallrec", arm) for label, arm in ARMS.items()}
    rows = []
    for label, reading in readings.items():
        rows += measured(reading, printed(TABLE_4, runs.data, label), 0)
        rows += evidence_measured(reading, 0)
    *others, last = readings.values()
    for other in others:
        rows += compared(last, other, 0)
    return rows


run = reading_study(NAME, rows_of)

"""RALLRec's figure 3: AUC by the number K of history items in the prompt.

The paper prints no numbers; AUC rises with K for RALLRec and ReLLa and is flat for the untuned model. Differs
from paper, which does not say: one model per method, tuned at its own K, reads prompts of every K.
"""

from __future__ import annotations

from rec_core.studies.reading_runs import ReadingRuns, reading_study
from rec_core.studies.readings import Row, measured

NAME = "rallrec.figure3"
KS = (5, 10, 15, 20, 25, 30)
SYSTEMS = {"RALLRec": "rallrec", "ReLLa": "rella", "zero-shot": "zero_shot"}


def rows_of(runs: ReadingRuns) -> list[Row]:
    """Return metrics of each way of answering, and differences.

    One row per method, K and metric.
    """
    rows = []
    for label, system in SYSTEMS.items():
        for k in KS:
            rows += measured(runs.reading(f"{label}, K = {k}", system, f"k={k}"), {}, 0)
    return rows


run = reading_study(NAME, rows_of)

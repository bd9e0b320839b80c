"""RALLRec's table 1: ID-based nets, an untuned model, ReLLa, Hybrid-Score and RALLRec on the same test rows.

The paper does not say how many samples its ID-based nets were trained on (`study ctr.shots`); here each is
trained on as many as the language models are tuned on, and DeepFM on all as well.
"""

from __future__ import annotations

from rec_core.studies.rallrec_paper import TABLE_1, printed
from rec_core.studies.reading_runs import RECENT, ReadingRuns, reading_study
from rec_core.studies.readings import Row, compared, measured

NAME = "rallrec.table1"
READERS = (("zero-shot", "zero_shot"), ("ReLLa", "rella"), ("Hybrid-Score", "hybrid_score"))
BASELINES = {"DeepFM": "deepfm", "xDeepFM": "xdeepfm", "DCN": "dcn", "AutoInt": "autoint"}


def rows_of(runs: ReadingRuns) -> list[Row]:
    """Return metrics of each way of answering, differences of RALLRec to all, and along the order expected.

    Each reading system is a run of its own, tuned its own way.
    """
    best = runs.reading("RALLRec", "rallrec", "rallrec")
    untuned, rella, hybrid = (runs.reading(label, system, system) for label, system in READERS)
    recent = runs.reading("recent K, tuned", "rallrec", "recent", RECENT)
    readers = [untuned, rella, hybrid, recent]
    rows = []
    for reading in (best, *readers):
        rows += measured(reading, printed(TABLE_1, runs.data, reading.label), 0)
    shots = runs.n_shots()
    baselines = []
    for label, model in BASELINES.items():
        found = runs.baseline(f"{label}, {shots:,} samples", model, shots, best)
        rows += measured(found, printed(TABLE_1, runs.data, label, double_softmax=False), 0)
        baselines.append(found)
    baselines.append(runs.baseline("DeepFM, all samples", "deepfm", 0, best))
    rows += measured(baselines[-1], {}, 0)
    for other in (*readers, *baselines):
        rows += compared(best, other, 0)
    return rows + compared(rella, recent, 0) + compared(recent, untuned, 0)


run = reading_study(NAME, rows_of)

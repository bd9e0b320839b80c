"""The studies by name; one module per question, imported only when asked for."""

from __future__ import annotations

STUDIES: dict[str, str] = {
    "ctr.shots": "rec_core.studies.ctr_shots",
    "rallrec.figure3": "rec_core.studies.rallrec_figure3",
    "rallrec.figure4": "rec_core.studies.rallrec_figure4",
    "rallrec.table1": "rec_core.studies.rallrec_table1",
    "rallrec.table3": "rec_core.studies.rallrec_table3",
    "rallrec.table4": "rec_core.studies.rallrec_table4",
    "retrieval.quality": "rec_core.studies.retrieval_quality",
    "rlmrec.lightgcn": "rec_core.studies.rlmrec_lightgcn",
    "yardsticks": "rec_core.studies.yardsticks",
}

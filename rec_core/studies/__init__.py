"""The studies by name; one module per question, imported only when asked for."""

from __future__ import annotations

STUDIES: dict[str, str] = {
    "ctr.shots": "rec_core.studies.ctr_shots",
    "retrieval.quality": "rec_core.studies.retrieval_quality",
    "rlmrec.lightgcn": "rec_core.studies.rlmrec_lightgcn",
    "yardsticks": "rec_core.studies.yardsticks",
}

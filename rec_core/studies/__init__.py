"""The studies by name; one module per question, imported only when asked for."""

from __future__ import annotations

STUDIES: dict[str, str] = {
    "retrieval.quality": "rec_core.studies.retrieval_quality",
}

"""Yelp reviews: ratings (1-5) of places, to the second, in the layout of Yelp's open dataset.

Origin: Yelp Inc., Yelp Open Dataset. Files, one JSON object per line, also as `.gz`:
`yelp_academic_dataset_review.json` (user_id, business_id, stars, date, text, ...) and
`yelp_academic_dataset_business.json` (business_id, name, categories "A, B", city, state, ...). Its other
files (users, tips, check-ins, photos) are passed over. Dates are read as UTC: the files name no zone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.review_lines import Collection, Edition, load_reviews
from rec_core.types import Dataset


def _item_texts(record: dict[str, Any]) -> dict[str, str]:
    categories = record.get("categories")
    return {
        "title": fields.text(record.get("name")),
        "genres": fields.labels(categories.split(",") if isinstance(categories, str) else categories),
        "city": fields.text(record.get("city")),
        "state": fields.text(record.get("state")),
    }


COLLECTION = Collection(
    source="Yelp Open Dataset",
    licence="Yelp's dataset terms: academic use, no redistribution, no commercial use",
    item_noun="place",
    editions=(
        Edition(
            "user_id",
            "business_id",
            "stars",
            "date",
            fields.iso_seconds,
            "business_id",
            ("name", "categories"),
        ),
    ),
    item_texts=_item_texts,
    columns=("city", "state"),
)


def load(path: Path, name: str = "yelp", items: Path | None = None) -> Dataset:
    """Read reviews: a file, or a folder or zip with reviews and businesses.

    A rating above 3 is a like. Someone who reviews a place again has a row for each review.

    Args:
        path: the reviews, with or without the businesses.
        name: what the dataset is called.
        items: the business file, when it is not in `path`.

    Raises:
        InputError: naming file, row and field of the first fault.
    """
    return load_reviews(COLLECTION, path, name, items)

"""Amazon reviews: product ratings (1-5) by category, in the editions of 2014, 2018 and 2023.

Origin: J. McAuley's group, UC San Diego; R. He and J. McAuley (2016), Ups and Downs, WWW (2014 edition);
J. Ni, J. Li and J. McAuley (2019), Justifying Recommendations, EMNLP (2018); Y. Hou et al. (2024), Bridging
Language and Items for Retrieval and Recommendation (2023).

Files, one record per line, also as `.gz`: reviews `reviews_X_5.json` (2014), `X_5.json` (2018) or `X.jsonl`
(2023); items `meta_X.json` (2014: Python literals, not JSON) or `meta_X.jsonl`. The item is `asin`, in 2023
`parent_asin` (colours and sizes of one product are one item). Times are whole days, written in seconds, in
2014 and 2018, and milliseconds in 2023.
"""

from __future__ import annotations

import html
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.review_lines import Collection, Edition, load_reviews
from rec_core.types import Dataset

_ABOUT = ("title", "description", "categories", "category", "main_category", "main_cat", "imUrl", "price")
_NOUNS = {"Books": "book", "CDs & Vinyl": "album", "Movies & TV": "movie", "Video Games": "game"}
_SCRIPT = "getTime("  # the 2018 edition has pieces of web pages among its titles


def _item_texts(record: dict[str, Any]) -> dict[str, str]:
    title = html.unescape(fields.text(record.get("title")))
    first = (record.get(field) for field in ("categories", "category", "main_category", "main_cat"))
    return {
        "title": "" if _SCRIPT in title else title,
        "genres": html.unescape(fields.labels(next((value for value in first if value), ""))),
        "description": html.unescape(fields.text(record.get("description"))),
        "brand": html.unescape(fields.text(record.get("brand") or record.get("store"))),
    }


COLLECTION = Collection(
    source="Amazon reviews (UC San Diego)",
    licence="Research use; cite the edition's paper. Product texts belong to their owners.",
    item_noun="product",
    editions=(
        Edition(
            "user_id",
            "parent_asin",
            "rating",
            "timestamp",
            partial(fields.seconds, per_second=1000),
            "parent_asin",
            _ABOUT,
        ),
        Edition("reviewerID", "asin", "overall", "unixReviewTime", fields.seconds, "asin", _ABOUT),
    ),
    item_texts=_item_texts,
    columns=("brand",),
)


def load(path: Path, name: str = "amazon", items: Path | None = None) -> Dataset:
    """Read reviews of one edition: a file, or a folder or zip with reviews and items.

    A rating above 3 is a like. Genres are the categories, outermost first; prompts speak of books, albums,
    movies or games where the commonest outermost category says so, of products elsewhere.

    Args:
        path: the reviews, with or without the items.
        name: what the dataset is called.
        items: the items file, when it is not in `path`.

    Raises:
        InputError: naming file, row and field of the first fault.
    """
    dataset = load_reviews(COLLECTION, path, name, items)
    outermost = dataset.catalogue.table["genres"].str.partition("|")[0]
    commonest = str(outermost[outermost != ""].mode().get(0, ""))
    return replace(dataset, item_noun=_NOUNS.get(commonest, COLLECTION.item_noun))

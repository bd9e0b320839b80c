"""Steam reviews: who reviewed which game on which day, 2010 to 2018; no ratings.

Origin: W.-C. Kang and J. McAuley (2018), Self-Attentive Sequential Recommendation (SASRec), ICDM.
Files, one Python literal per line (`{u'username': u'...', ...}`), also as `.gz`: `steam_reviews.json`
(username, product_id, date, hours, text, ...) and `steam_games.json` (id, app_name, genres, tags, ...).

The user is `username`, the only name that every review carries; people of the same name become one user.
Hours played are no rating and are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.review_lines import Collection, Edition, load_reviews
from rec_core.types import Dataset


def _item_texts(record: dict[str, Any]) -> dict[str, str]:
    return {
        "title": fields.text(record.get("app_name") or record.get("title")),
        "year": fields.text(record.get("release_date")),
        "genres": fields.labels(record.get("genres") or record.get("tags")),
        "developer": fields.text(record.get("developer")),
    }


COLLECTION = Collection(
    source="Steam reviews (SASRec's crawl)",
    licence="Not stated by the authors; research use. Texts belong to their owners.",
    item_noun="game",
    editions=(
        Edition(
            "username", "product_id", None, "date", fields.iso_seconds, "id", ("app_name", "title", "genres")
        ),
    ),
    item_texts=_item_texts,
    columns=("developer",),
)


def load(path: Path, name: str = "steam", items: Path | None = None) -> Dataset:
    """Read reviews: a file, or a folder or zip with reviews and games.

    Args:
        path: the reviews, with or without the games.
        name: what the dataset is called.
        items: the games file, when it is not in `path`.

    Raises:
        InputError: naming file, row and field of the first fault.
    """
    return load_reviews(COLLECTION, path, name, items)

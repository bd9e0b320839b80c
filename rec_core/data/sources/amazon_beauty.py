"""Amazon Beauty, 5-core, as sequences: 198,502 purchases of 12,101 products by 22,363 users, oldest first.

Origin: J. McAuley's group, UC San Diego (2014 edition), in the form that sequential recommenders exchange.
Files: `sequential_data.txt` (a line "user item item ..." per user), `items.csv` (item_id, asin, title, tags).
No ratings and no times: only the order within a user is known. Users and products have at least 5 rows.
7 products have no title; 12,094 have one.

The files number items in the order in which the sequences first mention them: for 986 users the last item is
the highest number before it plus one, so whatever sees the numbers (a language model that reads ids, ties
broken by number) is told these answers. Here an item's id is its ASIN and the catalogue is sorted by it,
which takes that order away.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from rec_core.data.sources import archive
from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.catalogue_rows import CatalogueRows
from rec_core.data.sources.csv_records import csv_records
from rec_core.data.sources.dataset_record import make_dataset
from rec_core.data.sources.event_log import EventLog
from rec_core.data.sources.file_set import decoded_lines
from rec_core.types import Dataset, InputError, Progress, ignore_progress

NAME = "amazon-beauty"
SEQUENCES, ITEMS = "sequential_data.txt", "items.csv"
ORIGIN = "the 5-core of Amazon Beauty (2014) as sequences with a table of its items"


def load(root: Path | None = None, progress: Progress = ignore_progress) -> Dataset:
    """Load Amazon Beauty from the files a person supplies.

    Raises:
        InputError: the files cannot be found or understood.
    """
    readers = archive.find_source(NAME, (SEQUENCES, ITEMS), ORIGIN, root)
    asins, texts = _items(readers[ITEMS]())
    log = EventLog(sorted(texts))
    for row, numbers in _sequences(readers[SEQUENCES]()):
        for item in numbers[1:]:
            if item not in asins:
                fields.fault(SEQUENCES, row, "item", item, f"is not in {ITEMS}; use the original files")
            log.add(numbers[0], asins[item])
    log.check_size(SEQUENCES)
    rows = CatalogueRows(log.items, "tags")
    for asin, (title, tags) in texts.items():
        rows.put(asin, title=title, tags=tags)
    catalogue, notes = rows.finish()
    return make_dataset(
        log,
        catalogue,
        name=NAME,
        source="Amazon Beauty 5-core (UC San Diego), as sequences",
        licence="Research use; cite the edition's paper. Product texts belong to their owners.",
        item_noun="product",
        has_ratings=False,
        has_time=False,
        notes=notes,
    )


def _items(data: bytes) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Return the ASIN of each item number, and title and tags of each ASIN."""
    asins, texts = {}, {}
    for row, record in csv_records(data, ITEMS, ("item_id", "asin", "title", "tags")):
        asin = fields.identifier(record, "asin", ITEMS, row)
        if asin in texts:
            fields.fault(ITEMS, row, "asin", asin, "was listed before; use the original files")
        asins[fields.identifier(record, "item_id", ITEMS, row)] = asin
        texts[asin] = (fields.text(record["title"]), fields.text(record["tags"]))
    return asins, texts


def _sequences(data: bytes) -> Iterator[tuple[int, list[str]]]:
    users = set()
    for row, line in decoded_lines(io.BytesIO(data), SEQUENCES):
        numbers = line.split()
        if len(numbers) < 2 or numbers[0] in users:
            raise InputError(
                f"{SEQUENCES}, row {row}: the line must hold a user who was not there before and their "
                "items; use the original files."
            )
        users.add(numbers[0])
        yield row, numbers

"""What the review collections share: one file of reviews and one of items, a record per line.

A collection declares the field names of its editions; which edition a file is shows in its first record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.catalogue_rows import CatalogueRows
from rec_core.data.sources.dataset_record import make_dataset
from rec_core.data.sources.event_log import EventLog
from rec_core.data.sources.file_set import FileSet, open_files
from rec_core.data.sources.json_lines import SUFFIXES, first_record, records
from rec_core.types import Dataset, InputError


@dataclass(frozen=True)
class Edition:
    """Field names of one edition of a collection."""

    user: str
    item: str
    rating: str | None  # None: reviews carry no rating
    time: str
    seconds: Callable[[fields.Record, str, str, int], int]  # reads `time`
    listed_as: str  # the items file's name for the item
    about_items: tuple[str, ...]  # a record with one of these, and without `user`, is about an item

    @property
    def review_fields(self) -> tuple[str, ...]:
        """Return the fields that every review has."""
        return (self.user, self.item, *([self.rating] if self.rating else []), self.time)

    def has_review(self, record: fields.Record) -> bool:
        """Tell whether a record is a review."""
        return all(field in record for field in self.review_fields)

    def has_item(self, record: fields.Record) -> bool:
        """Tell whether a record describes an item."""
        about = any(field in record for field in self.about_items)
        return about and self.listed_as in record and self.user not in record


@dataclass(frozen=True)
class Collection:
    """A family of review files."""

    source: str
    licence: str
    item_noun: str
    editions: tuple[Edition, ...]
    item_texts: Callable[[dict[str, Any]], dict[str, str]]  # columns of the catalogue from an item's record
    columns: tuple[str, ...] = ()  # those besides title, year, genres and description

    def edition_of(self, record: fields.Record) -> Edition | None:
        """Return the edition whose review the record is."""
        return next((edition for edition in self.editions if edition.has_review(record)), None)


def load_reviews(collection: Collection, path: Path, name: str, items: Path | None = None) -> Dataset:
    """Read a file of reviews, or a folder or zip with reviews and items.

    Every review is a row, also when a user reviews an item again. Only items with a review are kept, since
    item files describe far more. A record that does not parse or lacks a field ends the reading.

    Args:
        collection: whose files they are.
        path: the file, folder or zip; other files in it are passed over.
        name: what the dataset is called.
        items: item descriptions (file, folder or zip), when they are not in `path`.

    Raises:
        InputError: naming file, row and field of the first fault.
    """
    files = open_files(path)
    log, edition = _log(collection, files)
    log.check_size(path)
    rows = CatalogueRows(log.items, *collection.columns)
    for place in (files, *([open_files(items)] if items is not None else [])):
        _describe(collection, edition, place, rows, required=place is not files)
    catalogue, notes = rows.finish()
    return make_dataset(
        log,
        catalogue,
        name=name,
        source=collection.source,
        licence=collection.licence,
        item_noun=collection.item_noun,
        has_ratings=edition.rating is not None,
        notes=notes,
    )


def _log(collection: Collection, files: FileSet) -> tuple[EventLog, Edition]:
    log, editions = EventLog(), []
    for name in files.named(*SUFFIXES) if files.kind != "file" else files.names:
        first = first_record(files, name)
        if first is None and files.kind == "file":
            next(records(files, name), None)  # says which row is no record
        edition = collection.edition_of(first) if first is not None else None
        if edition is None:
            continue
        editions.append(edition)
        file = PurePosixPath(name).name
        for row, record in records(files, name):
            log.add(
                fields.identifier(record, edition.user, file, row),
                fields.identifier(record, edition.item, file, row),
                fields.rating(record, edition.rating, file, row) if edition.rating else np.nan,
                edition.seconds(record, edition.time, file, row),
            )
    if not editions:
        wanted = " or ".join(", ".join(edition.review_fields) for edition in collection.editions)
        raise InputError(
            f"{files.place} holds no reviews of {collection.source}; the first record of a file must have "
            f"the fields {wanted}."
        )
    if len(set(editions)) > 1:
        raise InputError(f"{files.place} mixes editions of {collection.source}; import one at a time.")
    return log, editions[0]


def _describe(
    collection: Collection, edition: Edition, files: FileSet, rows: CatalogueRows, required: bool
) -> None:
    found = False
    for name in files.named(*SUFFIXES):
        first = first_record(files, name)
        if first is None or not edition.has_item(first):
            continue
        found = True
        for row, record in records(files, name):
            item = fields.identifier(record, edition.listed_as, PurePosixPath(name).name, row)
            rows.put(item, **collection.item_texts(record))
    if required and not found:
        raise InputError(
            f"{files.place} holds no items of {collection.source}; the first record of a file must have the "
            f"field {edition.listed_as!r} and one of {', '.join(edition.about_items)}."
        )

"""LastFM as LLaRA's sequences: 1,220 listeners, 4,606 artists; no ratings and no times.

Origin: HetRec 2011 (I. Cantador, P. Brusilovsky and T. Kuflik), cut by J. Liao et al. (2024), LLaRA: Large
Language-Recommendation Assistant, SIGIR. Files: `train_data.jsonl`, `Val_data.jsonl`, `Test_data.jsonl`, rows
{"seq": the last 10 artists, padded at the end with 4606, "len_seq", "next"}; `id2name.txt` (id::name).

What a row is, read off the files: in `train_data.jsonl` every artist of a user is the `next` of one row, in
order; a window without artists begins the next user, and every window is the end of what came before. So its
50,800 rows are 50,800 interactions of 976 users, not 50,800 histories. Each row of the other two files is the
end of another user (122 and 122): at most 10 artists and the one that follows. What those users heard
before is in no file. 1,881 artists stand in these windows, which makes 52,925 rows in all.

The cut (`parts`): the `next` of a `Val_data` row is valid, that of a `Test_data` row is test, everything else
is train, the windows of these 244 users too: a recommender needs somebody's past to recommend to them.
Differs from paper: LLaRA is trained on the 976 users alone; the column `cut` of the users tells who is who.

Leaks: (1) artists are numbered in the order in which the users, one after the other, first mention them: for
24 of the 244 held-out users the answer is the window's highest number plus one. Here the catalogue is sorted
by name, so item numbers say nothing; the ids are the source's, and whatever reads them is told. (2) No
user has an artist twice, so leaving out what was seen never leaves out the answer. (3) Without times it is
unknown whether training rows of others happened after a held-out row.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from rec_core.data.sources import archive
from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.catalogue_rows import CatalogueRows
from rec_core.data.sources.dataset_record import make_dataset
from rec_core.data.sources.event_log import PARTS, EventLog
from rec_core.data.sources.file_set import decoded_lines
from rec_core.data.sources.json_lines import parse_records
from rec_core.types import Dataset, InputError, Progress, ignore_progress

NAME = "lastfm-llara"
FILES = ("train_data.jsonl", "Val_data.jsonl", "Test_data.jsonl")
NAMES = "id2name.txt"
ORIGIN = "the LastFM sequences of LLaRA (Liao et al., 2024)"
WINDOW = 10


def load(root: Path | None = None, progress: Progress = ignore_progress) -> Dataset:
    """Load LLaRA's LastFM from the files a person supplies.

    Users are called train-1, ..., valid-1, ..., test-1, ... by their order in the files.

    Raises:
        InputError: the files cannot be found or understood.
    """
    readers = archive.find_source(NAME, (*FILES, NAMES), ORIGIN, root)
    names = _names(readers[NAMES]())
    log = EventLog(sorted(names, key=lambda artist: (names[artist].casefold(), int(artist))))
    _add_sequences(log, readers[FILES[0]](), names)
    for part in (1, 2):
        for row, window, target in _windows(readers[FILES[part]](), FILES[part], names):
            user = f"{PARTS[part]}-{row}"
            for artist in window:
                log.add(user, artist)
            log.add(user, target, part=part)
    log.check_size(FILES[0])
    rows = CatalogueRows(log.items)
    for artist, name in names.items():
        rows.put(artist, title=name)
    catalogue, notes = rows.finish()
    users = pd.DataFrame({"user_id": list(log.users), "cut": [user.split("-")[0] for user in log.users]})
    return make_dataset(
        log,
        catalogue,
        name=NAME,
        source="LastFM (HetRec 2011), cut by LLaRA",
        licence="Non-commercial research use",
        item_noun="artist",
        users=users.astype("str"),
        has_ratings=False,
        has_time=False,
        is_cut=True,
        notes=(*notes, "Comes cut: the windows of its valid and test users are train rows."),
    )


def _add_sequences(log: EventLog, data: bytes, names: dict[str, str]) -> None:
    """Add a row per line: its `next`; a line whose window is empty begins a user."""
    past: list[str] = []
    n_users = 0
    for row, window, target in _windows(data, FILES[0], names):
        if not window:
            n_users, past = n_users + 1, []
        if window != past[-WINDOW:] or not n_users:
            raise InputError(
                f"{FILES[0]}, row {row}: the window does not continue the row before; use the original file."
            )
        past.append(target)
        log.add(f"{PARTS[0]}-{n_users}", target)


def _windows(data: bytes, file: str, names: dict[str, str]) -> Iterator[tuple[int, list[str], str]]:
    """Yield each row's window without its padding, and the artist that follows."""
    padding = len(names)
    for row, record in parse_records(data, file):
        window = fields.get(record, "seq", file, row)
        target = fields.identifier(record, "next", file, row)
        if not isinstance(window, list) or len(window) != WINDOW:
            fields.fault(file, row, "seq", window, f"is no list of {WINDOW} artists; use the original file")
        artists = [str(artist) for artist in window]
        artists = artists[: artists.index(str(padding))] if str(padding) in artists else artists
        for field, artist in (*(("seq", artist) for artist in artists), ("next", target)):
            if artist not in names:
                fields.fault(file, row, field, artist, f"is not in {NAMES}; use the original files")
        yield row, artists, target


def _names(data: bytes) -> dict[str, str]:
    names: dict[str, str] = {}
    for row, line in decoded_lines(io.BytesIO(data), NAMES):
        number, separator, name = line.partition("::")
        if not separator or number != str(len(names)):
            raise InputError(
                f"{NAMES}, row {row}: the line must read {len(names)}::name; use the original file."
            )
        names[number] = fields.text(name)
    return names

"""RLMRec's matrices of Amazon books and Yelp places: published, binary, cut into train, valid and test.

Origin: X. Ren et al. (2024), Representation Learning with Large Language Models for Recommendation, WWW.
Files: `amazon/` and `yelp/`, each with `trn.npz`, `val.npz`, `tst.npz` and `mapper_item.json` (column to ASIN
or business id). An interaction is a rating of at least 3. Counts, users x items: train / valid / test:
amazon 11,000 x 9,332: 120,464 / 40,290 / 40,106; yelp 11,091 x 11,010: 166,620 / 55,479 / 55,436.

There are neither ratings, times nor titles: an item's title is its id. The cut is 3:1:1 at random over
interactions, drawn again until every user and item has a training row; so a training row may well have
happened after a test row of the same user. Published test figures rank all items that are not in train: what
is in valid is not left out.
"""

from __future__ import annotations

from pathlib import Path

from rec_core.data.sources import archive
from rec_core.data.sources.sparse_matrices import MAPPER, make_matrix_dataset
from rec_core.types import Dataset, Progress, ignore_progress

ARCHIVE = "rlmrec"
ORIGIN = "the interaction matrices of RLMRec (Ren et al., 2024) as .npz files"
MATRICES = ("trn.npz", "val.npz", "tst.npz")


def load_amazon(root: Path | None = None, progress: Progress = ignore_progress) -> Dataset:
    """Load the Amazon books of RLMRec from the files a person supplies.

    Raises:
        InputError: the files cannot be found or understood.
    """
    return _load("amazon", "book", root)


def load_yelp(root: Path | None = None, progress: Progress = ignore_progress) -> Dataset:
    """Load the Yelp places of RLMRec from the files a person supplies.

    Raises:
        InputError: the files cannot be found or understood.
    """
    return _load("yelp", "place", root)


def _load(which: str, item_noun: str, root: Path | None) -> Dataset:
    files = [f"{which}/{file}" for file in (*MATRICES, MAPPER)]
    readers = archive.find_source(ARCHIVE, files, ORIGIN, root)
    return make_matrix_dataset(
        {file: readers[f"{which}/{file}"]() for file in MATRICES},
        readers[f"{which}/{MAPPER}"](),
        name=f"{ARCHIVE}-{which}",
        source=f"RLMRec's matrices ({which})",
        licence="Research use; cite Ren et al. (2024)",
        item_noun=item_noun,
        notes=("Comes cut at random over interactions, not by time.",),
    )

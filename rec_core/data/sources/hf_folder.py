"""A Hugging Face datasets folder: what `save_to_disk` writes (Arrow files), or a folder of parquet files.

Splits are folders (`train/data-00000-of-00001.arrow`) or the beginning of a file's name
(`data/train-00000-of-00002.parquet`). When all of them are train, validation (valid, val, dev) or test, the
dataset comes cut; otherwise they are one log. Only the four columns that matter are read, a batch at a time.

Columns: user_id, item_id and, where there are any, rating and timestamp (seconds or milliseconds since 1970, an Arrow
date or time, or ISO text); a mapping says which of theirs is which. Rows are records, the first is 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.dataset_record import make_dataset
from rec_core.data.sources.event_log import EventLog
from rec_core.data.sources.file_set import FileSet, open_files
from rec_core.data.sources.item_file import read_items
from rec_core.store import read_json
from rec_core.types import Dataset, InputError

SUFFIXES = (".arrow", ".parquet")
COLUMNS = ("user_id", "item_id", "rating", "timestamp")
_PART_OF = {"train": 0, "validation": 1, "valid": 1, "val": 1, "dev": 1, "test": 2}
_MILLISECONDS = 100_000_000_000  # as seconds, the year 5138

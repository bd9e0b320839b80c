"""What ReLLa and RALLRec publish per dataset: how many samples are tuned on, and how many items are shown.

ReLLa (WWW 2024): its authors give the shots as 256 and 1,024 on BookCrossing and as 8,192 and 65,536 on ML-1M
(here the fewer), and show 60 and 30 items. RALLRec (WWW 2025 companion) draws 256 samples of BookCrossing and
8,192 of its other datasets, and shows 30 items; the settings of ReLLa on Amazon, which its own paper does not
have, are RALLRec's.
Differs from authors' code: RALLRec draws so many samples, but its trainer then takes the first 1,024 of them,
as 2,048 rows, unless it is told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["rella", "rallrec"]


@dataclass(frozen=True)
class Published:
    """The settings of one method for one dataset."""

    n_shots: int  # training questions tuned on
    top_k: int  # history items a prompt shows, K


_BOOKS, _AMAZON, _ML_1M = "bookcrossing", "amazon", "ml-1m"
_READERS: dict[tuple[Method, str], Published] = {
    ("rella", _BOOKS): Published(256, 60),
    ("rella", _ML_1M): Published(8192, 30),
    ("rella", _AMAZON): Published(8192, 30),
    ("rallrec", _BOOKS): Published(256, 30),
    ("rallrec", _ML_1M): Published(8192, 30),
    ("rallrec", _AMAZON): Published(8192, 30),
}
_HISTORY = {_BOOKS: 60, _ML_1M: 30, _AMAZON: 30}  # ReLLa: what its CTR nets read of a history


def published(method: Method, data: str) -> Published:
    """Return a method's settings for a dataset by the beginning of its name; others have those of ML-1M."""
    return _READERS[method, _known(data)]


def published_history(data: str) -> int:
    """Return how many rows of a history the CTR nets of ReLLa's tables read."""
    return _HISTORY[_known(data)]


def _known(data: str) -> str:
    return next((name for name in _HISTORY if data.startswith(name)), _ML_1M)

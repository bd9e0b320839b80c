"""One process or several: who am I, who writes, and sums over all.

`torchrun --nproc_per_node N -m rec_core train ...` (or `accelerate launch`) starts N processes that each run
the same command. accelerate joins them; a single process never imports it.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def n_processes() -> int:
    """Return how many processes share this work (1 without a launcher)."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return this process's number, 0 for the main one."""
    return int(os.environ.get("RANK", "0"))


def is_main() -> bool:
    """Tell whether this process writes files and speaks."""
    return rank() == 0


def share(value: Any) -> Any:
    """Return the main process's value in every process; all must call it."""
    if n_processes() == 1:
        return value
    from accelerate.utils import broadcast_object_list

    _state()
    return broadcast_object_list([value])[0]


def sum_over_processes(tensor: torch.Tensor) -> torch.Tensor:
    """Return the sum of the processes' tensors, the same in every process; all must call it."""
    if n_processes() == 1:
        return tensor
    from accelerate.utils import reduce

    _state()
    return reduce(tensor, "sum")


def wait_for_everyone() -> None:
    """Hold until every process has come here."""
    if n_processes() > 1:
        _state().wait_for_everyone()


@lru_cache(maxsize=1)
def _state() -> Any:
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available())

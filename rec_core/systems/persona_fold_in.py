"""Personas for somebody unknown in training, from groups of their history."""

from __future__ import annotations

import numpy as np
import torch

from rec_core.nets.amp_cf import AMPCF

_ROUNDS = 20  # of Lloyd's algorithm; groups of a history settle in a few


def fold_in_personas(net: AMPCF, item_nums: np.ndarray) -> torch.Tensor:
    """Return personas (K, D) for a history: group its items, one persona per group.

    Our choice (the paper has no users unknown in training).
    """
    raise NotImplementedError

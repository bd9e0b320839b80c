"""Projector + symmetric InfoNCE: the batch is the whole catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from rec_core.losses.info_nce import symmetric_info_nce
from rec_core.nets.projector import Projector


class TextAlignment:
    """Binds a projector to equation 5; behaviour vectors are frozen.

    Paper: RALLRec section 2.2.3. The paper does not say whether behaviour vectors move; the formula projects
    only the text, so they are constants here.

    Args:
        net: text space to behaviour space.
        text: (I, M) text vectors of the items that have both views.
        behaviour: (I, D) behaviour vectors of the same items.
        temperature: divides the cosines.
        batch_size: items per step, at most; at least I gives the paper's all-item denominators.
    """

    def __init__(
        self, net: Projector, text: torch.Tensor, behaviour: torch.Tensor, temperature: float, batch_size: int
    ) -> None:
        self.net = net
        self._text, self._behaviour = text, behaviour
        self._temperature = temperature
        self._batch_size = min(batch_size, len(text))

    @property
    def n_batches(self) -> int:
        """Return the number of batches of one epoch."""
        return -(-len(self._text) // self._batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[torch.Tensor]:
        """Yield item rows (B,) of one epoch in random order, in batches of equal size give or take one."""
        order = torch.from_numpy(rng.permutation(len(self._text)))
        yield from order.tensor_split(self.n_batches)

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        """Return equation 5 over the items of one batch."""
        return symmetric_info_nce(self.net(self._text[batch]), self._behaviour[batch], self._temperature)

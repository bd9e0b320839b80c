"""Caser: the last few items as a picture, read by horizontal and vertical filters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from rec_core.nets.dropout import Dropout
from rec_core.nets.mlp import linear
from rec_core.nets.ragged_rows import RaggedRows
from rec_core.nets.sequence_net import SequenceNet


class Caser(SequenceNet):
    """Convolutions over the vectors of the last L items, a dense layer, the user's own vector beside it.

    A horizontal filter of height h slides over h items in a row and keeps its strongest answer; a vertical
    one is a weighted sum of the L item vectors. Before a history has L items the missing ones are zero. All
    positions at once are one convolution and one sliding maximum over the sequence, instead of L-item windows
    written out. A state is (z, user vector, 1), an item's vector (W', b').

    Paper: Caser (WSDM 2018), equations 2-7; settings of section 4.1.3: D 50, L 5, T 3, 16 horizontal filters
    per height, 4 vertical ones, ReLU, dropout 0.5, binary cross-entropy with 3 negatives. T, the number of
    next items that one state predicts, belongs to the objective. Reductions: `n_users` 0 leaves the user out
    ("vh" of section 4.4), `n_horizontal` or `n_vertical` 0 a kind of filter ("pv", "ph").

    Args:
        n_items: I.
        embedding_size: D.
        window: L.
        n_horizontal: filters per height.
        n_vertical: vertical filters.
        dropout: probability of dropping an element of what the filters answer.
        generator: draws the weights: items, users and outputs normal with standard deviation 1 / (row width),
            filters uniform within 1 / sqrt(fan-in), the dense layer Xavier normal; biases start at zero.
        n_users: U; 0 reads no users.
        heights: of the horizontal filters; None is 1 to L.

    Raises:
        ValueError: a filter is higher than the window.
    """

    def __init__(
        self,
        n_items: int,
        embedding_size: int,
        window: int,
        n_horizontal: int,
        n_vertical: int,
        dropout: float,
        generator: torch.Generator,
        n_users: int = 0,
        heights: Sequence[int] | None = None,
    ) -> None:
        super().__init__(n_items)
        self.reads_users = n_users > 0
        self.window, size = window, embedding_size
        self.heights = tuple(heights or range(1, window + 1)) if n_horizontal else ()
        if max(self.heights, default=1) > window:
            raise ValueError(f"a filter of height {max(self.heights)} does not fit into {window} items")
        self.items = nn.Parameter(torch.randn(n_items, size, generator=generator) / size)
        self.users = nn.Parameter(torch.randn(n_users, size, generator=generator) / size) if n_users else None
        self.horizontal = nn.ModuleList(_filters(size, n_horizontal, h, generator) for h in self.heights)
        self.vertical = _filters(1, n_vertical, window, generator) if n_vertical else None
        self.dropout = Dropout(dropout)
        self.dense = linear(n_vertical * size + n_horizontal * len(self.heights), size, generator)
        width = 2 * size if n_users else size
        weights = torch.randn(n_items, width, generator=generator) / width
        self.outputs = nn.Parameter(torch.cat([weights, torch.zeros(n_items, 1)], dim=1))

    @property
    def item_vectors(self) -> torch.Tensor:
        """Return the output weights and biases (I, 2 D + 1), without users (I, D + 1)."""
        return self.outputs

    def read_rows(self, rows: RaggedRows, users: torch.Tensor | None) -> torch.Tensor:
        """Return the states (P, 2 D + 1), without users (P, D + 1), of the real positions."""
        return self._state(self._filtered(rows), rows.rows, users)

    def newest_states(self, rows: RaggedRows, users: torch.Tensor | None, ends: torch.Tensor) -> torch.Tensor:
        """Return the states at `ends`; the dense layer sees only these."""
        return self._state(self._filtered(rows)[ends], rows.rows[ends], users)

    def _filtered(self, rows: RaggedRows) -> torch.Tensor:
        """Return what the filters answer at each real position (P, filters)."""
        padded = rows.pad_right(self.items.index_select(0, rows.items))
        picture = nn.functional.pad(padded.transpose(1, 2), (self.window - 1, 0))  # (B, D, L - 1 + T)
        answers = [rows.pack(answer.transpose(1, 2)) for answer in self._strongest(picture)]
        if self.vertical is not None:
            sums = self.vertical(picture.flatten(0, 1).unsqueeze(1))  # (B D, filters, T)
            sums = sums.unflatten(0, picture.shape[:2]).flatten(1, 2)  # (B, D filters, T)
            answers.append(rows.pack(sums.transpose(1, 2)))
        return torch.cat(answers, dim=1)

    def _strongest(self, picture: torch.Tensor) -> list[torch.Tensor]:
        """Return per height the largest answer inside the window ending at each position (B, filters, T)."""
        answers = []
        for filters, height in zip(self.horizontal, self.heights, strict=True):
            slid = filters(picture).relu()  # (B, filters, L - h + T)
            answers.append(nn.functional.max_pool1d(slid, self.window - height + 1, stride=1))
        return answers

    def _state(self, answers: torch.Tensor, rows: torch.Tensor, users: torch.Tensor | None) -> torch.Tensor:
        z = self.dense(self.dropout(answers)).relu()
        parts = [z, z.new_ones(len(z), 1)]
        if self.users is not None:
            own = self.users.mean(0).expand(len(z), -1) if users is None else self.users[users[rows]]
            parts.insert(1, own)
        return torch.cat(parts, dim=1)


def _filters(n_channels: int, n_filters: int, height: int, generator: torch.Generator) -> nn.Conv1d:
    filters = nn.Conv1d(n_channels, n_filters, height)
    bound = (n_channels * height) ** -0.5
    with torch.no_grad():
        filters.weight.uniform_(-bound, bound, generator=generator)
        nn.init.zeros_(filters.bias)  # type: ignore[arg-type]
    return filters

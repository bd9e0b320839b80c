"""GRU4Rec: a gated recurrent unit that reads a history item by item."""

from __future__ import annotations

import torch
from torch import nn

from rec_core.nets.dropout import Dropout
from rec_core.nets.initial_table import initial_table
from rec_core.nets.ragged_rows import RaggedRows
from rec_core.nets.sequence_net import SequenceNet


class GRU4Rec(SequenceNet):
    """Item vectors through a GRU and a linear map back to the items' space; scores by dot product.

    Paper: GRU4Rec (ICLR 2016), section 3; dropout of the input and training on every prefix from Tan et al.
    (DLRS 2016), section 3.1; the map back to item space from its section 3.4.
    Differs from paper: a user's whole history is one sequence instead of sessions side by side; the loss is
    the objective's choice; input and output share the item vectors. The function, the initial values and the
    settings (D 64, hidden 128, one layer, dropout 0.3) are those of RecBole 1.2.1.

    Args:
        n_items: I.
        embedding_size: D.
        hidden_size: H, the GRU's state.
        n_layers: GRUs on top of each other.
        dropout: probability of dropping an element of an item vector that is read.
        generator: draws the weights: Xavier for items and GRU, uniform within 1 / sqrt(H) for the map.
    """

    def __init__(
        self,
        n_items: int,
        embedding_size: int,
        hidden_size: int,
        n_layers: int,
        dropout: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__(n_items)
        self.items = nn.Parameter(initial_table(n_items, embedding_size, "xavier_normal", generator))
        self.dropout = Dropout(dropout)
        self.gru = nn.GRU(embedding_size, hidden_size, n_layers, bias=False, batch_first=True)
        self.to_items = nn.Linear(hidden_size, embedding_size)
        with torch.no_grad():
            for weight in self.gru.parameters():
                nn.init.xavier_uniform_(weight, generator=generator)
            for parameter in self.to_items.parameters():
                parameter.uniform_(-(hidden_size**-0.5), hidden_size**-0.5, generator=generator)

    @property
    def item_vectors(self) -> torch.Tensor:
        """Return the item vectors (I, D), the same that are read."""
        return self.items

    def read_rows(self, rows: RaggedRows, users: torch.Tensor | None) -> torch.Tensor:
        """Return the states (P, D) of the real positions."""
        return self.to_items(self._memory(rows))

    def newest_states(self, rows: RaggedRows, users: torch.Tensor | None, ends: torch.Tensor) -> torch.Tensor:
        """Return the states (R, D) at `ends`; only these are mapped back."""
        return self.to_items(self._memory(rows)[ends])

    def _memory(self, rows: RaggedRows) -> torch.Tensor:
        embedded = self.dropout(self.items.index_select(0, rows.items))
        return rows.pack(self.gru(rows.pad_right(embedded))[0])

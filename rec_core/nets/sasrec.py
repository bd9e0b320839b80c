"""SASRec: a transformer that reads a history from left to right."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from rec_core.nets.causal_block import CausalBlock
from rec_core.nets.dropout import Dropout
from rec_core.nets.ragged_rows import RaggedRows
from rec_core.nets.sequence_net import SequenceNet

Style = Literal["library", "paper"]
_EPSILON = 1e-12


class SASRec(SequenceNet):
    """Item and position vectors, causal attention blocks, scores by dot product with the same item vectors.

    Two published settings, by `style`:

    - "library" is the function of RecBole 1.2.1's SASRec: the norm after each sum and over the embedded
    input, GELU, a linear map over the heads, positions counted from the oldest item read (0). - "paper"
    follows the formulas: the norm before attention and map, ReLU, no map over the heads, positions counted to
    the newest item (max_length - 1), so that "the item before" has a number of its own.

    Paper: SASRec (ICDM 2018), section III, equations 1-6; settings of section IV-C: 2 blocks, 1 head, D 50,
    hidden 50, dropout 0.2 (MovieLens) or 0.5, binary cross-entropy with one negative, Adam at 0.001.
    Differs from paper: "paper" has a layer norm at the end, without which the last sum is never normalised
    (as the authors' code has it); linear maps have biases. Differs from authors' code: keys and values are
    made from normalised states too, and residuals add the states before the norm, as the formulas say; item
    vectors are not multiplied by the square root of D.

    Args:
        n_items: I.
        max_length: the longest sequence that can be read.
        embedding_size: D, a multiple of `n_heads`.
        n_layers: blocks.
        n_heads: heads.
        hidden_size: width inside the two-layer map.
        dropout: probability of dropping an element of the embedded input and of what a block adds.
        generator: draws the weights, normal with standard deviation 0.02; biases start at zero.
        attention_dropout: probability of dropping an attention weight; None is `dropout`.
        style: see above.

    Raises:
        ValueError: a sequence is longer than `max_length`.
    """

    def __init__(
        self,
        n_items: int,
        max_length: int,
        embedding_size: int,
        n_layers: int,
        n_heads: int,
        hidden_size: int,
        dropout: float,
        generator: torch.Generator,
        attention_dropout: float | None = None,
        style: Style = "library",
    ) -> None:
        super().__init__(n_items)
        self.max_length, self.style = max_length, style
        paper = style == "paper"
        on_weights = dropout if attention_dropout is None else attention_dropout
        self.items = nn.Parameter(torch.empty(n_items, embedding_size))
        self.positions = nn.Parameter(torch.empty(max_length, embedding_size))
        self.norm = nn.LayerNorm(embedding_size, eps=_EPSILON)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(
            CausalBlock(
                embedding_size,
                n_heads,
                hidden_size,
                dropout,
                on_weights,
                norm="before" if paper else "after",
                activation="relu" if paper else "gelu",
                output_map=not paper,
                epsilon=_EPSILON,
            )
            for _ in range(n_layers)
        )
        self._initialise(generator)

    @property
    def item_vectors(self) -> torch.Tensor:
        """Return the item vectors (I, D), the same that are read."""
        return self.items

    def read_rows(self, rows: RaggedRows, users: torch.Tensor | None) -> torch.Tensor:
        """Return the states (P, D) of the real positions."""
        states = self._embedded(rows)
        for block in self.blocks:
            states = block(states, rows)
        return self._finished(states)

    def newest_states(self, rows: RaggedRows, users: torch.Tensor | None, ends: torch.Tensor) -> torch.Tensor:
        """Return the states (R, D) at `ends`; the last block looks from there alone."""
        states = self._embedded(rows)
        *earlier, final = self.blocks
        for block in earlier:
            states = block(states, rows)
        return self._finished(final.newest(states, rows, ends))  # type: ignore[operator]

    def _embedded(self, rows: RaggedRows) -> torch.Tensor:
        if rows.longest > self.max_length:
            raise ValueError(f"a sequence of {rows.longest} items is longer than {self.max_length}")
        paper = self.style == "paper"
        places = self.max_length - 1 - rows.from_end if paper else rows.from_start
        states = self.items.index_select(0, rows.items) + self.positions.index_select(0, places)
        return self.dropout(states if paper else self.norm(states))

    def _finished(self, states: torch.Tensor) -> torch.Tensor:
        return self.norm(states) if self.style == "paper" else states

    def _initialise(self, generator: torch.Generator) -> None:
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.dim() > 1:
                    parameter.normal_(std=0.02, generator=generator)
                elif name.endswith("bias"):
                    parameter.zero_()

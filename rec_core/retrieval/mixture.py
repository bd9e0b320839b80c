"""Put several views into one space.

Paper: RALLRec section 2.2.4, equation 7.
Differs from authors' code: each row is divided by its own norm, as printed; the code divides a whole block
by its largest row norm (`normalisation="table_max"`), which lets popular items weigh more in the LightGCN
block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from rec_core.types import EmbeddingTable


def mix(
    tables: Sequence[EmbeddingTable],
    name: str = "mixture",
    normalisation: Literal["row", "table_max"] = "row",
) -> EmbeddingTable:
    """Return the concatenation of the blocks (I, D1 + D2 + ...), each normalised; a zero row stays zero.

    Args:
        tables: one per block, same items.
        name: the mixture's view name.
        normalisation: by each row's own norm, or by the block's largest row norm.
    """
    blocks = []
    for table in tables:
        norms = np.linalg.norm(table.values, axis=1, keepdims=True)
        scale = norms if normalisation == "row" else np.full_like(norms, norms.max(initial=0.0))
        blocks.append(np.divide(table.values, scale, out=np.zeros_like(table.values), where=scale > 0))
    known = np.logical_or.reduce([table.known for table in tables])
    return EmbeddingTable(name, np.concatenate(blocks, axis=1), known, " || ".join(t.view for t in tables))

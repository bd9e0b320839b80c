"""The text view: title and description, encoded and concatenated, cached by content.

Paper: RALLRec section 2.2.1, equations 2 and 3.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rec_core.data.item_texts import description_text, title_text
from rec_core.llm.text_encoder import TextEncoderConfig, encode, weights_stamp
from rec_core.store import Workspace, content_hash, read_tensors, write_tensors
from rec_core.types import Dataset, EmbeddingTable, Progress


def text_view(
    dataset: Dataset, config: TextEncoderConfig, workspace: Workspace, progress: Progress
) -> EmbeddingTable:
    """Return e_text = [e_title || e_desc] of every item, from the cache when it was encoded before."""
    titles = title_text(dataset.catalogue)
    descriptions = description_text(dataset.catalogue, dataset.item_noun)
    key = {
        "encoder": config.model_dump(),
        "weights": weights_stamp(config.name),
        "texts": content_hash(titles, descriptions),
    }

    def build(folder: Path) -> None:
        parts = {
            "title": encode(titles, config, progress, "text view: titles"),
            "description": encode(descriptions, config, progress, "text view: descriptions"),
        }
        write_tensors(folder / "text.safetensors", parts)

    parts = read_tensors(workspace.cached("text_embeddings", key, build) / "text.safetensors")
    values = np.concatenate([parts["title"], parts["description"]], axis=1)
    return EmbeddingTable(
        "text", values, np.ones(len(values), dtype=bool), f"title || description by {config.name}"
    )

"""The text view: title and description, encoded and concatenated, cached by content.

Paper: RALLRec section 2.2.1, equations 2 and 3.
"""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

import numpy as np

from rec_core.data.item_texts import title_text
from rec_core.llm.text_encoder import TextEncoderConfig, encode, weights_stamp
from rec_core.store import Workspace, content_hash, read_tensors, write_tensors
from rec_core.systems.description_writing import DescriptionConfig
from rec_core.systems.descriptions import Descriptions, descriptions_of
from rec_core.types import Dataset, EmbeddingTable, Progress

OWN_TEXT = DescriptionConfig()


def text_view(
    dataset: Dataset,
    config: TextEncoderConfig,
    workspace: Workspace,
    progress: Progress,
    written: DescriptionConfig = OWN_TEXT,
) -> EmbeddingTable:
    """Return e_text = [e_title || e_desc] of every item, from the cache when it was encoded before.

    `source` of the table says who encoded it and whose words the descriptions are.

    Args:
        dataset: whose items.
        config: the encoder.
        workspace: holds vectors and written descriptions.
        progress: called while descriptions are written and texts encoded.
        written: who writes the descriptions.

    Raises:
        InputError: the encoder cannot be loaded, or descriptions are missing that may not be written unasked.
    """
    titles = title_text(dataset.catalogue)
    described: Descriptions = descriptions_of(dataset, written, workspace, progress)
    descriptions = described.texts
    key = {
        "encoder": config.model_dump(),
        "weights": weights_stamp(config.name),
        "texts": content_hash(titles, descriptions),
    }

    work = workspace.cache_path("text_embedding_parts", key)  # what a stopped encoding leaves

    def build(folder: Path) -> None:
        parts = {
            "title": encode(titles, config, progress, "text view: titles", work / "titles"),
            "description": encode(
                descriptions, config, progress, "text view: descriptions", work / "descriptions"
            ),
        }
        write_tensors(folder / "text.safetensors", parts)
        rmtree(work, ignore_errors=True)

    parts = read_tensors(workspace.cached("text_embeddings", key, build) / "text.safetensors")
    values = np.concatenate([parts["title"], parts["description"]], axis=1)
    return EmbeddingTable(
        "text",
        values,
        np.ones(len(values), dtype=bool),
        f"title || description by {config.name}. {described.note}",
    )

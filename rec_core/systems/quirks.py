"""Known defects of published code, as named switches: what each does and where it acts.

Source: the repositories of ReLLa and RALLRec, read line by line; `docs/reproduction.md` has the effect of
each.
"""

from __future__ import annotations

from typing import Literal

from rec_core.llm.text_encoder import TextEncoderConfig
from rec_core.retrieval.similarity import ShiftedNeighbours, Similarity

Quirk = Literal[
    "shifted_neighbours",
    "last_generated_token_embedding",
    "double_softmax",
    "leaky_graph",
    "fixed_split_reranker",
    "table_max_normalisation",
    "double_bos",
    "test_set_selection",
    "first_10000_rows",
]

WHAT_IT_DOES: dict[Quirk, str] = {
    "shifted_neighbours": "Item m is retrieved by the similarities of row m + 1 (ML-1M; ReLLa and RALLRec).",
    "last_generated_token_embedding": "An item's text vector is the state of the last token of a sampled "
    "continuation, not the mean over the text (ReLLa and RALLRec).",
    "double_softmax": "Probabilities are sigmoid(P(yes) - P(no)) of a softmax over the vocabulary: between "
    "0.269 and 0.731 (RALLRec).",
    "leaky_graph": "The behaviour graph has every interaction but each user's last one, the test period "
    "included (RALLRec's exported graph); where the last one is the only question, nothing leaks.",
    "fixed_split_reranker": "In place of equation 8: the newest 2K/3 of the retrieved, then recent items "
    "(RALLRec).",
    "table_max_normalisation": "Blocks of the mixture are divided by their largest row norm, and compared by "
    "cosine, not each row by its own (RALLRec).",
    "double_bos": "Tuning rows begin with two begin tokens and the mask is one short, so the prompt's last "
    "token is a target too (RALLRec).",
    "test_set_selection": "The adapter is kept where the loss on the first 1,000 test rows is lowest "
    "(RALLRec).",
    "first_10000_rows": "Only the first 10,000 test rows are scored (RALLRec on ML-1M and Amazon).",
}


def shifted(similarity: Similarity, quirks: tuple[Quirk, ...]) -> Similarity:
    """Return the similarity that the switches make of a faithful one."""
    return ShiftedNeighbours(similarity) if "shifted_neighbours" in quirks else similarity


def encoder_with(encoder: TextEncoderConfig, quirks: tuple[Quirk, ...]) -> TextEncoderConfig:
    """Return the text encoder that the switches make of a configured one."""
    if "last_generated_token_embedding" in quirks:
        return encoder.with_values({"pooling": "last_generated"})
    return encoder

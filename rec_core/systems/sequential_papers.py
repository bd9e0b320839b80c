"""The published settings of the sequence encoders, by dataset.

SASRec (ICDM 2018), section IV-C: 2 blocks, 1 head, D 50, Adam 1e-3, 128 histories per step, dropout 0.2
and 200 items on MovieLens 1M, 0.5 and 50 items on the sparse sets, binary cross-entropy with one negative
per position. Caser (WSDM 2018), section 4.1: D 50, L 5, T 3, 16 horizontal and 4 vertical filters,
dropout 0.5, three negatives, 512 windows per step, L2 1e-6 (here none). GRU4Rec (ICLR 2016) was published
for sessions; the settings are RecBole's: D 64, memory 128, dropout 0.3, cross-entropy over the catalogue.
"""

from __future__ import annotations

from typing import Any, Literal

Encoder = Literal["sasrec", "gru4rec", "caser"]

_LONG = {"max_length": 200, "dropout": 0.2, "batch_size": 128 * 100}  # as targets: histories of about 100
_SHORT = {"max_length": 50, "dropout": 0.5, "batch_size": 128 * 8}  # histories of about 8
_SASREC: dict[str, Any] = {
    "embedding_size": 50,
    "sasrec.style": "paper",
    "sasrec.n_layers": 2,
    "sasrec.n_heads": 1,
    "sasrec.hidden_size": 50,
    "loss": "bce",
    "n_negatives": 1,
    "loop": {"epochs": 200, "learning_rate": 1e-3, "evaluate_every": 5, "patience": 10},
}
_CASER: dict[str, Any] = {
    "embedding_size": 50,
    "caser": {"length": 5, "n_ahead": 3, "n_horizontal": 16, "n_vertical": 4},
    "dropout": 0.5,
    "loss": "bce",
    "n_negatives": 3,
    "batch_size": 512,
}
_GRU4REC: dict[str, Any] = {
    "embedding_size": 64,
    "gru_hidden_size": 128,
    "gru_layers": 1,
    "dropout": 0.3,
    "loss": "cross_entropy",
}


def published(encoder: str, data: str) -> dict[str, Any]:
    """Return the settings of an encoder for a dataset; MovieLens ("ml-...") has long histories."""
    if encoder == "sasrec":
        return _SASREC | (_LONG if data.startswith("ml-") else _SHORT)
    return _CASER if encoder == "caser" else _GRU4REC

"""The published settings of the graph encoders, by dataset.

RLMRec (WWW 2024), appendix and published code, for its own base models on its matrices; elsewhere the
encoders' own papers, with the setting most of their datasets share.
"""

from __future__ import annotations

from typing import Any, Literal

Encoder = Literal["lightgcn", "sgl", "simgcl"]

# 32-d sum of layers 0..L, Adam 1e-3, batch 4,096, L2 over all parameters, a look every 3 epochs at Recall@20,
# stop after 5 without a better one, validation items among the candidates of the test
_RLMREC: dict[str, Any] = {
    "task": {"split": "given", "hide_valid_at_test": False, "watch": "recall@20"},
    "embedding_size": 32,
    "combination": "sum",
    "initial": "xavier_uniform",
    "keep_prob": 0.8,
    "batch_size": 4096,
    "penalty": "all",
    "loop": {"epochs": 3000, "learning_rate": 1e-3, "evaluate_every": 3, "patience": 5},
}
_RLMREC_BY_DATA: dict[tuple[str, str], dict[str, Any]] = {
    ("rlmrec-amazon", "lightgcn"): {"n_layers": 3, "reg": 1e-6},
    ("rlmrec-yelp", "lightgcn"): {"n_layers": 3, "reg": 1e-6},
    ("rlmrec-steam", "lightgcn"): {"n_layers": 2, "reg": 1e-6},
    ("rlmrec-amazon", "sgl"): {
        "n_layers": 3,
        "reg": 1e-5,
        "contrast.weight": 0.1,
        "contrast.temperature": 0.2,
    },
    ("rlmrec-yelp", "sgl"): {
        "n_layers": 3,
        "reg": 1e-6,
        "contrast.weight": 1e-3,
        "contrast.temperature": 0.1,
    },
    ("rlmrec-steam", "sgl"): {
        "n_layers": 2,
        "reg": 1e-5,
        "contrast.weight": 0.1,
        "contrast.temperature": 0.5,
    },
    ("rlmrec-amazon", "simgcl"): {
        "reg": 1e-5,
        "contrast.weight": 0.1,
        "contrast.temperature": 0.2,
        "contrast.eps": 0.9,
    },
    ("rlmrec-yelp", "simgcl"): {
        "reg": 1e-5,
        "contrast.weight": 0.1,
        "contrast.temperature": 0.2,
        "contrast.eps": 0.9,
    },
    ("rlmrec-steam", "simgcl"): {
        "reg": 1e-5,
        "contrast.weight": 0.1,
        "contrast.temperature": 0.5,
        "contrast.eps": 0.2,
    },
}
_RLMREC_BY_ENCODER: dict[str, dict[str, Any]] = {
    "lightgcn": {},
    "sgl": {"contrast.dropout": "edge", "contrast.drop_prob": 0.2},
    "simgcl": {"n_layers": 3},
}

# 64-d, Adam 1e-3, three layers, L2 1e-4 on looked-up rows, Recall@20 watched with a patience of 50 epochs
_OWN: dict[str, Any] = {
    "task": {"watch": "recall@20"},
    "embedding_size": 64,
    "n_layers": 3,
    "combination": "mean",
    "reg": 1e-4,
    "penalty": "rows",
    "loop": {"epochs": 1000, "learning_rate": 1e-3, "evaluate_every": 1, "patience": 50},
}
_OWN_BY_ENCODER: dict[str, dict[str, Any]] = {
    "lightgcn": {"batch_size": 1024, "initial": "xavier_uniform"},  # SIGIR 2020, section 4.1.2
    "sgl": {  # SIGIR 2021, section 4.1: the values for Yelp2018
        "batch_size": 2048,
        "contrast.weight": 0.1,
        "contrast.temperature": 0.2,
        "contrast.dropout": "edge",
        "contrast.drop_prob": 0.1,
    },
    "simgcl": {  # SIGIR 2022, section 4.1.3; the weight is Yelp2018's
        "batch_size": 2048,
        "contrast.weight": 0.5,
        "contrast.temperature": 0.2,
        "contrast.eps": 0.1,
    },
}


def published(encoder: str, data: str) -> dict[str, Any]:
    """Return the settings of an encoder for a dataset; RLMRec's matrices have values of their own."""
    of_this_data = _RLMREC_BY_DATA.get((data, encoder))
    if of_this_data is not None:
        return _RLMREC | _RLMREC_BY_ENCODER[encoder] | of_this_data
    return _OWN | _OWN_BY_ENCODER[encoder]

"""Read the common beginning of many token rows once: its keys and values, lent to every row behind it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch


def prefix_cache(body: Any, prefix: Sequence[int], device: torch.device) -> Any:
    """Return the cache of one pass over `prefix`, for `lent` to hand out.

    Args:
        body: a causal language model without its head.
        prefix: token numbers, at least one.
        device: where the body begins.
    """
    ids = torch.tensor([list(prefix)], device=device)
    return body(input_ids=ids, use_cache=True).past_key_values


def lent(cache: Any, n_rows: int) -> Any:
    """Return a cache of `n_rows` equal rows that a pass may grow; the one-row original stays as it is.

    A pass joins its own keys to the cache's and puts the result in their place, so the views handed out here
    are never written to.

    Args:
        cache: of one row, of a kind `can_be_lent` approves.
        n_rows: rows of the pass to come.
    """
    copied = copy.copy(cache)
    copied.layers = [copy.copy(layer) for layer in cache.layers]
    for layer in copied.layers:
        layer.keys = layer.keys.expand(n_rows, -1, -1, -1)
        layer.values = layer.values.expand(n_rows, -1, -1, -1)
    return copied


def can_be_lent(cache: Any) -> bool:
    """Tell whether a cache keeps every key and value of every layer and nothing else.

    Sliding windows, recurrent states, static and quantised caches do not: their models read each row whole.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    return type(cache) is DynamicCache and all(
        type(layer) is DynamicLayer and layer.get_seq_length() > 0 for layer in cache.layers
    )


def rotates_by_length(body: torch.nn.Module) -> bool:
    """Tell whether position frequencies follow the length of what is read, so that a beginning depends on it.

    That is so for "dynamic" and "longrope" rotary embeddings.
    """
    kinds = [getattr(module, "rope_type", "") for module in body.modules()]
    names = [name for kind in kinds for name in (kind.values() if isinstance(kind, dict) else [kind])]
    return any("dynamic" in name or name == "longrope" for name in names)

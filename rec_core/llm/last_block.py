"""Let the last block of a model work only at the positions whose states are read.

Behind the last block's attention nothing mixes positions any more: the attention's output projection and the
feed-forward layer treat each position alone. Where one state of a row is read, all their work at the other
positions is for nothing. In a Llama of 3 blocks that is a quarter of all products, in one of 32 a fortieth.

Which modules these are goes by the names that models give them; whether leaving positions out changes what
is read is tried on the model itself (`proved`), so that a block of another build is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from threading import get_ident
from typing import Any

import torch

_ATTENTION = ("self_attn", "attn", "attention", "self_attention")
_OUTPUT = ("o_proj", "out_proj", "c_proj", "dense")
_FEED_FORWARD = ("mlp", "feed_forward", "ffn")
_TRIED = 4  # tokens of the pass that proves it
_EXACT, _ROUNDED = 1e-3, 0.05


@dataclass(frozen=True)
class LastBlock:
    """The modules of a model's last block that treat each position alone."""

    parts: tuple[torch.nn.Module, ...]

    @contextmanager
    def at(self, columns: torch.Tensor) -> Iterator[None]:
        """Within, passes of this thread compute these modules at some columns; elsewhere states mean nothing.

        Gradients reach the weights and what lies below through these columns alone. A pass must not be run
        again later, outside, as gradient checkpointing does.

        Args:
            columns: (B, n) the columns of each row of the pass, no column twice.
        """
        narrowed = [_Narrowed(columns) for _ in self.parts]
        hooks = []
        for part, here in zip(self.parts, narrowed, strict=True):
            hooks += [part.register_forward_pre_hook(here.take), part.register_forward_hook(here.put)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def narrowed_to(block: LastBlock | None, columns: torch.Tensor) -> Any:
    """Return the context in which `block` works at these columns; without a block it changes nothing."""
    return block.at(columns) if block else nullcontext()


class _Narrowed:
    """One module's input cut to some columns, and its output put back into their places."""

    def __init__(self, columns: torch.Tensor) -> None:
        self._columns = columns
        self._width = 0
        self._thread = get_ident()

    def take(self, _part: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        if get_ident() != self._thread:
            return None
        states, *rest = args
        self._width = states.shape[1]
        columns = self._columns.to(states.device)[:, :, None]
        return (torch.take_along_dim(states, columns, dim=1), *rest)

    def put(
        self, _part: torch.nn.Module, _args: tuple[torch.Tensor, ...], output: torch.Tensor
    ) -> torch.Tensor | None:
        if get_ident() != self._thread:
            return None
        if self._columns.shape[1] == 1:  # the same in every column, without copies: the others are not read
            return output.expand(-1, self._width, -1)
        whole = output.new_zeros(len(output), self._width, output.shape[2])
        return whole.scatter(1, self._columns.to(output.device)[:, :, None].expand_as(output), output)


def proved(body: Any, ids: torch.Tensor, states: torch.Tensor, tolerance: float) -> LastBlock | None:
    """Return the last block if working at the last column alone gives its state, None if not.

    Args:
        body: a causal language model without its head.
        ids: (1, T) token numbers.
        states: (1, T, H) what the body makes of them.
        tolerance: what rounding may change, as a share of the largest state.
    """
    block = _found(body)
    if block is None:
        return None
    last = ids.shape[1] - 1
    try:
        with block.at(torch.tensor([[last]], device=ids.device)):
            found = body(input_ids=ids, use_cache=False).last_hidden_state[:, last]
    except (RuntimeError, ValueError, TypeError, AttributeError):  # modules of another build than their names
        return None
    close = float((found - states[:, last]).abs().max()) <= tolerance * float(states.abs().max())
    return block if close else None


def proved_in(model: Any, tokens: list[int]) -> LastBlock | None:
    """Return the last block of a model with a head, as `proved` says for the first few of these tokens."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    body, training = inner.base_model, model.training
    ids = torch.tensor([tokens[:_TRIED]], device=model.device)
    model.eval()
    try:
        with torch.no_grad():
            states = body(input_ids=ids, use_cache=False).last_hidden_state
            return proved(body, ids, states, rounding(model, states))
    finally:
        model.train(training)


def rounding(model: Any, states: torch.Tensor) -> float:
    """Return what rounding may change in a model's states, as a share of the largest."""
    coarse = getattr(model, "is_quantized", False) or states.dtype != torch.float32
    return _ROUNDED if coarse else _EXACT


def _found(body: torch.nn.Module) -> LastBlock | None:
    """Return the modules that are called what such modules are called, None unless both are there."""
    stacks = [child for child in body.children() if isinstance(child, torch.nn.ModuleList) and len(child)]
    if not stacks:
        return None
    block = stacks[-1][-1]
    attention = _child(block, _ATTENTION)
    output = _child(attention, _OUTPUT) if attention is not None else None
    feed_forward = _child(block, _FEED_FORWARD)
    return None if output is None or feed_forward is None else LastBlock((output, feed_forward))


def _child(module: torch.nn.Module, names: tuple[str, ...]) -> torch.nn.Module | None:
    return next((child for name, child in module.named_children() if name in names), None)

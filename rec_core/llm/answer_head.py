"""Take from a causal language model what a yes/no answer needs: its body, and two rows of its head.

Of V logits two are read, so two rows of the head are multiplied. That is only right where the logits are the
head's product and nothing else, and where the head is fed the body's last states. Models differ: some cap or
scale their logits (Gemma 2, Cohere, Granite), some scale the states before the head, some heads are
quantised. No list of names decides: one pass of four tokens is watched, tensor by tensor, and a model that
cannot be followed is left to its own forward pass, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any

import torch

from rec_core.llm.answer_tokens import AnswerTokens
from rec_core.llm.last_block import LastBlock, narrowed_to, proved, rounding
from rec_core.llm.shared_prefix import can_be_lent, lent, rotates_by_length


@dataclass(frozen=True)
class AnswerHead:
    """The part of a model that gives the two answer logits.

    `body` is the model without its head; `weight` (2, H) and `bias` (2,) or None are the head's rows of yes
    and no in float32; `lends` tells whether a common beginning may be read once (`llm.shared_prefix`);
    `whole` is the head itself; `last_block` works at the read position alone, None where it cannot.
    """

    body: Any
    weight: torch.Tensor
    bias: torch.Tensor | None
    lends: bool
    whole: torch.nn.Linear
    last_block: LastBlock | None = None

    def logits(
        self, ids: torch.Tensor, last: torch.Tensor, cache: Any = None, mass: bool = False
    ) -> torch.Tensor:
        """Return the logits of yes and no (B, 2) float32 behind each row, with `mass` also `log_mass` (B, 3).

        Rows are padded on the right: no position sees a later one, so padding needs no mask. The product is
        made in float32 whatever the body computes in; a head in half precision would round it.

        Args:
            ids: (B, T) token numbers.
            last: (B,) the place of each row's last token.
            cache: what all rows begin with, lent to B rows; the body must be one that `lends`.
            mass: multiply the whole head as well.
        """
        with narrowed_to(self.last_block, last[:, None]):
            output = self.body(input_ids=ids, past_key_values=cache, use_cache=cache is not None)
        states = output.last_hidden_state
        picked = states[torch.arange(len(ids), device=states.device), last.to(states.device)]
        pair = torch.nn.functional.linear(picked.to(self.weight.device).float(), self.weight, self.bias)
        if not mass:
            return pair
        every = self.whole(picked.to(self.whole.weight))
        return torch.cat([pair, log_mass(pair, every)], dim=1)


def log_mass(pair: torch.Tensor, every: torch.Tensor) -> torch.Tensor:
    """Return log(P(yes) + P(no)) under the softmax over all words (B, 1), from (B, 2) and (B, V) logits."""
    whole = every.float().logsumexp(dim=1, keepdim=True)
    return pair.float().logsumexp(dim=1, keepdim=True) - whole


@dataclass(frozen=True)
class Look:
    """What was found: the answer head, or None and the reason in a few words."""

    head: AnswerHead | None
    reason: str = ""


def look(model: Any, tokens: AnswerTokens) -> Look:
    """Watch one short pass of a model and return its answer head where that is proved right.

    By identity of tensors: the body gets the token numbers and nothing before them, the head gets the body's
    last states, and the head's product leaves the model untouched. By value: states do not depend on later
    tokens, a pass behind a lent beginning gives the states of a whole pass, and so does a last block that
    works at the read position alone. The head must be a plain linear layer without hooks. What other threads
    ask of the model meanwhile is let be.

    Args:
        model: a causal language model or a PEFT wrapper of one, in evaluation mode.
        tokens: the two answers; the watched tokens are these as well.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    body, head = inner.base_model, inner.get_output_embeddings()
    reason = _unfit(model, inner, body, head)
    if reason:
        return Look(None, reason)
    with torch.inference_mode(False), torch.no_grad():  # inference mode keeps no count of changes in place
        ids = torch.tensor([[tokens.yes, tokens.no, tokens.no, tokens.no]], device=model.device)
        with _watched(body, head) as seen:
            output = model(input_ids=ids, use_cache=False)
        reason = seen.break_in(ids, output.logits)
        if reason:
            return Look(None, reason)
        states = seen.states[0]
        tolerance = rounding(model, states)
        causal, lends = _tried_in_two(body, ids, states, tolerance)
        last_block = proved(body, ids, states, tolerance) if causal else None
    if not causal:
        return Look(None, "its states depend on later tokens")
    rows = [tokens.yes, tokens.no]
    bias = None if head.bias is None else head.bias.detach()[rows].float()
    return Look(AnswerHead(body, head.weight.detach()[rows].float(), bias, lends, head, last_block))


def _unfit(model: Any, inner: Any, body: Any, head: Any) -> str:
    """Return why two rows cannot stand for the head whatever a pass shows, "" where nothing says so."""
    adapters = getattr(model, "peft_config", {}).values()
    if any(getattr(adapter, "alora_invocation_tokens", None) for adapter in adapters):
        return "its adapter sets in within the prompt"
    if type(head) is not torch.nn.Linear or type(head.weight.data) is not torch.Tensor:
        return (
            "its head is no plain linear layer"  # nor is one whose weight is quantised or spread over devices
        )
    if "forward" in vars(head) or head._forward_hooks or head._forward_pre_hooks:
        return "its head carries hooks"
    return "it has no body apart from its head" if body is inner else ""


@dataclass
class _Seen:
    """The tensors that came by in this thread's pass, with the counts of changes in place they had then."""

    asked: list[tuple[Any, Any]] = field(default_factory=list)  # token numbers and cache the body got
    states: list[torch.Tensor] = field(default_factory=list)
    fed: list[torch.Tensor] = field(default_factory=list)
    product: list[torch.Tensor] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)  # of states, fed and product, in that order
    thread: int = field(default_factory=get_ident)

    def by_body(self, _body: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if get_ident() == self.thread:
            self.asked.append((args[0] if args else kwargs.get("input_ids"), kwargs.get("past_key_values")))
            self.states.append(output.last_hidden_state)
            self.versions.append(output.last_hidden_state._version)

    def by_head(self, _head: Any, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if get_ident() == self.thread:
            self.fed.append(args[0])
            self.product.append(output)
            self.versions += [args[0]._version, output._version]

    def break_in(self, ids: torch.Tensor, logits: torch.Tensor) -> str:
        """Return where the way from token numbers to logits leaves body and head, "" where it does not."""
        if len(self.states) != 1 or len(self.product) != 1:
            return "its body and head do not run once each"
        if self.asked[0][0] is not ids or self.asked[0][1] is not None:
            return "something is put before the prompt"
        if not _same_memory(self.states[0], self.fed[0]) or self.versions[0] != self.versions[1]:
            return "its states are changed before the head"
        if logits is not self.product[0] or logits._version != self.versions[2]:
            return "its logits are changed behind the head"
        return ""


@contextmanager
def _watched(body: torch.nn.Module, head: torch.nn.Module) -> Iterator[_Seen]:
    seen = _Seen()
    hooks = [
        body.register_forward_hook(seen.by_body, with_kwargs=True),
        head.register_forward_hook(seen.by_head),
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _same_memory(one: torch.Tensor, other: torch.Tensor) -> bool:
    return (one.data_ptr(), one.shape, one.stride()) == (other.data_ptr(), other.shape, other.stride())


def _tried_in_two(body: Any, ids: torch.Tensor, states: torch.Tensor, tolerance: float) -> tuple[bool, bool]:
    """Tell whether states stay the same without the tokens behind them, and behind a lent beginning."""

    def close(found: torch.Tensor, expected: torch.Tensor) -> bool:
        return float((found - expected).abs().max()) <= tolerance * float(states.abs().max())

    cut = ids.shape[1] // 2
    start = body(input_ids=ids[:, :cut], use_cache=True)
    if not close(start.last_hidden_state, states[:, :cut]):
        return False, False
    cache = getattr(start, "past_key_values", None)
    if not can_be_lent(cache) or rotates_by_length(body):
        return True, False
    rest = body(input_ids=ids[:, cut:], past_key_values=lent(cache, 1), use_cache=True)
    return True, close(rest.last_hidden_state, states[:, cut:])

"""Count the bytes a training step allocates by running it on tensors that have no storage."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class StepShape:
    """The batch of one forward pass."""

    rows: int  # B
    tokens: int  # T, padded
    targets: int  # A, columns the head is applied to


class AllocationMeter(TorchDispatchMode):
    """Follows every storage that operations make inside the block; `peak` is the most bytes alive at once.

    Args:
        known: tensors whose storages are not counted.
    """

    def __init__(self, known: Iterable[torch.Tensor]) -> None:
        super().__init__()
        self.peak = 0
        self._live = 0
        self._seen = {tensor.untyped_storage()._cdata for tensor in known}
        self._counted: dict[int, weakref.finalize] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(output):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return output

    def leave_out(self, tensor: torch.Tensor) -> None:
        """Count a tensor's storage no longer."""
        storage = tensor.untyped_storage()
        if storage._cdata in self._counted:
            self._counted.pop(storage._cdata).detach()
            self._live -= storage.nbytes()

    def _count(self, storage: torch.UntypedStorage) -> None:
        name, size = storage._cdata, storage.nbytes()
        if name not in self._seen:
            self._seen.add(name)
            self._live += size
            self.peak = max(self.peak, self._live)
            self._counted[name] = weakref.finalize(storage, self._forget, name, size)

    def _forget(self, name: int, size: int) -> None:
        self._seen.discard(name)
        self._counted.pop(name)
        self._live -= size


def step_bytes(model: Any, shape: StepShape, in_bf16: bool) -> int:
    """Return the most bytes that one batch's two passes hold beside weights and their gradients.

    Those are activations, logits and what operations need in passing. Padding is assumed, so that the
    attention mask is counted. The kernels are those of a CPU; the fused attention kernels of CUDA keep the
    same tensors.

    Args:
        model: a causal language model on the meta device, as it would be trained.
        shape: of the batch.
        in_bf16: the step runs under bf16 autocast.
    """
    model.train()
    with FakeTensorMode():
        tensors = {
            name: torch.empty(tensor.shape, dtype=tensor.dtype).requires_grad_(tensor.requires_grad)
            for name, tensor in [*model.named_parameters(), *model.named_buffers()]
        }
        step = _Step(model, shape, in_bf16)
        with AllocationMeter(tensors.values()) as meter:
            for tensor in tensors.values():
                if tensor.requires_grad:
                    tensor.register_post_accumulate_grad_hook(lambda held: meter.leave_out(held.grad))
            functional_call(step, {f"model.{name}": tensor for name, tensor in tensors.items()}, ())
    return meter.peak


def with_layers(config: Any, n_layers: int) -> Any:
    """Return a copy of a model's config with another number of layers."""
    changed = copy.deepcopy(config)
    changed.num_hidden_layers = n_layers
    if getattr(changed, "layer_types", None):
        changed.layer_types = changed.layer_types[:n_layers]
    return changed


class _Step(torch.nn.Module):
    def __init__(self, model: Any, shape: StepShape, in_bf16: bool) -> None:
        super().__init__()
        self.model, self._shape, self._in_bf16 = model, shape, in_bf16

    def forward(self) -> None:
        from rec_core.llm.answer_trainer import answer_loss

        ids = torch.zeros(self._shape.rows, self._shape.tokens, dtype=torch.long)
        labels = torch.zeros(self._shape.rows, self._shape.targets, dtype=torch.long)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._in_bf16):
            output = self.model(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                position_ids=ids,
                logits_to_keep=self._shape.targets,
                use_cache=False,
            )
            loss = answer_loss(output.logits, labels)
        del output
        loss.backward()

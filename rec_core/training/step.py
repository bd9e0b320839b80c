"""One optimiser step, by one process or by several that share the batch."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal

import torch

from rec_core.device import multiplies_bf16
from rec_core.processes import n_processes, rank, sum_over_processes
from rec_core.training.lean_adamw import LeanAdamW

if TYPE_CHECKING:
    from rec_core.training.loop import Objective


Arithmetic = Literal["auto", "fast", "fp32", "bf16"]


class Stepper:
    """AdamW over an objective's net.

    With several processes each takes its share of a batch's rows; its loss counts by its share of the rows
    and the gradients are summed, which is the gradient of the whole batch in one process.

    Args:
        objective: net and loss.
        learning_rate: of AdamW.
        weight_decay: decoupled.
        precision: of the forward pass; weights stay in fp32. "auto" is bf16 on CUDA alone, "fast" wherever
            the device multiplies it in hardware.
    """

    def __init__(
        self,
        objective: Objective,
        learning_rate: float,
        weight_decay: float,
        precision: Arithmetic,
    ) -> None:
        self._objective = objective
        self._parameters = [p for p in objective.net.parameters() if p.requires_grad]
        self.optimiser = LeanAdamW(list(objective.net.parameters()), learning_rate, weight_decay)
        device = self._parameters[0].device.type
        wanted = {"fp32": False, "bf16": True, "auto": device == "cuda", "fast": multiplies_bf16()}
        on = wanted[precision]
        self._arithmetic = torch.autocast(device, torch.bfloat16) if on else nullcontext()
        self._n_processes = n_processes()

    def step(self, batch: Any) -> torch.Tensor:
        """Move the weights once and return this process's part of the batch's mean loss, detached."""
        for parameter in self._parameters:  # zero_grad without its profiling
            parameter.grad = None
        share, part = _shard(self._objective, batch)
        if share:
            with self._arithmetic:
                loss = self._objective.loss(part)
            if self._n_processes > 1:
                loss = loss * share
            loss.backward()
        else:
            loss = self._parameters[0].new_zeros(())
        if self._n_processes > 1:
            self._sum_gradients()
        self.optimiser.advance()
        return loss.detach()

    def mean_loss(self, losses: list[torch.Tensor]) -> float:
        """Return the mean over steps of the whole batches' losses."""
        return float(sum_over_processes(torch.stack(losses).double().mean()))

    def _sum_gradients(self) -> None:
        for parameter in self._parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        total = sum_over_processes(torch.cat([gradient.flatten() for gradient in gradients]))
        for gradient, part in zip(gradients, total.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


def _shard(objective: Objective, batch: Any) -> tuple[float, Any]:
    """Return the share of the batch's weight that this process carries, and its rows."""
    n = n_processes()
    if n == 1:
        return 1.0, batch
    weight = getattr(objective, "weight", None)
    if weight is None:
        return 1.0 / n, batch
    part = tuple(torch.tensor_split(tensor, n)[rank()] for tensor in batch)
    return weight(part) / weight(batch), part

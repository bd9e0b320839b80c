"""Where a training stands, as safetensors + JSON: weights, best weights, optimiser moments, counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from rec_core.store import read_json, write_bytes, write_json


@dataclass
class Progressed:
    """How far a training came: epochs done, mean loss of each, validation values and the best weights."""

    epoch: int = 0
    losses: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    best_value: float | None = None
    looks_since_best: int = 0
    stopped: bool = False
    best: dict[str, torch.Tensor] | None = None

    def look(self, value: float, net: torch.nn.Module, patience: int) -> None:
        """Note a validation value: keep the weights when it is the best, stop when patience runs out."""
        self.values.append(value)
        if self.best_value is None or value > self.best_value:
            self.best_value, self.looks_since_best = value, 0
            self.best = {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}
        else:
            self.looks_since_best += 1
            self.stopped = self.looks_since_best >= patience


def save_checkpoint(
    folder: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer, state: Progressed
) -> None:
    """Write a checkpoint; the counters go last and name the tensors, so a kill leaves the old one whole."""
    from safetensors.torch import save

    tensors = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    for i, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{name}": torch.as_tensor(value) for name, value in moments.items()}
    if state.best is not None:
        tensors |= {f"best.{name}": tensor for name, tensor in state.best.items()}
    name = f"epoch-{state.epoch}.safetensors"
    write_bytes(
        folder / name, save({key: value.detach().cpu().contiguous() for key, value in tensors.items()})
    )
    counters = {
        "tensors": name,
        "epoch": state.epoch,
        "losses": state.losses,
        "values": state.values,
        "best_value": state.best_value,
        "looks_since_best": state.looks_since_best,
        "stopped": state.stopped,
    }
    write_json(folder / "state.json", counters)
    for old in folder.glob("epoch-*.safetensors"):
        if old.name != name:
            old.unlink()


def load_checkpoint(folder: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer) -> Progressed:
    """Restore net and optimiser from `folder` and return the counters (fresh ones without a checkpoint)."""
    if not (folder / "state.json").exists():
        return Progressed()
    from safetensors.torch import load_file

    counters = read_json(folder / "state.json")
    tensors = load_file(folder / counters.pop("tensors"))
    groups: dict[str, dict[str, torch.Tensor]] = {"net": {}, "best": {}, "optimiser": {}}
    for key, value in tensors.items():
        group, _, name = key.partition(".")
        groups[group][name] = value
    net.load_state_dict(groups["net"])
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in groups["optimiser"].items():
        index, _, name = key.partition(".")
        moments.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    return Progressed(**counters, best=groups["best"] or None)

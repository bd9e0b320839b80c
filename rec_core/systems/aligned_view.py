"""The aligned view: text vectors projected into the behaviour space.

Paper: RALLRec section 2.2.3, equations 5 and 6.
Differs from paper: the temperature is a setting (the formula has none, that is 1.0); text rows are scaled to
unit length before the projector, so that its learning rate does not depend on the encoder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from rec_core.config import Config
from rec_core.nets.projector import Projector
from rec_core.objectives.text_alignment import TextAlignment
from rec_core.seeding import torch_generator
from rec_core.training.loop import LoopConfig, run_epochs
from rec_core.types import EmbeddingTable, Progress


class AlignedViewConfig(Config):
    """The projector and its training."""

    hidden_size: int = Field(256, ge=2, le=8192, description="Width between the two layers.")
    temperature: float = Field(
        0.1, gt=0, le=10, description="Divides the cosines; 1.0 is the formula as printed."
    )
    batch_size: int = Field(4096, ge=2, description="Items per step; at least I gives all-item denominators.")
    loop: LoopConfig = Field(LoopConfig(epochs=200, learning_rate=1e-3), description="Epochs and optimiser.")


def train_aligned_view(
    text: EmbeddingTable,
    behaviour: EmbeddingTable,
    config: AlignedViewConfig,
    work: Path,
    seed: int,
    progress: Progress,
) -> EmbeddingTable:
    """Return e_ssl = MLP(e_text) for every item with text (equation 6).

    The projector is trained on items that have both views; an item nobody rated in training still gets an
    aligned vector from its text.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    norms = np.linalg.norm(text.values, axis=1, keepdims=True)
    unit = torch.from_numpy(text.values / np.maximum(norms, 1e-12)).to(device)
    both = torch.from_numpy(text.known & behaviour.known).to(device)
    target = torch.from_numpy(behaviour.values).to(device)
    net = Projector(
        text.values.shape[1],
        config.hidden_size,
        behaviour.values.shape[1],
        torch_generator(seed, "aligned view", "weights"),
    ).to(device)
    objective = TextAlignment(net, unit[both], target[both], config.temperature, config.batch_size)
    run_epochs(objective, config.loop, work, seed, "aligned view", progress)
    with torch.no_grad():
        values = net(unit).cpu().numpy().astype(np.float32)
    return EmbeddingTable(
        "aligned", values * text.known[:, None], text.known, "text projected into the ID space"
    )

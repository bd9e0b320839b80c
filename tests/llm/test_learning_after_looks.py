"""Weights of every precision still learn after an evaluation pass, also one inside a training."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from rec_core.llm.backbone import load_backbone
from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.lora import LoraConfig, attach
from rec_core.types import ProgressEvent

needs_bitsandbytes = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed"
)
PRECISIONS = ["fp32", *(pytest.param(p, marks=needs_bitsandbytes) for p in ("8bit", "4bit"))]
IDS = torch.tensor([[5, 9, 30, 41, 7], [8, 8, 100, 3, 60]])
ROWS = [TokenRow([1, *range(start, start + 6)], 2) for start in range(5, 17)]


@pytest.fixture(scope="module")
def folder(llama, tokenizer, tmp_path_factory) -> Path:
    """A saved Llama whose layer sizes are multiples of 32, as 4-bit blocks on a CPU want them."""
    path = tmp_path_factory.mktemp("backbone")
    llama(hidden_size=64).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture
def tuned(folder, request) -> Any:
    return attach(load_backbone(str(folder), request.param).model, LoraConfig(rank=2, dropout=0.0), 0)


def adapters(model: Any, half: str) -> list[torch.Tensor]:
    return [p.detach().clone() for name, p in model.named_parameters() if f"lora_{half}" in name]


@pytest.mark.parametrize("tuned", PRECISIONS, indirect=True)
def test_gradients_are_there_after_an_evaluation(tuned):
    before = [p for name, p in tuned.named_parameters() if "lora_B" in name]
    with torch.no_grad():
        expected = tuned.train()(IDS).logits
        tuned.eval()(IDS)
    loss = tuned.train()(IDS, labels=IDS).loss
    loss.backward()
    assert len(before) == 4 and all(p.grad is not None and float(p.grad.abs().sum()) > 1e-6 for p in before)
    with torch.no_grad():
        torch.testing.assert_close(tuned(IDS).logits, expected)  # nothing was repacked


@pytest.mark.parametrize("tuned", PRECISIONS, indirect=True)
def test_every_step_between_looks_moves_the_adapter(tuned, tmp_path):
    """Both halves of every pair: B from the first step on, A from the second, when B is no longer zero."""
    states: list[tuple[str, list[torch.Tensor], list[torch.Tensor]]] = []

    def progress(event: ProgressEvent) -> None:
        kind = "look" if "validation_loss" in event.metrics else "step"
        states.append((kind, adapters(tuned, "A"), adapters(tuned, "B")))

    config = TrainerConfig(
        epochs=2, batch_size=4, learning_rate=1e-2, schedule="constant", checkpoint_steps=1
    )
    fit_causal(tuned, ROWS, 2, config, tmp_path, 0, "fit", progress, validation=ROWS[:5])
    assert [kind for kind, _, _ in states] == ["step", "look"] * 6
    steps = [(a, b) for kind, a, b in states if kind == "step"]
    for place, ((a, b), (next_a, next_b)) in enumerate(zip(steps, steps[1:], strict=False)):
        assert all(not torch.equal(one, other) for one, other in zip(b, next_b, strict=True)), place
        assert all(not torch.equal(one, other) for one, other in zip(a, next_a, strict=True)), place


@pytest.mark.parametrize("tuned", PRECISIONS, indirect=True)
def test_validation_inside_a_training_does_not_change_what_is_learned(folder, tuned, request, tmp_path):
    config = TrainerConfig(epochs=2, batch_size=4, learning_rate=1e-2, checkpoint_steps=1)
    seen, unseen = [], []
    fit_causal(tuned, ROWS, 2, config, tmp_path / "seen", 0, "fit", seen.append, validation=ROWS[:5])
    precision = request.node.callspec.params["tuned"]
    blind = attach(load_backbone(str(folder), precision).model, LoraConfig(rank=2, dropout=0.0), 0)
    fit_causal(blind, ROWS, 2, config, tmp_path / "unseen", 0, "fit", unseen.append)
    losses = [
        [event.metrics["loss"] for event in events if "loss" in event.metrics] for events in (seen, unseen)
    ]
    assert losses[0] == losses[1] and losses[0][-1] < losses[0][0]

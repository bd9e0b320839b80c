"""Training on token rows: the loss, accumulation, exact resume, what moves and what stands still."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch

from rec_core.llm.causal_trainer import IGNORED, TokenRow, TrainerConfig, _collate, answer_loss, fit_causal
from rec_core.llm.lora import LoraConfig, attach
from rec_core.types import Cancelled, ProgressEvent, ignore_progress

PAD = 2


@pytest.fixture(scope="module", autouse=True)
def _libraries_are_loaded(llama, tmp_path_factory):
    """The first Trainer of a process imports for seconds; no single test should be charged for that."""
    model = attach(llama(), LoraConfig(rank=1), 0)
    fit_causal(
        model, rows(1), PAD, TrainerConfig(), tmp_path_factory.mktemp("first"), 0, "fit", ignore_progress
    )


def rows(n: int, seed: int = 0) -> list[TokenRow]:
    """Rows of different lengths and numbers of targets; the last one is all targets."""
    rng = np.random.default_rng(seed)
    made = [
        TokenRow(rng.integers(3, 200, int(rng.integers(4, 14))).tolist(), int(rng.integers(1, 4)))
        for _ in range(n - 1)
    ]
    return [*made, TokenRow(list(range(10, 24)), 14)]


def naive_loss(model: Any, batch: list[TokenRow]) -> tuple[float, int]:
    """Sum of cross-entropies at the targets from whole forward passes of unpadded rows, and how many there are."""
    total, count = 0.0, 0
    for row in batch:
        with torch.no_grad():
            logits = model(torch.tensor([row.ids])).logits[0].double()
        for place in range(max(1, len(row.ids) - row.n_targets), len(row.ids)):
            total -= float(torch.log_softmax(logits[place - 1], dim=0)[row.ids[place]])
            count += 1
    return total, count


def tensors(model: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_loss_is_taken_at_the_answer_positions_only(llama, gpt2, tmp_path, kind):
    model, batch = llama() if kind == "llama" else deepcopy(gpt2), rows(6)
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    total, count = naive_loss(model.eval(), batch)
    events: list[ProgressEvent] = []
    config = TrainerConfig(batch_size=6, learning_rate=1e-9, weight_decay=0.0)
    result = fit_causal(model, batch, PAD, config, tmp_path, 0, "fit", events.append)
    assert events[0].metrics["loss"] == pytest.approx(total / count, abs=1e-5)
    assert result == pytest.approx(total / count, abs=1e-5)
    every = [TokenRow(row.ids, len(row.ids)) for row in batch]
    assert naive_loss(model, every)[0] / naive_loss(model, every)[1] != pytest.approx(total / count, abs=1e-2)


@pytest.mark.parametrize("accumulation", [1, 2, 8])
def test_accumulated_gradients_equal_those_of_one_batch(llama, tmp_path, accumulation):
    """Whatever the cut, one step follows the mean over the tokens of all 8 rows, equation by equation."""
    batch = rows(8)
    model = llama().eval()
    total, count = naive_loss(model, batch)
    config = TrainerConfig(batch_size=8 // accumulation, accumulation=accumulation, learning_rate=1e-3)
    events: list[ProgressEvent] = []
    fit_causal(model, batch, PAD, config, tmp_path / "run", 0, "fit", events.append)
    assert events[0].metrics["loss"] == pytest.approx(total / count, abs=1e-5)

    reference = llama()
    ids, mask = _collate(batch, PAD)["input_ids"], _collate(batch, PAD)["attention_mask"]
    labels = torch.full_like(ids, IGNORED)
    for i, row in enumerate(batch):
        start = ids.shape[1] - min(row.n_targets, len(row.ids) - 1)
        labels[i, start:] = ids[i, start:]
    logits = reference(ids, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0)).logits
    torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()).backward()
    norm = torch.nn.utils.clip_grad_norm_(reference.parameters(), 1.0)
    moments = torch.load(tmp_path / "run" / "checkpoint-1" / "optimizer.pt", weights_only=True)["state"]
    expected = sorted(round(float(p.grad.norm()), 5) for p in reference.parameters())
    got = sorted(round(float(m["exp_avg"].norm() / (1 - 0.9)), 5) for m in moments.values())
    assert float(norm) > 0 and got == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("tuned", ["all", "adapter"])
@pytest.mark.parametrize("interrupt_at", [3, 8])
def test_interrupted_and_resumed_equals_uninterrupted(llama, tmp_path, tuned, interrupt_at):
    """12 steps over 2 epochs, checkpoints every second step, dropout on; cut right after the step given."""
    config = TrainerConfig(
        epochs=2, batch_size=1, accumulation=2, learning_rate=1e-2, warmup_share=0.2, checkpoint_steps=2
    )

    def fresh() -> Any:
        return llama() if tuned == "all" else attach(llama(), LoraConfig(rank=2, dropout=0.3), 4)

    def interrupt(event: ProgressEvent) -> None:
        if event.step == interrupt_at:
            raise Cancelled

    whole, data = fresh(), rows(12)
    expected = fit_causal(whole, data, PAD, config, tmp_path / "whole", 1, "fit", ignore_progress)
    torch.manual_seed(99)  # what the global generator did in between must not matter
    with pytest.raises(Cancelled):
        fit_causal(fresh(), data, PAD, config, tmp_path / "cut", 1, "fit", interrupt)
    torch.manual_seed(98)
    resumed, steps = fresh(), []
    loss = fit_causal(resumed, data, PAD, config, tmp_path / "cut", 1, "fit", lambda e: steps.append(e.step))
    assert_same(tensors(resumed), tensors(whole))
    assert steps == list(range(steps[0], 13)) and 1 < steps[0] <= interrupt_at
    assert loss == expected


def test_a_finished_training_is_not_repeated(llama, tmp_path):
    config = TrainerConfig(batch_size=4, checkpoint_steps=1)
    model, again, events = llama(), llama(seed=7), []
    loss = fit_causal(model, rows(8), PAD, config, tmp_path, 1, "fit", ignore_progress)
    assert fit_causal(again, rows(8), PAD, config, tmp_path, 1, "fit", events.append) == loss
    assert_same(tensors(again), tensors(model))
    assert events == []


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_half_written_checkpoint_is_passed_over(llama, tmp_path, damage):
    config = TrainerConfig(epochs=2, batch_size=2, checkpoint_steps=2, learning_rate=1e-2)
    whole = llama()
    fit_causal(whole, rows(8), PAD, config, tmp_path / "whole", 1, "fit", ignore_progress)

    def interrupt(event: ProgressEvent) -> None:
        if event.step == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit_causal(llama(), rows(8), PAD, config, tmp_path / "cut", 1, "fit", interrupt)
    half = tmp_path / "cut" / "checkpoint-4"
    (half / "optimizer.pt").unlink()
    if damage == "missing":
        (half / "trainer_state.json").unlink()
    else:
        (half / "trainer_state.json").write_text((half / "trainer_state.json").read_text()[:100])
    resumed, steps = llama(), []
    fit_causal(resumed, rows(8), PAD, config, tmp_path / "cut", 1, "fit", lambda e: steps.append(e.step))
    assert steps[0] == 3
    assert_same(tensors(resumed), tensors(whole))


def test_two_steps_equal_a_hand_written_adamw(llama, tmp_path):
    """Gradients cut to length 1, decay on matrices alone, a constant learning rate."""
    batch, rate, decay = rows(6), 1e-2, 0.3
    config = TrainerConfig(
        epochs=2, batch_size=6, learning_rate=rate, weight_decay=decay, schedule="constant"
    )
    model, reference = llama(), llama()
    fit_causal(model, batch, PAD, config, tmp_path, 0, "fit", ignore_progress)
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in reference.named_parameters()}
    for t in (1, 2):
        reference.zero_grad()
        losses = []
        for row in batch:
            logits = torch.log_softmax(reference(torch.tensor([row.ids])).logits[0], dim=-1)
            places = range(max(1, len(row.ids) - row.n_targets), len(row.ids))
            losses += [-logits[place - 1, row.ids[place]] for place in places]
        torch.stack(losses).mean().backward()
        norm = float(torch.sqrt(sum(p.grad.pow(2).sum() for p in reference.parameters())))
        with torch.no_grad():
            for name, p in reference.named_parameters():
                m, v = moments[name]
                gradient = p.grad * min(1.0, 1.0 / (norm + 1e-6))
                m.mul_(0.9).add_(0.1 * gradient)
                v.mul_(0.999).add_(0.001 * gradient**2)
                if p.dim() > 1:
                    p.mul_(1 - rate * decay)
                p.sub_(rate * (m / (1 - 0.9**t)) / (torch.sqrt(v / (1 - 0.999**t)) + 1e-8))
    assert norm > 1
    for name, p in reference.named_parameters():
        got = dict(model.named_parameters())[name]
        assert float((got - p).detach().abs().max()) < 1e-3 * rate * 2, name


def test_only_the_adapter_moves_and_all_of_it(llama, tmp_path):
    model = attach(llama(), LoraConfig(rank=2), 0)
    before = tensors(model)
    fit_causal(model, rows(8), PAD, TrainerConfig(batch_size=2), tmp_path, 0, "fit", ignore_progress)
    moved = {name for name, tensor in tensors(model).items() if not torch.equal(tensor, before[name])}
    assert moved == {name for name in before if "lora_" in name} and len(moved) == 2 * 2 * 2
    assert {name for name, p in model.named_parameters() if p.requires_grad} == moved


def test_the_seed_decides_the_order(llama, tmp_path):
    def after(seed: int, folder: str) -> torch.Tensor:
        model = llama()
        config = TrainerConfig(batch_size=1, learning_rate=1e-2)
        fit_causal(model, rows(4), PAD, config, tmp_path / folder, seed, "fit", ignore_progress)
        return model.lm_head.weight.detach()

    assert torch.equal(after(2**40, "a"), after(2**40, "b"))
    assert not torch.equal(after(2**40, "c"), after(2**40 + 1, "d"))


@pytest.mark.parametrize(
    ("schedule", "warmup_share", "factors"),
    [
        ("linear", 0.4, [0, 1 / 2, 1, 2 / 3, 1 / 3]),
        ("constant", 0.0, [1] * 5),
        ("linear", 0.0, [1, 0.8, 0.6, 0.4, 0.2]),
    ],
)
def test_learning_rate_rises_over_the_warmup_share_and_falls(
    llama, tmp_path, schedule, warmup_share, factors
):
    config = TrainerConfig(batch_size=1, learning_rate=0.01, warmup_share=warmup_share, schedule=schedule)
    events: list[ProgressEvent] = []
    fit_causal(llama(), rows(5), PAD, config, tmp_path, 0, "fit", events.append)
    assert [(event.step, event.total, event.stage) for event in events] == [
        (i, 5, "fit") for i in range(1, 6)
    ]
    assert [event.metrics["learning_rate"] / 0.01 for event in events] == pytest.approx(factors)


def test_answer_loss_by_hand():
    logits = torch.tensor([[[0.0, 0.0], [3.0, 0.0], [0.0, 1.0]]])
    labels = torch.tensor([[0, IGNORED, 1]])
    # log 2 and log(1 + e^-1), averaged
    expected = (np.log(2) + np.log(1 + np.exp(-1))) / 2
    assert float(answer_loss(logits, labels)) == pytest.approx(expected, abs=1e-6)

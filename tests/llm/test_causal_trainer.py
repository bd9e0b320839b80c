"""Training on token rows: the loss, accumulation, exact resume, what moves and what stands still."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rec_core.llm.answer_trainer import answer_loss
from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, _in_bf16, fit_causal
from rec_core.llm.lora import LoraConfig, attach
from rec_core.llm.token_rows import IGNORED, collate
from rec_core.types import Cancelled, InputError, ProgressEvent, ignore_progress

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
    ids, mask = collate(batch, PAD)["input_ids"], collate(batch, PAD)["attention_mask"]
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


def test_a_checkpoint_is_called_whole_when_every_process_has_written_its_part(llama, tmp_path, monkeypatch):
    """Processes meet between their random states and the file that says the checkpoint is whole."""
    met: list[tuple[bool, bool]] = []

    def meet() -> None:
        (newest,) = tmp_path.glob("checkpoint-*")
        met.append(((newest / "rng_state.pth").exists(), (newest / "trainer_state.json").exists()))

    monkeypatch.setattr("rec_core.llm.answer_trainer.wait_for_everyone", meet)
    fit_causal(llama(), rows(4), PAD, TrainerConfig(batch_size=4), tmp_path, 1, "fit", ignore_progress)
    assert met == [(True, False)]


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


@pytest.mark.parametrize("accepts", [True, False])
def test_targets_are_counted_whatever_the_model_says_it_takes(llama, tmp_path, accepts):
    """Else 2 batches with 9 and 3 targets would count the same."""
    data = [TokenRow(list(range(10, 20)), 9), TokenRow(list(range(30, 40)), 3)]
    model = llama()
    model.accepts_loss_kwargs = accepts
    total, count = naive_loss(model, data)
    events: list[ProgressEvent] = []
    config = TrainerConfig(batch_size=1, accumulation=2)
    fit_causal(model, data, PAD, config, tmp_path, 0, "fit", events.append)
    assert [event.metrics["loss"] for event in events] == [pytest.approx(total / count, abs=1e-5)]


def bucketed(llama: Any, folder: Path, progress: Any) -> tuple[Any, float]:
    """14 rows in batches of 3, two of them a step: 3 steps an epoch, 4 epochs; the last step of each is smaller."""
    config = TrainerConfig(
        epochs=4, batch_size=3, accumulation=2, learning_rate=1e-2, checkpoint_steps=5, bucketing=True
    )
    model = attach(llama(n_layers=1), LoraConfig(rank=1, dropout=0.3), 4)
    return model, fit_causal(model, rows(14), PAD, config, folder, 1, "fit", progress)


@pytest.fixture(scope="module")
def whole(llama, tmp_path_factory) -> tuple[Any, float]:
    return bucketed(llama, tmp_path_factory.mktemp("whole"), ignore_progress)


@pytest.mark.parametrize("cut", range(1, 13))
def test_a_kill_at_any_step_changes_nothing(llama, tmp_path, whole, cut):
    def interrupt(event: ProgressEvent) -> None:
        if event.step == cut:
            raise Cancelled

    whole, expected = whole
    with pytest.raises(Cancelled):
        bucketed(llama, tmp_path, interrupt)
    resumed, loss = bucketed(llama, tmp_path, ignore_progress)
    assert_same(tensors(resumed), tensors(whole))
    assert loss == expected


def test_bucketing_changes_the_batches_and_not_what_is_learned_from(llama, tmp_path):
    """Every row is seen once an epoch, and more of the positions are tokens."""
    data = [TokenRow([i + 3] * (4 + i % 40), 1) for i in range(160)]
    seen: dict[bool, list[torch.Tensor]] = {}
    for bucketing in (True, False):
        model, batches = llama(n_layers=1), []
        model.model.embed_tokens.register_forward_pre_hook(
            lambda part, inputs, kept=batches: kept.append(inputs[0]) if part.training else None
        )
        config = TrainerConfig(batch_size=8, bucketing=bucketing)
        fit_causal(model, data, PAD, config, tmp_path / str(bucketing), 0, "fit", ignore_progress)
        seen[bucketing] = batches
        assert sorted(int(row[-1]) for batch in batches for row in batch) == list(range(3, 163))
    widths = {kind: sum(batch.numel() for batch in batches) for kind, batches in seen.items()}
    tokens = sum(len(row.ids) - 1 for row in data)
    assert tokens <= widths[True] < 1.1 * tokens < widths[False]


@pytest.mark.parametrize("tuned", ["all", "adapter"])
def test_checkpointing_changes_the_memory_and_not_a_bit_of_the_weights(llama, tmp_path, tuned):
    calls: dict[bool, int] = {}
    models = {}
    for again in (False, True):
        model = llama() if tuned == "all" else attach(llama(), LoraConfig(rank=2, dropout=0.3), 4)
        layers = [part for name, part in model.named_modules() if name.endswith("layers.0.self_attn")]
        seen: list[int] = []
        layers[0].register_forward_hook(lambda part, *_, kept=seen: kept.append(1) if part.training else None)
        config = TrainerConfig(batch_size=4, learning_rate=1e-2, gradient_checkpointing=again)
        fit_causal(model, rows(8), PAD, config, tmp_path / str(again), 1, "fit", ignore_progress)
        models[again], calls[again] = model, len(seen)
        assert not any(getattr(part, "gradient_checkpointing", False) for part in model.modules())
    assert_same(tensors(models[True]), tensors(models[False]))
    assert calls == {False: 2, True: 4}  # 2 steps; every layer runs again in the backward pass


def test_bf16_steps_leave_fp32_weights_and_a_model_that_computes_in_fp32(llama, tmp_path):
    losses = {}
    for precision in ("fp32", "auto", "bf16"):
        model, events = attach(llama(), LoraConfig(rank=2, dropout=0.0), 0), []
        config = TrainerConfig(batch_size=4, learning_rate=1e-2, precision=precision)
        fit_causal(model, rows(8), PAD, config, tmp_path / precision, 1, "fit", events.append)
        losses[precision] = events[0].metrics["loss"]
        assert {p.dtype for p in model.parameters()} == {torch.float32}
    ids = torch.tensor([[5, 9, 30, 41, 7]])
    copied = attach(llama(), LoraConfig(rank=2, dropout=0.0), 0)
    copied.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(model.eval()(ids).logits, copied.eval()(ids).logits)
    assert losses["auto"] == losses["fp32"] != losses["bf16"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)


def test_a_second_training_of_the_same_model_has_its_own_arithmetic(llama, tmp_path):
    """Nothing the first one put around the model is left, or a second asked for bf16 would not get it."""
    model, losses = llama(), []
    for precision in ("fp32", "bf16", "fp32"):
        config = TrainerConfig(batch_size=8, learning_rate=1e-9, precision=precision)
        folder = tmp_path / f"{precision}{len(losses)}"
        losses.append(fit_causal(model, rows(8), PAD, config, folder, 1, "fit", ignore_progress))
    assert losses[0] == pytest.approx(losses[2], abs=1e-5)
    assert abs(losses[1] - losses[0]) > 1e-4


def test_auto_is_bf16_on_cuda_for_weights_that_are_not_fp32(llama, monkeypatch):
    half, full, quantised = llama().to(torch.bfloat16), llama(), llama()
    quantised.is_quantized = True
    assert [_in_bf16(model, "auto") for model in (half, full, quantised)] == [False] * 3
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [_in_bf16(model, "auto") for model in (half, full, quantised)] == [True, False, True]
    assert [_in_bf16(model, "fp32") for model in (half, full, quantised)] == [False] * 3
    assert [_in_bf16(model, "bf16") for model in (half, full, quantised)] == [True] * 3


@pytest.mark.parametrize("cached", [True, False])
def test_the_cache_setting_of_a_model_is_left_as_it_was(llama, tmp_path, cached):
    model = llama()
    model.config.use_cache = cached
    fit_causal(model, rows(4), PAD, TrainerConfig(), tmp_path, 1, "fit", ignore_progress)
    assert model.config.use_cache is cached


def test_no_rows_are_one_sentence(llama, tmp_path):
    with pytest.raises(InputError, match="no training rows"):
        fit_causal(llama(), [], PAD, TrainerConfig(), tmp_path, 1, "fit", ignore_progress)


@pytest.mark.parametrize("row", [TokenRow([4], 1), TokenRow([4, 5], 0), TokenRow([], 1)])
def test_rows_without_a_target_are_one_sentence(llama, tmp_path, row):
    with pytest.raises(InputError, match="rows of two tokens"):
        fit_causal(llama(), [*rows(3), row], PAD, TrainerConfig(), tmp_path, 1, "fit", ignore_progress)


def test_bounds_of_the_config():
    for values in ({"precision": "fp16"}, {"early_stopping_patience": -1}, {"bucketing": "some"}):
        with pytest.raises(InputError, match=next(iter(values))):
            TrainerConfig.from_values(values)

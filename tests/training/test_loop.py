"""The epoch loop: two-step parity, exact resume, early stopping."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from rec_core.seeding import numpy_generator
from rec_core.training.checkpoint import Progressed, load_checkpoint, save_checkpoint
from rec_core.training.loop import LoopConfig, run_epochs
from rec_core.types import Cancelled, InputError, ProgressEvent, ignore_progress

X = torch.linspace(-1, 1, 24).reshape(12, 2)
Y = (X @ torch.tensor([[1.0], [-2.0]]) + 0.5).squeeze(1)


class Regression:
    """Least squares over shuffled rows of four; a dropout would break bit equality, so there is none."""

    def __init__(self) -> None:
        self.net = torch.nn.Linear(2, 1)
        with torch.no_grad():
            for parameter in self.net.parameters():
                parameter.fill_(0.1)

    @property
    def n_batches(self) -> int:
        return 3

    def batches(self, rng: np.random.Generator) -> Iterator[torch.Tensor]:
        yield from torch.from_numpy(rng.permutation(12)).split(4)

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        return (self.net(X[batch]).squeeze(1) - Y[batch]).pow(2).mean()


def weights(objective: Regression) -> list[float]:
    return torch.cat([p.detach().flatten() for p in objective.net.parameters()]).tolist()


def scripted(values: list[float]) -> Callable[[], float]:
    remaining = iter(values)
    return lambda: next(remaining)


def test_two_steps_equal_a_hand_written_adamw(tmp_path: Path):
    config = LoopConfig(epochs=1, learning_rate=0.05, weight_decay=0.1)
    objective, steps = Regression(), []

    def stop_after_two(event: ProgressEvent) -> None:
        steps.append(event.step)
        if len(steps) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_epochs(objective, config, tmp_path, 7, "fit", stop_after_two)
    order = numpy_generator(7, "fit", "epoch", 0).permutation(12)
    x, y = X.double().numpy(), Y.double().numpy()
    theta, m, v = np.full(3, 0.1), np.zeros(3), np.zeros(3)  # two weights and the bias
    for t, rows in enumerate((order[:4], order[4:8]), start=1):
        error = x[rows] @ theta[:2] + theta[2] - y[rows]
        gradient = np.append(2 * error @ x[rows] / 4, 2 * error.mean())
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        theta = theta * (1 - 0.05 * 0.1)
        theta -= 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(weights(objective), theta, atol=1e-6)
    assert steps == [1, 2]


@pytest.mark.parametrize("checkpoint_seconds", [0, 1000])  # after every epoch, or only at the end
@pytest.mark.parametrize("interrupt_at", [1, 3, 4, 5, 8, 11, 19])
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, interrupt_at: int, checkpoint_seconds: int):
    config = LoopConfig(
        epochs=6, learning_rate=0.05, evaluate_every=2, patience=3, checkpoint_seconds=checkpoint_seconds
    )

    def run(folder: Path, objective: Regression, progress=ignore_progress) -> Progressed:
        def closeness() -> float:
            return -float((objective.net(X).squeeze(1) - Y).pow(2).mean())

        return run_epochs(objective, config, folder, 3, "fit", progress, closeness)

    whole = Regression()
    expected = run(tmp_path / "whole", whole)
    calls = 0

    def interrupt(_event: ProgressEvent) -> None:
        nonlocal calls
        calls += 1
        if calls == interrupt_at:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(tmp_path / "cut", Regression(), interrupt)
    resumed = Regression()
    got = run(tmp_path / "cut", resumed)
    assert weights(resumed) == weights(whole)
    assert (got.losses, got.values, got.best_value) == (expected.losses, expected.values, expected.best_value)
    assert got.epoch == 6 and len(got.values) == 3 and len(set(got.losses)) == 6
    again = run(tmp_path / "cut", Regression())  # finished: nothing is trained, the result is the same
    assert (again.losses, again.epoch) == (expected.losses, 6)


def test_early_stopping_is_resumed_too(tmp_path: Path):
    """Looks 1, 5, 4, 3, 2 with patience 3: the best is look 2, the stop comes at look 5."""
    config = LoopConfig(epochs=50, learning_rate=0.05, evaluate_every=1, patience=3, checkpoint_seconds=0)
    looks = [1.0, 5.0, 4.0, 3.0, 2.0]
    whole, snapshots = Regression(), []

    def keep(event: ProgressEvent) -> None:
        if event.metrics:
            snapshots.append(weights(whole))

    state = run_epochs(whole, config, tmp_path / "whole", 0, "fit", keep, scripted(looks))
    assert (state.epoch, state.stopped, state.best_value, state.values) == (5, True, 5.0, looks)
    assert weights(whole) == snapshots[1] != snapshots[4]

    def interrupt(event: ProgressEvent) -> None:
        if event.step == 3 * 3 + 2:  # in the middle of epoch 4, after three looks
            raise Cancelled

    with pytest.raises(Cancelled):
        run_epochs(Regression(), config, tmp_path / "cut", 0, "fit", interrupt, scripted(looks))
    resumed = Regression()
    again = run_epochs(resumed, config, tmp_path / "cut", 0, "fit", ignore_progress, scripted(looks[3:]))
    assert (again.epoch, again.stopped, again.values) == (5, True, looks)
    assert weights(resumed) == snapshots[1]


def test_progress_tells_every_step_and_the_epochs_loss(tmp_path: Path):
    events: list[ProgressEvent] = []
    state = run_epochs(Regression(), LoopConfig(epochs=2), tmp_path, 0, "fit", events.append)
    assert [event.step for event in events] == [1, 2, 3, 3, 4, 5, 6, 6]
    assert {(event.stage, event.total) for event in events} == {("fit", 6)}
    assert [event.metrics["loss"] for event in events if event.metrics] == state.losses


def test_seed_and_stage_decide_the_order_of_batches(tmp_path: Path):
    def after(seed: int, stage: str, folder: str) -> tuple[float, ...]:
        objective = Regression()
        run_epochs(objective, LoopConfig(epochs=1), tmp_path / folder, seed, stage, ignore_progress)
        return tuple(weights(objective))

    assert after(0, "a", "1") == after(0, "a", "2")
    assert len({after(0, "a", "3"), after(1, "a", "4"), after(0, "b", "5")}) == 3


def test_the_net_trains_in_training_mode_and_is_left_in_evaluation_mode(tmp_path: Path):
    objective, modes = Regression(), []

    def look() -> float:
        modes.append((objective.net.training, torch.is_grad_enabled()))
        return 0.0

    seen = []
    config = LoopConfig(epochs=2, evaluate_every=1)
    run_epochs(
        objective,
        config,
        tmp_path,
        0,
        "fit",
        lambda e: None if e.metrics else seen.append(objective.net.training),
        look,
    )
    assert modes == [(False, False)] * 2 and seen == [True] * 6 and not objective.net.training


def test_a_kill_between_the_two_files_of_a_checkpoint_leaves_the_old_one_whole(tmp_path, monkeypatch):
    objective = Regression()
    optimiser = torch.optim.AdamW(objective.net.parameters())
    save_checkpoint(tmp_path, objective.net, optimiser, Progressed(epoch=1, losses=[0.5]))
    old = weights(objective)
    with torch.no_grad():
        objective.net.weight.fill_(9.0)

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rec_core.training.checkpoint.write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, objective.net, optimiser, Progressed(epoch=2, losses=[0.5, 0.4]))
    restored = Regression()
    state = load_checkpoint(tmp_path, restored.net, torch.optim.AdamW(restored.net.parameters()))
    assert state.epoch == 1 and weights(restored) == old


def test_old_checkpoints_are_removed(tmp_path: Path):
    run_epochs(Regression(), LoopConfig(epochs=4, checkpoint_seconds=0), tmp_path, 0, "fit", ignore_progress)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["epoch-4.safetensors", "state.json"]


def test_looks_keep_the_best_and_count_from_it():
    net, state = torch.nn.Linear(1, 1), Progressed()
    for value, weight in [(0.2, 1.0), (0.2, 2.0), (0.3, 3.0), (0.1, 4.0)]:
        with torch.no_grad():
            net.weight.fill_(weight)
        state.look(value, net, patience=2)
    assert state.best is not None and float(state.best["weight"]) == 3.0
    assert (state.best_value, state.looks_since_best, state.stopped) == (0.3, 1, False)
    state.look(-math.inf, net, patience=2)
    assert state.stopped


class Noisy(Regression):
    """Least squares on inputs of which dropout takes a part: draws from torch's default generator."""

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        x = torch.nn.functional.dropout(X[batch], 0.5, self.net.training)
        return (self.net(x).squeeze(1) - Y[batch]).pow(2).mean()


def test_dropout_is_repeated_and_resumed_and_leaves_the_default_generator_alone(tmp_path):
    config = LoopConfig(epochs=4, checkpoint_seconds=0)
    whole = Noisy()
    torch.manual_seed(11)
    expected = torch.rand(1)
    torch.manual_seed(11)
    run_epochs(whole, config, tmp_path / "a", 0, "fit", ignore_progress)
    assert torch.equal(torch.rand(1), expected)

    def interrupt(event: ProgressEvent) -> None:
        if event.step == 8:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_epochs(Noisy(), config, tmp_path / "b", 0, "fit", interrupt)
    resumed = Noisy()
    run_epochs(resumed, config, tmp_path / "b", 0, "fit", ignore_progress)
    assert weights(resumed) == weights(whole)


@pytest.mark.parametrize("broken", ["loss", "validation metric"])
def test_numbers_that_are_no_numbers_stop_the_training(tmp_path, broken):
    objective = Regression()
    if broken == "loss":
        with torch.no_grad():
            objective.net.weight.fill_(math.inf)
    look = scripted([math.nan])
    with pytest.raises(InputError, match=f"The {broken} of epoch 1 is"):
        run_epochs(objective, LoopConfig(evaluate_every=1), tmp_path, 0, "fit", ignore_progress, look)


def test_bf16_rounds_the_forward_pass_and_keeps_the_weights(tmp_path):
    objective = Regression()
    run_epochs(objective, LoopConfig(epochs=2, precision="bf16"), tmp_path / "b", 0, "fit", ignore_progress)
    exact = Regression()
    run_epochs(exact, LoopConfig(epochs=2, precision="fp32"), tmp_path / "e", 0, "fit", ignore_progress)
    assert objective.net.weight.dtype == torch.float32
    assert weights(objective) != weights(exact)
    np.testing.assert_allclose(weights(objective), weights(exact), atol=2e-3)


@pytest.mark.parametrize("hardware", [True, False])
def test_fast_is_bf16_where_the_device_multiplies_it(tmp_path, monkeypatch, hardware):
    monkeypatch.setattr("rec_core.training.step.multiplies_bf16", lambda: hardware)
    runs = {}
    for precision in ("fast", "bf16", "fp32"):
        objective = Regression()
        config = LoopConfig(epochs=1, precision=precision)
        run_epochs(objective, config, tmp_path / precision, 0, "fit", ignore_progress)
        runs[precision] = weights(objective)
    assert runs["fast"] == runs["bf16" if hardware else "fp32"] != runs["fp32" if hardware else "bf16"]

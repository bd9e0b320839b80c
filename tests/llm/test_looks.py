"""Looks at validation rows: what they measure, when they stop, what they restore, and exact resume with them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.looks import patience_is_over
from rec_core.llm.lora import LoraConfig, attach
from rec_core.types import Cancelled, InputError, ProgressEvent, ignore_progress

PAD = 2
LEARNED = [TokenRow([10, 20 + i % 3, 30 + i % 4, 40 + i, 5 + i % 2], 1 + i % 3) for i in range(12)]
OTHERS = [TokenRow([50, 60 + i, 70, 80, 90 - i % 4][i % 2 :], 1 + i % 3) for i in range(7)]
HASTY = TrainerConfig(  # learns the rows by heart, and the others get worse
    epochs=10, batch_size=4, learning_rate=3e-2, schedule="constant", checkpoint_steps=2
)

PATIENT = HASTY.with_values({"early_stopping_patience": 4})


@pytest.fixture(scope="module", autouse=True)
def _libraries_are_loaded(llama, tmp_path_factory):
    """The first Trainer of a process imports for seconds; no single test should be charged for that."""
    fit(llama, tmp_path_factory.mktemp("first"), TrainerConfig(), validation=None)


def fit(
    llama: Any,
    folder: Path,
    config: TrainerConfig,
    progress: Any = ignore_progress,
    validation: list[TokenRow] | None = OTHERS,
    tuned: str = "adapter",
) -> tuple[Any, float]:
    model = llama() if tuned == "all" else attach(llama(), LoraConfig(rank=2, dropout=0.3), 4)
    return model, fit_causal(model, LEARNED, PAD, config, folder, 1, "fit", progress, validation)


def tensors(model: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def same(one: Any, other: Any) -> bool:
    a, b = tensors(one), tensors(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def looks(events: list[ProgressEvent]) -> dict[int, float]:
    return {e.step: e.metrics["validation_loss"] for e in events if "validation_loss" in e.metrics}


def naive_loss(model: Any, rows: list[TokenRow]) -> float:
    """Mean cross-entropy over all targets, from whole passes of unpadded rows without dropout."""
    total, count = 0.0, 0
    for row in rows:
        with torch.no_grad():
            logits = model.eval()(torch.tensor([row.ids])).logits[0].double()
        for place in range(max(1, len(row.ids) - row.n_targets), len(row.ids)):
            total -= float(torch.log_softmax(logits[place - 1], dim=0)[row.ids[place]])
            count += 1
    return total / count


@pytest.mark.parametrize("batch_size", [1, 3, 12])
def test_a_look_is_the_loss_per_target_of_all_rows(llama, tmp_path, batch_size):
    """At a learning rate of next to nothing, the model is at every look what it was."""
    events: list[ProgressEvent] = []
    config = TrainerConfig(epochs=1, batch_size=batch_size, learning_rate=1e-9, checkpoint_steps=5)
    model, _ = fit(llama, tmp_path, config, events.append)
    n_steps = 12 // batch_size
    expected = naive_loss(model, OTHERS)
    assert list(looks(events).values()) == [pytest.approx(expected, abs=1e-5)] * len(looks(events))
    assert list(looks(events)) == sorted({*range(5, n_steps + 1, 5), n_steps})


def test_looking_disturbs_nothing(llama, tmp_path):
    """Losses, and the weights of the last checkpoint, are those of a training that never looked."""
    seen, unseen = [], []
    fit(llama, tmp_path / "seen", HASTY, seen.append)
    model, loss = fit(llama, tmp_path / "unseen", HASTY, unseen.append, validation=None)
    assert [event for event in seen if "loss" in event.metrics] == unseen
    files = [tmp_path / name / "checkpoint-30" / "adapter_model.safetensors" for name in ("seen", "unseen")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("tuned", ["adapter", "all"])
def test_the_model_ends_with_the_weights_of_its_best_look(llama, tmp_path, tuned):
    events: list[ProgressEvent] = []
    model, _ = fit(llama, tmp_path, HASTY, events.append, tuned=tuned)
    found = looks(events)
    best = min(found, key=found.__getitem__)
    assert list(found) == list(range(2, 31, 2)) and best < 30 and found[30] > found[best] + 0.05
    assert naive_loss(model, OTHERS) == pytest.approx(found[best], abs=1e-5)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained and (tuned == "all" or all("lora_" in name for name in trained))
    assert {path.name for path in tmp_path.glob("checkpoint-*")} == {f"checkpoint-{best}", "checkpoint-30"}


def test_patience_is_counted_in_looks(llama, tmp_path):
    everything, stopped = [], []
    fit(llama, tmp_path / "all", HASTY, everything.append)
    config = HASTY.with_values({"early_stopping_patience": 3})
    model, loss = fit(llama, tmp_path / "stopped", config, stopped.append)
    found = looks(everything)
    losses = list(found.values())
    last = next(n for n in range(1, len(losses) + 1) if losses[:n].index(min(losses[:n])) == n - 1 - 3)
    assert last < len(losses)
    assert looks(stopped) == dict(list(found.items())[:last])
    assert stopped == everything[: len(stopped)]
    best = min(losses[:last])
    assert naive_loss(model, OTHERS) == pytest.approx(best, abs=1e-5)
    steps = [event.metrics["loss"] for event in stopped if "loss" in event.metrics]
    assert loss == pytest.approx(sum(steps) / len(steps)) and len(steps) == 2 * last


@pytest.fixture(scope="module")
def uninterrupted(llama, tmp_path_factory) -> tuple[Any, float, list[ProgressEvent]]:
    """Weights, loss and events of a training that stops early and is never cut."""
    events: list[ProgressEvent] = []
    return *fit(llama, tmp_path_factory.mktemp("whole"), PATIENT, events.append), events


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 8, 13, -2, -1])
def test_resumed_equals_uninterrupted(llama, tmp_path, uninterrupted, cut):
    """Cut at any event: at a step, or right after a look and before its checkpoint; before the best and behind."""
    whole, expected, events = uninterrupted
    assert len({event.step for event in events}) > 10 and "validation_loss" in events[-1].metrics

    def interrupt(event: ProgressEvent) -> None:
        if event == events[cut]:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit(llama, tmp_path, PATIENT, interrupt)
    again: list[ProgressEvent] = []
    resumed, loss = fit(llama, tmp_path, PATIENT, again.append)
    assert same(resumed, whole) and loss == expected
    assert again == events[-len(again) :]


@pytest.mark.parametrize("patience", [0, 4])
def test_a_finished_training_is_not_repeated_even_where_its_folder_has_moved(llama, tmp_path, patience):
    config = HASTY.with_values({"early_stopping_patience": patience})
    model, loss = fit(llama, tmp_path / "run", config)
    (tmp_path / "run").rename(tmp_path / "moved")
    events: list[ProgressEvent] = []
    again, found = fit(llama, tmp_path / "moved", config, events.append)
    assert events == [] and found == loss and same(again, model)


@pytest.mark.parametrize(
    ("losses", "patience", "over"),
    [
        ([], 2, False),
        ([3.0], 1, False),
        ([3.0, 2.0], 1, False),
        ([2.0, 3.0], 1, True),
        ([2.0, 2.0], 1, True),  # an equal loss is no better one
        ([2.0, 3.0], 2, False),
        ([2.0, 3.0, 2.5], 2, True),
        ([2.0, 3.0, 1.9], 2, False),
        ([1.0] * 50, 0, False),
    ],
)
def test_patience_by_hand(losses, patience, over):
    assert patience_is_over(losses, patience) is over


def test_what_cannot_be_looked_at_is_refused(llama, tmp_path):
    config = TrainerConfig(early_stopping_patience=2)
    with pytest.raises(InputError, match="early_stopping_patience = 2 needs validation rows"):
        fit(llama, tmp_path, config, validation=None)
    with pytest.raises(InputError, match="no validation rows"):
        fit(llama, tmp_path, config, validation=[])

"""The estimate against what torch's allocator hands out, what loaded weights hold, and what a process grows by."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rec_core.llm import memory_preflight
from rec_core.llm.allocation_meter import AllocationMeter, StepShape, step_bytes, with_layers
from rec_core.llm.answer_trainer import answer_logits, answer_loss
from rec_core.llm.backbone import load_backbone
from rec_core.llm.causal_trainer import TokenRow, TrainerConfig
from rec_core.llm.lora import LoraConfig, attach
from rec_core.llm.memory_preflight import MemoryEstimate, available, check, estimate
from rec_core.types import InputError

ROOT = Path(__file__).resolve().parents[2]
LORA = LoraConfig()


def config(hidden_size: int = 64, n_layers: int = 3, vocab_size: int = 500, kind: str = "llama") -> Any:
    from transformers import GPT2Config, LlamaConfig

    if kind == "gpt2":
        return GPT2Config(vocab_size=vocab_size, n_embd=hidden_size, n_layer=n_layers, n_head=4)
    return LlamaConfig(**shape(hidden_size, n_layers, vocab_size))


def shape(hidden_size: int, n_layers: int, vocab_size: int) -> dict[str, int]:
    return {
        "hidden_size": hidden_size,
        "intermediate_size": hidden_size * 43 // 16,
        "num_hidden_layers": n_layers,
        "num_attention_heads": 8 if hidden_size > 100 else 4,
        "vocab_size": vocab_size,
    }


def rows(n: int, tokens: int, n_targets: int = 2) -> list[TokenRow]:
    return [TokenRow([5] * (tokens - i % 3), n_targets) for i in range(n)]


def profiled_bytes(model: Any, shape: StepShape) -> int:
    """The most bytes torch's profiler saw handed out in one real step, gradients included."""
    ids = torch.randint(3, 50, (shape.rows, shape.tokens + 1))
    mask = torch.ones_like(ids)
    mask[0, :3] = 0  # padding, or the mask is left out
    labels = torch.full_like(ids, -100)
    labels[:, -shape.targets :] = 3
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as seen:
        logits, wanted = answer_logits(
            model.train(), {"input_ids": ids, "attention_mask": mask, "labels": labels}
        )
        loss = answer_loss(logits, wanted)
        del logits
        loss.backward()
    events = sorted(seen.profiler.kineto_results.events(), key=lambda event: event.start_ns())
    held = most = 0
    for event in events:
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_step_without_storage_counts_what_a_real_one_is_given(kind, checkpointed):
    from transformers import AutoModelForCausalLM

    lora = LORA if kind == "llama" else LoraConfig(target_modules=("c_attn",))
    form = StepShape(rows=4, tokens=120, targets=2)

    def build() -> Any:
        model = attach(AutoModelForCausalLM.from_config(config(kind=kind)), lora, 0)
        if checkpointed:
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        return model

    with torch.device("meta"):
        hollow = build()
    assert step_bytes(hollow, form, False) == pytest.approx(profiled_bytes(build(), form), rel=0.01)


@pytest.mark.parametrize("tuned", ["adapter", "all"])
def test_a_checkpointed_layer_adds_its_input_and_no_gradient(tuned):
    """Rows x tokens x width x 4 bytes, though every weight of the layer may have a gradient."""
    lora = LORA if tuned == "adapter" else None
    sizes = [
        step_bytes(
            memory_preflight._on_meta(config(n_layers=n), "fp32", lora, 64, True), StepShape(4, 90, 2), False
        )
        for n in (2, 3)
    ]
    assert sizes[1] - sizes[0] == 4 * 90 * 64 * 4


def test_the_meter_by_hand():
    """Three tensors of 400 bytes at most at a time, of which one lasts."""
    known = torch.zeros(100)
    with AllocationMeter([known]) as meter:
        one = known + 1
        two = one * 2 + known  # `one * 2` goes when the sum is there
        known.add_(two)  # in place: nothing new
        view = two[3:]
        assert meter.peak == 3 * 400
        del two
        three = one + 1
        assert meter.peak == 3 * 400 and view.numel() == 97
        meter.leave_out(three)
        four = one + 1
        assert meter.peak == 3 * 400 and four is not None
        five = four + 1
        assert meter.peak == 4 * 400 and five is not None


def test_parameters_and_optimiser_by_hand():
    found = estimate(config(64, 3, 500), rows(9, 30), TrainerConfig(batch_size=4), LORA)
    inner = 64 * 43 // 16
    n_parameters = 2 * 500 * 64 + 3 * (4 * 64 * 64 + 3 * 64 * inner + 2 * 64) + 64
    n_trained = 3 * 2 * 8 * (64 + 64)  # three layers, queries and values, rank 8
    assert (found.n_parameters, found.n_trained) == (n_parameters, n_trained)
    assert (found.weights, found.adapter) == (4 * n_parameters, 4 * n_trained)
    assert (found.gradients, found.optimiser) == (4 * n_trained, 8 * n_trained)
    assert found.logits == 3 * 4 * 4 * 2 * 500  # kept thrice in fp32: 4 rows, 2 answer positions, 500 words
    assert (found.n_layers, found.hidden_size, found.longest_row, found.batch_size) == (3, 64, 30, 4)
    parts = (found.weights, found.adapter, found.gradients, found.optimiser, found.activations, found.logits)
    assert found.total == sum(parts) and found.activations == found.activations_kept


def test_without_an_adapter_every_weight_has_gradient_and_moments():
    found = estimate(config(), rows(4, 30), TrainerConfig(), None, "bf16")
    assert found.adapter == 0 and found.n_trained == found.n_parameters
    assert found.weights == found.gradients == found.optimiser // 2 == 2 * found.n_parameters


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("tuned", ["adapter", "all"])
def test_layers_are_extrapolated_to_what_they_take(kind, tuned):
    """Activations from one and two layers against those of the whole model of five."""
    lora = (
        {"llama": LORA, "gpt2": LoraConfig(target_modules=("c_attn",))}[kind] if tuned == "adapter" else None
    )
    whole = config(n_layers=5, kind=kind)
    found = estimate(whole, rows(6, 100), TrainerConfig(batch_size=6), lora)
    for checkpointed, expected in ((False, found.activations_kept), (True, found.activations_checkpointed)):
        model = memory_preflight._on_meta(whole, "fp32", lora, 64, checkpointed)
        assert step_bytes(model, StepShape(6, 99, 2), False) == expected
    assert found.activations_checkpointed < 0.6 * found.activations_kept


def test_settings_decide_what_counts():
    def found(n: int = 8, lora: LoraConfig | None = LORA, **settings: Any) -> MemoryEstimate:
        training = TrainerConfig(batch_size=4).with_values(settings)
        return estimate(config(), rows(n, 60), training, lora)

    usual = found()
    assert found(gradient_checkpointing=True).activations == usual.activations_checkpointed
    assert found(batch_size=8).activations_kept > 1.8 * usual.activations_kept
    assert found(n=2).batch_size == 2  # there are no more rows
    assert found(accumulation=8) == usual
    assert found(precision="bf16").activations_kept < 0.9 * usual.activations_kept
    in_bf16 = TrainerConfig(batch_size=4, precision="bf16")
    quantised, half = (estimate(config(), rows(8, 60), in_bf16, LORA, p) for p in ("8bit", "bf16"))
    assert quantised.activations_kept == half.activations_kept and quantised.weights < half.weights * 1.2
    assert with_layers(config(), 1).num_hidden_layers == 1 and config().num_hidden_layers == 3


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "8bit", "4bit"])
def test_weights_are_what_loaded_ones_hold(tokenizer, tmp_path, precision):
    """Estimated from the config, and read off the loaded model; scales are 4 bytes a row, or for 64 weights."""
    from transformers import LlamaForCausalLM

    known = config(128, 2, len(tokenizer))
    LlamaForCausalLM(known).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = load_backbone(str(tmp_path), precision).model
    data, training = rows(4, 20), TrainerConfig()
    from_config = estimate(known, data, training, LORA, precision)
    from_model = estimate(loaded, data, training, LORA)
    linear = [part.weight for name, part in loaded.named_modules() if name.endswith("proj")]
    n_weights = 2 * (4 * 128 * 128 + 3 * 128 * 344)
    scales = {"8bit": 2 * 4 * (4 * 128 + 2 * 344 + 128), "4bit": 4 * n_weights // 64}.get(precision, 0)
    assert len(linear) == 14
    held = sum(tensor.numel() * tensor.element_size() for tensor in loaded.parameters()) + scales
    assert from_config.weights == pytest.approx(held, rel=0.02)
    assert from_model.weights == pytest.approx(from_config.weights, rel=0.05)
    assert from_model.n_parameters == from_config.n_parameters
    assert from_model.activations_kept == from_config.activations_kept


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measured through Linux's /proc")
@pytest.mark.parametrize(
    ("hidden_size", "n_layers", "n_rows", "tokens", "checkpointed", "tuned"),
    [
        (512, 4, 6, 400, False, "adapter"),
        (512, 4, 6, 400, True, "adapter"),
        (768, 4, 4, 384, False, "all"),
    ],
)
def test_a_process_grows_by_what_was_estimated(hidden_size, n_layers, n_rows, tokens, checkpointed, tuned):
    """Within a fifth, where the C library gives freed blocks back; left to itself it keeps those under 32 MiB."""
    facts = {
        "shape": shape(hidden_size, n_layers, 8000),
        "tokens": tokens,
        "rows": n_rows,
        "checkpointed": checkpointed,
        "tuned": tuned,
    }
    done = subprocess.run(
        [sys.executable, "tests/llm/peak_memory.py", json.dumps(facts)],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "MALLOC_MMAP_THRESHOLD_": str(2**20),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    training = TrainerConfig(batch_size=n_rows, gradient_checkpointing=checkpointed)
    data = [TokenRow([5] * tokens, 2)] * (2 * n_rows)
    found = estimate(
        config(hidden_size, n_layers, 8000), data, training, LORA if tuned == "adapter" else None
    )
    assert json.loads(done.stdout) == pytest.approx(found.total, rel=0.2)


GIB = 2**30
pytestmark = pytest.mark.filterwarnings("ignore:fan_in_fan_out")
NEEDED = MemoryEstimate(
    weights=16 * GIB,
    adapter=0,
    gradients=0,
    optimiser=0,
    activations_kept=20 * GIB,
    activations_checkpointed=4 * GIB,
    activations=20 * GIB,
    logits=GIB,
    total=37 * GIB,
    n_parameters=8_000_000_000,
    n_trained=3_000_000,
    n_layers=32,
    hidden_size=4096,
    longest_row=900,
    batch_size=16,
)


def free(monkeypatch, gib: float) -> None:
    monkeypatch.setattr(memory_preflight, "available", lambda _device: int(gib * GIB))


def test_what_fits_passes(monkeypatch):
    free(monkeypatch, 37)
    check(NEEDED, "cpu")
    free(monkeypatch, 21)
    check(NEEDED, "cuda", loaded=True)


@pytest.mark.parametrize(
    ("gib", "loaded", "said"),
    [
        (
            36.9,
            False,
            "37.0 GiB of memory on the cuda and 36.9 GiB are free; set gradient_checkpointing to true,",
        ),
        (
            20.9,
            True,
            "21.0 GiB of memory on the cuda and 20.9 GiB are free; set gradient_checkpointing to true,",
        ),
        (20.9, False, "37.0 GiB of memory on the cuda and 20.9 GiB are free; lower batch_size"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_numbers_and_what_to_lower(monkeypatch, gib, loaded, said):
    free(monkeypatch, gib)
    with pytest.raises(InputError) as caught:
        check(NEEDED, "cuda", loaded)
    text = str(caught.value)
    assert (
        said in text and "16 rows of up to 900 tokens" in text and "8bit or 4bit" in text and "\n" not in text
    )


def test_what_is_checkpointed_already_is_not_advised(monkeypatch):
    free(monkeypatch, 20)
    with pytest.raises(InputError, match="are free; lower batch_size"):
        check(replace(NEEDED, activations=4 * GIB, total=21 * GIB), "cpu")


def test_memory_that_is_free(tmp_path, monkeypatch):
    import psutil

    assert 0 < available("cpu") <= psutil.virtual_memory().total
    monkeypatch.setattr(memory_preflight, "_CGROUP", tmp_path)
    assert available("cpu") == pytest.approx(psutil.virtual_memory().available, rel=0.2)  # no control group
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5000000\n")
    (tmp_path / "memory.stat").write_text("anon 3000000\ninactive_file 1000000\n")
    assert available("cpu") == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    (tmp_path / "memory.max").write_text("9000000\n")
    assert available("cpu") == 9_000_000 - 5_000_000 + 1_000_000  # file pages can be dropped


def test_no_rows_are_one_sentence():
    with pytest.raises(InputError, match="no training rows"):
        estimate(config(), [], TrainerConfig(), LORA)

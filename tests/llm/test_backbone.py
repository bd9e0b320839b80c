"""Loading a language model from a folder, in every precision this machine can do."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from rec_core import device
from rec_core.llm.backbone import BackboneConfig, chat_wrapped, is_local, load_backbone
from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.lora import LoraConfig, adapter_delta, attach, save_adapter
from rec_core.types import InputError, ignore_progress

IDS = torch.tensor([[5, 9, 30, 41, 7], [8, 8, 100, 3, 60]])
needs_bitsandbytes = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed"
)


@pytest.fixture(scope="module")
def folder(llama, tokenizer, tmp_path_factory) -> Path:
    """A saved Llama whose layer sizes are multiples of 32, as 4-bit blocks on a CPU want them."""
    path = tmp_path_factory.mktemp("backbone")
    llama(hidden_size=64).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def loaded(folder) -> dict[str, Any]:
    """One backbone per precision; bitsandbytes imports for seconds the first time."""
    return {
        precision: load_backbone(str(folder), precision) for precision in ("fp32", "bf16", "8bit", "4bit")
    }


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(IDS).logits.float()


def test_full_precision_is_what_was_saved(loaded, llama):
    backbone = loaded["fp32"]
    assert torch.equal(logits(backbone.model), logits(llama(hidden_size=64)))
    assert backbone.choice.precision == "fp32" and "fp32" in backbone.choice.reason
    assert {p.dtype for p in backbone.model.parameters()} == {torch.float32}


def test_half_precision(loaded):
    assert {p.dtype for p in loaded["bf16"].model.parameters()} == {torch.bfloat16}
    scale = float(logits(loaded["fp32"].model).std())
    assert float((logits(loaded["bf16"].model) - logits(loaded["fp32"].model)).abs().mean()) < 0.05 * scale


@needs_bitsandbytes
@pytest.mark.parametrize(("precision", "error"), [("8bit", 0.1), ("4bit", 0.5)])
def test_quantised_weights_come_close_and_take_less_room(loaded, precision, error):
    backbone, full = loaded[precision], loaded["fp32"]
    assert backbone.choice.precision == precision and backbone.model.is_quantized
    scale = float(logits(full.model).std())
    difference = float((logits(backbone.model) - logits(full.model)).abs().mean())
    assert 0 < difference < error * scale
    assert backbone.model.get_memory_footprint() < 0.8 * full.model.get_memory_footprint()


@needs_bitsandbytes
@pytest.mark.parametrize("precision", ["8bit", "4bit"])
def test_quantised_backbones_still_learn_after_an_evaluation(folder, precision):
    """On some CPUs an evaluation repacks 4-bit weights, and later gradients are silently zero."""
    model = attach(load_backbone(str(folder), precision).model, LoraConfig(rank=2), 0)
    before = logits(model)
    model.train()(IDS, labels=IDS).loss.backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if "lora_B" in name}
    assert gradients and all(grad is not None and grad.abs().sum() > 0 for grad in gradients.values())
    assert torch.isfinite(before).all()


@needs_bitsandbytes
def test_4bit_layers_are_kept_from_repacking(loaded):
    from bitsandbytes.nn import Linear4bit

    layers = [module for module in loaded["4bit"].model.modules() if isinstance(module, Linear4bit)]
    assert layers and not any(layer.support_avx512bf16_for_cpu for layer in layers)


@needs_bitsandbytes
@pytest.mark.parametrize("precision", ["8bit", "4bit"])
def test_quantised_backbones_are_tuned_by_the_trainer(folder, tmp_path, precision):
    model = attach(load_backbone(str(folder), precision).model, LoraConfig(rank=2), 0)
    logits(model)
    rows = [TokenRow([1, *range(start, start + 6)], 2) for start in range(5, 13)]
    fit_causal(model, rows, 2, TrainerConfig(batch_size=4), tmp_path / "work", 0, "fit", ignore_progress)
    save_adapter(model, tmp_path / "adapter")
    assert adapter_delta(tmp_path / "adapter") > 0


def test_without_bitsandbytes_full_precision_is_used_and_said(folder, monkeypatch):
    monkeypatch.setattr(device, "_bitsandbytes_problem", lambda: "bitsandbytes is not installed")
    backbone = load_backbone(str(folder), "4bit")
    assert backbone.choice.precision in ("fp32", "bf16") and not getattr(
        backbone.model, "is_quantized", False
    )
    assert "4bit is not available (bitsandbytes is not installed)" in backbone.choice.reason


def test_a_missing_pad_token_is_filled_in(folder, llama, spelling, tmp_path):
    tokenizer = spelling("Yes", "No")
    tokenizer.eos_token = "."
    llama().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    backbone = load_backbone(str(tmp_path))
    assert (
        backbone.tokenizer.pad_token_id
        == backbone.tokenizer.eos_token_id
        == backbone.model.config.pad_token_id
    )


@pytest.mark.parametrize("damage", ["no such folder", "empty", "config", "weights"])
def test_what_cannot_be_loaded_is_one_sentence(folder, tmp_path, damage):
    place = tmp_path / "model"
    if damage != "no such folder":
        place.mkdir()
    if damage in ("config", "weights"):
        for file in folder.iterdir():
            (place / file.name).write_bytes(file.read_bytes())
        (place / {"config": "config.json", "weights": "model.safetensors"}[damage]).write_bytes(
            b"{ this is neither"
        )
    with pytest.raises(InputError, match="cannot be loaded") as caught:
        load_backbone(str(place))
    assert "\n" not in str(caught.value) and str(place) in str(caught.value)
    assert is_local(str(place)) == (damage != "no such folder")


def test_prompts_are_wrapped_where_there_is_a_chat_template(tokenizer, spelling):
    assert chat_wrapped(tokenizer, "Hello") == "Hello"
    chat = spelling()
    chat.bos_token = "^"
    chat.chat_template = (
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]{{ '\n' }}"
    )
    assert chat_wrapped(chat, "Hello") == "[user]Hello[assistant]\n"  # encoding adds the begin token, once


def test_bounds_of_the_config():
    with pytest.raises(InputError, match="precision"):
        BackboneConfig.from_values({"precision": "2bit"})
    with pytest.raises(InputError, match="max_length"):
        BackboneConfig.from_values({"max_length": 3})

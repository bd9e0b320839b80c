"""Adapters: fresh ones change nothing, saved ones come back exactly, empty ones are found out."""

from typing import Any

import numpy as np
import pytest
import torch

from rec_core.llm.lora import LoraConfig, adapter_delta, attach, check_learned, load_adapter, save_adapter
from rec_core.types import InputError

IDS = torch.tensor([[5, 9, 30, 41, 7], [8, 8, 100, 3, 60]])


@pytest.fixture(scope="module", autouse=True)
def _peft_is_loaded(llama):
    """The first adapter of a process imports for seconds; no single test should be charged for that."""
    attach(llama(), LoraConfig(rank=1), 0)


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(IDS).logits


def learned(llama: Any, seed: int = 0) -> Any:
    """An adapter after a change of all its tensors."""
    model = attach(llama(), LoraConfig(rank=2, alpha=6.0), seed)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.randn(parameter.shape, generator=generator))
    return model


def test_a_fresh_adapter_changes_nothing_and_freezes_the_rest(llama):
    model = attach(llama(), LoraConfig(rank=2), 0)
    assert torch.equal(logits(model), logits(llama()))
    trainable = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trainable == {name for name, _ in model.named_parameters() if "lora_" in name}
    dropouts = {part.p for name, part in model.named_modules() if name.endswith("lora_dropout.default")}
    assert dropouts == {LoraConfig().dropout} == {0.05}
    assert {name.split(".lora_")[0].rpartition(".")[2] for name in trainable} == {"q_proj", "v_proj"}


def test_every_adapter_parameter_gets_a_gradient_and_no_other(llama):
    model = learned(llama)
    model(IDS, labels=IDS).loss.backward()
    with_gradient = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert with_gradient == {name for name, _ in model.named_parameters() if "lora_" in name}


def test_the_seed_decides_the_adapter_and_the_global_generator_stands_still(llama):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    base = llama()
    torch.manual_seed(3)
    first = attach(base, LoraConfig(rank=2), 7)
    assert torch.equal(torch.rand(1), expected)
    again, other = attach(llama(), LoraConfig(rank=2), 7), attach(llama(), LoraConfig(rank=2), 8)
    values = [
        [p for name, p in model.named_parameters() if "lora_A" in name] for model in (first, again, other)
    ]
    assert all(torch.equal(a, b) for a, b in zip(values[0], values[1], strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(values[0], values[2], strict=True))


def test_save_and_load_give_the_same_logits(llama, tmp_path):
    model = learned(llama)
    save_adapter(model, tmp_path)
    loaded = load_adapter(llama(), tmp_path)
    assert torch.equal(logits(loaded), logits(model))
    assert not torch.allclose(logits(loaded), logits(llama()), atol=0.1)
    assert not any(p.requires_grad for p in loaded.parameters())
    assert {file.suffix for file in tmp_path.iterdir()} <= {".safetensors", ".json", ".md"}


def test_disabled_is_the_base_and_merged_is_the_adapter(llama):
    model = learned(llama)
    tuned = logits(model)
    with model.disable_adapter():
        assert torch.equal(logits(model), logits(llama()))
    torch.testing.assert_close(logits(model.merge_and_unload()), tuned, atol=1e-4, rtol=1e-4)


def test_the_update_is_alpha_over_rank_times_b_a(llama):
    model, base = learned(llama), llama()
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    merged = model.merge_and_unload().model.layers[0].self_attn.q_proj.weight
    torch.testing.assert_close(merged, base.model.layers[0].self_attn.q_proj.weight + 6.0 / 2 * b @ a)


def test_delta_is_the_norm_of_all_updates(llama, tmp_path):
    model = learned(llama)
    save_adapter(model, tmp_path)
    tensors = dict(model.named_parameters())
    squares = [
        float((tensors[name.replace("lora_A", "lora_B")].double() @ down.double()).detach().pow(2).sum())
        for name, down in tensors.items()
        if "lora_A" in name
    ]
    assert len(squares) == 4
    assert adapter_delta(tmp_path) == check_learned(tmp_path) == pytest.approx(np.sqrt(sum(squares)))


def test_an_adapter_that_learned_nothing_is_found_out(llama, tmp_path):
    save_adapter(attach(llama(), LoraConfig(rank=2), 0), tmp_path)
    assert adapter_delta(tmp_path) == 0.0
    with pytest.raises(RuntimeError, match="no gradient reached it"):
        check_learned(tmp_path)


def test_layers_of_other_names_are_asked_for(llama):
    with pytest.raises(InputError, match="no layers called query"):
        attach(llama(), LoraConfig(target_modules=("query",)), 0)

"""An adapter in the weights: the same logits, the model untouched, no weight copied that need not be."""

import pytest
import torch

from rec_core.llm.folded_adapter import folded
from rec_core.llm.lora import LoraConfig, attach

IDS = torch.tensor([[5, 6, 7, 8, 9], [30, 31, 32, 33, 34]])


@pytest.fixture
def tuned(llama):
    model = attach(llama(), LoraConfig(rank=2), seed=0).eval()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5, generator=torch.Generator().manual_seed(1))
    return model


@torch.no_grad()
def logits(model):
    return model(IDS).logits


def test_the_answers_are_the_same_and_the_model_is_left_alone(tuned, llama):
    before = {name: weight.clone() for name, weight in tuned.state_dict().items()}
    expected = logits(tuned)
    twin = folded(tuned)
    assert not any("lora" in name for name, _ in twin.named_modules())
    torch.testing.assert_close(logits(twin), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(logits(tuned), expected)
    assert all(torch.equal(weight, before[name]) for name, weight in tuned.state_dict().items())
    assert (expected - logits(llama().eval())).abs().max() > 0.1


def test_only_the_adapted_weights_are_copied(tuned):
    own = {weight.data_ptr() for weight in tuned.parameters()}
    copied = [name for name, weight in folded(tuned).named_parameters() if weight.data_ptr() not in own]
    assert copied == [f"model.layers.{n}.self_attn.{part}_proj.weight" for n in (0, 1) for part in "qv"]


def test_an_adapter_that_is_off_stays_out(tuned, llama):
    with tuned.disable_adapter():
        torch.testing.assert_close(logits(folded(tuned)), logits(llama().eval()))


def test_other_models_are_returned_as_they_are(llama):
    from peft import LoraConfig as PeftLoraConfig
    from peft import PromptTuningConfig, get_peft_model

    bare = llama()
    assert folded(bare) is bare
    half = attach(llama().to(torch.bfloat16), LoraConfig(rank=2), seed=0)
    assert folded(half) is half
    prompted = get_peft_model(llama(), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3))
    assert folded(prompted) is prompted
    waiting = PeftLoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], alora_invocation_tokens=[5])
    late = get_peft_model(llama(), waiting)
    assert folded(late) is late

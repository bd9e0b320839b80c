"""Two rows of the head: the same logits as the whole model's, or a reason why not."""

import threading
from types import MethodType

import pytest
import torch

from rec_core.llm.answer_head import look
from rec_core.llm.answer_tokens import AnswerTokens
from rec_core.llm.lora import LoraConfig, attach


class Elsewhere(torch.Tensor):
    """Stands for a weight that is quantised, or of which each device holds a part."""


TOKENS = AnswerTokens(yes=11, no=23, yes_text="", no_text="")
SHAPE = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "vocab_size": 60,
    "initializer_range": 0.3,
}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def made(config):
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()


def tuned(model):
    """The model with an adapter that says something."""
    wrapped = attach(model, LoraConfig(rank=2), seed=0).eval()
    for name, weight in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5, generator=torch.Generator().manual_seed(1))
    return wrapped


def with_bias(model):
    model.lm_head = torch.nn.Linear(16, len(model.lm_head.weight))
    return model


def untied():
    from transformers import LlamaConfig

    return made(LlamaConfig(**SHAPE, **ENDS, tie_word_embeddings=False))


def check_equal(model, found):
    """Ragged rows behind both: the pair against the whole model's logits, row by row and unpadded."""
    rows = [[5, 6, 7, 8, 9], [4, 3], [12]]
    ids, last = torch.tensor([row + [0] * (5 - len(row)) for row in rows]), torch.tensor([4, 1, 0])
    with torch.no_grad():
        pair = found.head.logits(ids, last)
        whole = torch.stack([model(torch.tensor([row])).logits[0, -1, [11, 23]] for row in rows])
    torch.testing.assert_close(pair, whole, atol=1e-4, rtol=0)
    assert whole.std() > 0.1


@pytest.mark.parametrize(
    "build",
    [
        lambda llama, gpt2: llama().eval(),
        lambda llama, gpt2: untied(),
        lambda llama, gpt2: gpt2.eval(),
        lambda llama, gpt2: with_bias(llama().eval()),
        lambda llama, gpt2: tuned(llama()),
    ],
    ids=["tied", "untied", "gpt2", "bias", "adapter"],
)
def test_the_pair_equals_the_whole_model_s(llama, gpt2, build):
    model = build(llama, gpt2)
    found = look(model, TOKENS)
    assert found.head is not None and found.head.lends and not found.reason
    assert found.head.weight.shape == (2, 16)
    check_equal(model, found)


def test_an_adapter_counts_while_it_is_on(llama):
    model = tuned(llama())
    tuned_pair = look(model, TOKENS).head.logits(torch.tensor([[5, 6]]), torch.tensor([1]))
    with model.disable_adapter():
        found = look(model, TOKENS)
        check_equal(model, found)
        bare_pair = found.head.logits(torch.tensor([[5, 6]]), torch.tensor([1]))
    assert (tuned_pair - bare_pair).abs().max() > 0.01


def test_the_head_itself_is_not_asked(llama):
    model = llama().eval()
    found, asked = look(model, TOKENS), []
    model.lm_head.register_forward_hook(lambda *_: asked.append(1))
    found.head.logits(torch.tensor([[5, 6]]), torch.tensor([1]))
    assert not asked


def rebuilt(model, before=lambda states: states, after=lambda logits: logits, body_runs=1):
    """The model with something done to the states before the head, or to the logits behind it."""
    from transformers.modeling_outputs import CausalLMOutputWithPast

    def forward(self, input_ids=None, **_):
        for _ in range(body_runs):
            states = self.model(input_ids=input_ids, use_cache=False).last_hidden_state
        return CausalLMOutputWithPast(logits=after(self.lm_head(before(states))))

    model.forward = MethodType(forward, model)
    return model


def gemma_2():
    from transformers import Gemma2Config

    return made(Gemma2Config(**SHAPE, **ENDS, head_dim=8, final_logit_softcapping=2.0))


def cohere():
    from transformers import CohereConfig

    return made(CohereConfig(**SHAPE, **ENDS, logit_scale=0.5))


def granite():
    from transformers import GraniteConfig

    return made(GraniteConfig(**SHAPE, **ENDS, logits_scaling=3.0))


@pytest.mark.parametrize("build", [gemma_2, cohere, granite])
def test_capped_and_scaled_logits_are_left_to_the_model(build):
    found = look(build(), TOKENS)
    assert found.head is None and found.reason == "its logits are changed behind the head"


@pytest.mark.parametrize("change", [lambda logits: logits * 2, lambda logits: logits.mul_(2)])
def test_logits_changed_behind_the_head_even_in_place(llama, change):
    assert "behind the head" in look(rebuilt(llama().eval(), after=change), TOKENS).reason


@pytest.mark.parametrize(
    "change",
    [
        lambda states: states * 2,
        lambda states: states.mul_(2),
        lambda states: states.flip(1),
        lambda s: s[:, 1:],
    ],
)
def test_states_changed_before_the_head_even_in_place(llama, change):
    assert "before the head" in look(rebuilt(llama().eval(), before=change), TOKENS).reason


def test_a_rebuilt_model_that_changes_nothing_is_followed(llama):
    model = rebuilt(llama().eval())
    check_equal(model, look(model, TOKENS))


def test_a_body_that_runs_twice_is_not_followed(llama):
    assert "once each" in look(rebuilt(llama().eval(), body_runs=2), TOKENS).reason


def test_states_that_know_what_comes_later_are_not_followed(llama):
    model = llama().eval()

    def peek(_body, _args, output):
        output.last_hidden_state = output.last_hidden_state + output.last_hidden_state.mean(
            dim=1, keepdim=True
        )
        return output

    model.model.register_forward_hook(peek)
    assert look(model, TOKENS).reason == "its states depend on later tokens"


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_learned_tokens_before_the_prompt_are_seen(llama, kind):
    from peft import PrefixTuningConfig, PromptTuningConfig, get_peft_model

    config = {"prompt": PromptTuningConfig, "prefix": PrefixTuningConfig}[kind]
    model = get_peft_model(llama(), config(task_type="CAUSAL_LM", num_virtual_tokens=3)).eval()
    assert look(model, TOKENS).reason == "something is put before the prompt"


def test_a_head_of_another_kind_is_left_alone(llama):
    class Rounded(torch.nn.Linear):
        pass

    model = llama().eval()
    model.lm_head = Rounded(16, len(model.lm_head.weight), bias=False)
    assert look(model, TOKENS).reason == "its head is no plain linear layer"
    spread = llama().eval()
    spread.lm_head.weight = torch.nn.Parameter(spread.lm_head.weight.data.as_subclass(Elsewhere))
    assert look(spread, TOKENS).reason == "its head is no plain linear layer"


def test_a_head_with_hooks_is_left_alone(llama):
    hooked, replaced = llama().eval(), llama().eval()
    hooked.lm_head.register_forward_hook(lambda _head, _args, output: output * 2)
    assert look(hooked, TOKENS).reason == "its head carries hooks"
    forward = replaced.lm_head.forward
    replaced.lm_head.forward = lambda states: forward(states) * 2  # as accelerate does to move weights
    assert look(replaced, TOKENS).reason == "its head carries hooks"


def test_a_model_that_is_all_head_is_left_alone(llama):
    model = llama().eval()
    model.base_model_prefix = "nothing of that name"
    assert look(model, TOKENS).reason == "it has no body apart from its head"


def test_an_adapter_that_waits_for_its_tokens_is_left_alone(llama):
    from peft import LoraConfig as PeftLoraConfig
    from peft import get_peft_model

    config = PeftLoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], alora_invocation_tokens=[5, 6])
    assert (
        look(get_peft_model(llama(), config).eval(), TOKENS).reason == "its adapter sets in within the prompt"
    )


def test_an_adapted_head_is_left_alone(llama):
    model = attach(untied(), LoraConfig(rank=2, target_modules=("lm_head",)), seed=0).eval()
    assert look(model, TOKENS).reason == "its head is no plain linear layer"


def test_eight_bit_bodies_are_followed_and_eight_bit_heads_are_not(tmp_path):
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    untied().save_pretrained(tmp_path)
    for skipped, reason in ((["lm_head"], ""), (["none"], "its head is no plain linear layer")):
        settings = BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=skipped)
        model = AutoModelForCausalLM.from_pretrained(tmp_path, quantization_config=settings).eval()
        found = look(model, TOKENS)
        assert found.reason == reason
        if found.head:
            assert found.head.weight.dtype == torch.float32


def test_beginnings_are_lent_only_where_the_cache_keeps_them(llama):
    from transformers import LlamaConfig, MistralConfig

    windowed = look(made(MistralConfig(**SHAPE, **ENDS, sliding_window=3)), TOKENS)
    assert windowed.head is not None and not windowed.head.lends
    rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
    stretched = look(made(LlamaConfig(**SHAPE, **ENDS, rope_parameters=rope)), TOKENS)
    assert stretched.head is not None and not stretched.head.lends


def test_half_precision_is_multiplied_in_full(llama):
    model = llama().to(torch.bfloat16).eval()
    found = look(model, TOKENS)
    with torch.no_grad():
        pair = found.head.logits(torch.tensor([[5, 6, 7]]), torch.tensor([2]))
        states = model.model(torch.tensor([[5, 6, 7]])).last_hidden_state[:, -1]
    assert pair.dtype == torch.float32
    exact = states.double() @ model.lm_head.weight[[11, 23]].double().T
    torch.testing.assert_close(pair.double(), exact, atol=1e-5, rtol=0)


def test_what_another_thread_asks_meanwhile_is_let_be(llama):
    """The page of somebody else scores with the same model, in inference mode, right in the watched pass."""
    model, errors = llama().eval(), []

    def elsewhere():
        try:
            with torch.inference_mode():
                model(input_ids=torch.tensor([[5, 6, 7]]))
        except RuntimeError as error:
            errors.append(error)

    def meanwhile(_module, _args):
        if threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=elsewhere)
            other.start()
            other.join()

    model.model.register_forward_pre_hook(meanwhile)
    assert look(model, TOKENS).head is not None and not errors


def test_looking_works_in_inference_mode_and_leaves_no_hook(llama):
    model = llama().eval()
    with torch.inference_mode():
        assert look(model, TOKENS).head is not None
    assert not model.model._forward_hooks and not model.lm_head._forward_hooks

"""Load any causal language model by name or folder, in the precision asked for where that can be had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from rec_core.config import Config
from rec_core.device import Choice, Precision, choose
from rec_core.llm.quiet import quiet_libraries
from rec_core.types import InputError

SAMPLE_LM = "sample_lm"


class BackboneConfig(Config):
    """Which language model reads the prompts."""

    name: str = Field(
        SAMPLE_LM,
        min_length=1,
        description="'sample_lm' trains the embedded model on this dataset; otherwise a Hugging Face name or "
        "folder.",
    )
    precision: Precision = Field("fp32", description="Weights in fp32, bf16, 8bit or 4bit.")
    max_length: int = Field(
        2048, ge=64, le=131_072, description="Longest prompt in tokens; history is left out to fit."
    )


@dataclass(frozen=True)
class Backbone:
    """A loaded model with its tokenizer, and what was chosen with the reason."""

    model: Any
    tokenizer: Any
    choice: Choice
    name: str


def load_backbone(name_or_folder: str, precision: Precision = "fp32") -> Backbone:
    """Load a causal language model and its tokenizer from a folder, the local cache or the hub.

    Custom code from a hub is never run. Weights on a CPU in 4-bit get the guard of `_keep_4bit_trainable`.

    Raises:
        InputError: the model cannot be found or read, naming what to do.
    """
    quiet_libraries()
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    choice = choose(precision)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name_or_folder)
        model: Any = AutoModelForCausalLM.from_pretrained(
            name_or_folder, dtype=choice.dtype, **_quantisation(choice.precision)
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(
            f"The language model {name_or_folder!r} cannot be loaded ({_first_line(error)}); give a folder "
            "that holds config.json, tokenizer and safetensors, or a hub name while online."
        ) from error
    if choice.precision == "4bit":
        _keep_4bit_trainable(model)
    if choice.precision not in ("8bit", "4bit"):
        model = model.to(choice.device)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    return Backbone(model, tokenizer, choice, str(name_or_folder))


def chat_wrapped(tokenizer: Any, prompt: str) -> str:
    """Return the prompt inside the tokenizer's chat template, or as it is where there is none.

    The rendered template already begins with the special tokens; a leading begin token is removed because
    encoding adds it again (the published RALLRec code trains on two).
    """
    if not getattr(tokenizer, "chat_template", None):
        return prompt
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
    )
    begin = tokenizer.bos_token
    return text.removeprefix(begin) if begin else text


def is_local(name: str) -> bool:
    """Tell whether a backbone name is a folder on this machine."""
    return Path(name).is_dir()


def _quantisation(precision: Precision) -> dict[str, Any]:
    if precision not in ("8bit", "4bit"):
        return {}
    from transformers import BitsAndBytesConfig

    if precision == "8bit":
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
    return {"quantization_config": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")}


def _keep_4bit_trainable(model: Any) -> None:
    """Stop bitsandbytes from repacking 4-bit weights on a CPU at the first evaluation pass.

    After that repacking a later training step silently gets zero gradients, so train-evaluate-train learns
    nothing.
    """
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__

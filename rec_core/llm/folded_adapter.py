"""Add a LoRA adapter to the weights it adapts, in a copy that shares everything else with the model.

W x + s B A x is (W + s B A) x: one product in place of three, and the same up to rounding. The model itself
is left alone, since other threads may ask it meanwhile, with the adapter or without.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch


def folded(model: Any) -> Any:
    """Return a model that answers as this one does, its LoRA adapter part of the weights.

    An adapter that is switched off just now (`disable_adapter`) is left out. The copy shares every weight but
    the adapted ones. Where folding would round or cannot be, the model itself is returned: weights that are
    not float32, quantised ones, adapters of another kind.

    Args:
        model: a causal language model or a PEFT wrapper of one.
    """
    from peft import LoraConfig, PeftModel
    from peft.tuners.lora import LoraLayer

    if not isinstance(model, PeftModel) or getattr(model, "is_quantized", False):
        return model
    plain = all(
        isinstance(config, LoraConfig) and config.alora_invocation_tokens is None
        for config in model.peft_config.values()
    )
    if not plain or any(weight.dtype != torch.float32 for weight in model.parameters()):
        return model
    adapted = [module for module in model.modules() if isinstance(module, LoraLayer)]
    own = {id(weight) for layer in adapted for weight in layer.get_base_layer().parameters()}
    shared = {id(weight): weight for weight in model.parameters() if id(weight) not in own}
    twin = deepcopy(model, shared)
    off = any(layer.disable_adapters for layer in adapted)
    return (twin.unload() if off else twin.merge_and_unload()).eval()

"""Tell before a training how much memory it will need, and whether that is there."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rec_core.device import Precision, cuda_available
from rec_core.processes import n_processes
from rec_core.types import InputError

if TYPE_CHECKING:
    from rec_core.llm.causal_trainer import TrainerConfig
    from rec_core.llm.lora import LoraConfig
    from rec_core.llm.token_rows import TokenRow

_BITS = {"8bit": 8, "4bit": 4}
_FEW_WORDS = 64  # vocabulary of the measured models: logits are counted by themselves
_GROUP = 64  # weights that share one scale in 4-bit
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes one process of a training holds at its peak, and the numbers they follow from.

    Weights, gradients and moments are counted whole, as processes have them that do not shard (FSDP does).

    `activations` is the one of the two that the settings ask for; `total` is the sum of `weights`, `adapter`,
    `gradients`, `optimiser`, `activations` and `logits`.
    """

    weights: int  # of the backbone
    adapter: int  # 0 where the backbone itself is trained
    gradients: int
    optimiser: int  # the two moments of AdamW
    activations_kept: int  # of the longest batch, with what operations need in passing
    activations_checkpointed: int  # the same with gradient_checkpointing
    activations: int
    logits: int  # at answer positions: in fp32, their logarithmic softmax and their gradient
    total: int
    n_parameters: int  # of the backbone
    n_trained: int
    n_layers: int
    hidden_size: int
    longest_row: int  # tokens
    batch_size: int  # rows of this process


def estimate(
    model: Any,
    rows: Sequence[TokenRow],
    training: TrainerConfig,
    lora: LoraConfig | None,
    precision: Precision = "fp32",
) -> MemoryEstimate:
    """Return what a training would hold at its peak, without holding it.

    Parameters are counted on a model without storage. Activations are those of models of one and two layers,
    run forward and backward on tensors without storage (`llm.allocation_meter`), and grow by the same amount
    with every further layer. A batch is taken to be full of the longest row.

    Not counted: what Python and the libraries hold, and what an allocator keeps of freed blocks. torch's own
    on CUDA and large blocks (32 MiB) on a CPU come close to the estimate; glibc keeps smaller ones, and a
    process on a CPU that makes nothing larger can grow to two and a half times of it.

    Args:
        model: a loaded causal language model (without adapter), or the config of one.
        rows: training rows.
        training: batch size, arithmetic and checkpointing.
        lora: the adapter's shape; None: every weight is trained.
        precision: of the weights; of a loaded model it is read off instead.

    Raises:
        InputError: there are no rows.
    """
    if not rows:
        raise InputError("There are no training rows to estimate the memory of; give at least one.")
    loaded = hasattr(model, "named_parameters")
    config, precision = (model.config, _precision_of(model)) if loaded else (model, precision)
    batch_size = -(-min(training.batch_size, len(rows)) // n_processes())
    longest = max(len(row.ids) for row in rows)
    targets = max(min(row.n_targets, len(row.ids) - 1) for row in rows)
    kept, checkpointed = (
        _activations(config, precision, training, lora, (batch_size, longest - 1, targets), again)
        for again in (False, True)
    )
    plain = _on_meta(config, precision, None)
    trained = [p for p in _on_meta(config, precision, lora).parameters() if p.requires_grad]
    sizes = {
        "weights": model.get_memory_footprint() if loaded else _weight_bytes(plain, precision),
        "adapter": _bytes(trained) if lora else 0,
        "gradients": _bytes(trained),
        "optimiser": 2 * _bytes(trained),
        "activations": checkpointed if training.gradient_checkpointing else kept,
        "logits": 3 * 4 * batch_size * targets * config.vocab_size,
    }
    return MemoryEstimate(
        **sizes,
        total=sum(sizes.values()),
        activations_kept=kept,
        activations_checkpointed=checkpointed,
        n_parameters=sum(p.numel() for p in plain.parameters()),
        n_trained=sum(p.numel() for p in trained),
        n_layers=config.num_hidden_layers,
        hidden_size=config.hidden_size,
        longest_row=longest,
        batch_size=batch_size,
    )


def available(device: Literal["cpu", "cuda"]) -> int:
    """Return the bytes that are free: of the GPU in use, or of this machine within its container."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    import psutil

    return int(min(psutil.virtual_memory().available, _room_in_container()))


def check(needed: MemoryEstimate, device: Literal["cpu", "cuda"], loaded: bool = False) -> None:
    """Refuse a training that cannot fit.

    Args:
        needed: what `estimate` returned.
        device: where it would run.
        loaded: the weights are on the device already.

    Raises:
        InputError: more is needed than is free; says both and what to lower.
    """
    wanted = needed.total - (needed.weights if loaded else 0)
    free = available(device)
    if wanted <= free:
        return
    saved = needed.activations - needed.activations_checkpointed
    fits = 0 < saved and wanted - saved <= free
    raise InputError(
        f"This training needs about {_in_gib(wanted)} of memory on the {device} and {_in_gib(free)} are "
        "free; "
        + ("set gradient_checkpointing to true, " if fits else "")
        + f"lower batch_size (a forward pass now has {needed.batch_size} rows of up to {needed.longest_row} "
        "tokens), shorten the prompts or load the weights in 8bit or 4bit."
    )


def _activations(
    config: Any,
    precision: Precision,
    training: TrainerConfig,
    lora: LoraConfig | None,
    shape: tuple[int, int, int],
    checkpointed: bool,
) -> int:
    """Return the step's bytes beside weights, logits and gradients, for a batch (rows, tokens, targets)."""
    from rec_core.llm.allocation_meter import StepShape, step_bytes, with_layers

    in_bf16 = training.precision == "bf16" or (
        training.precision == "auto" and cuda_available() and precision != "fp32"
    )
    # Quantised weights are never cast; fp32 ones in their place would be, and the copies kept.
    weights: Precision = "bf16" if in_bf16 and precision in _BITS else precision
    one, two = (
        step_bytes(
            _on_meta(with_layers(config, n), weights, lora, n_words=_FEW_WORDS, checkpointed=checkpointed),
            StepShape(*shape),
            in_bf16,
        )
        for n in (1, 2)
    )
    return one + (config.num_hidden_layers - 1) * (two - one)


def _on_meta(
    config: Any,
    precision: Precision,
    lora: LoraConfig | None,
    n_words: int | None = None,
    checkpointed: bool = False,
) -> Any:
    """Return the model of a config without storage, with adapter and checkpointing where asked for."""
    import torch
    from transformers import AutoModelForCausalLM

    from rec_core.llm.lora import attach

    if n_words:
        config = copy.deepcopy(config)
        config.vocab_size, config.pad_token_id = n_words, None
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(
            config, dtype=torch.bfloat16 if precision == "bf16" else torch.float32
        )
    if lora:
        model = attach(model, lora, 0)
    if checkpointed:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    return model


def _weight_bytes(meta: Any, precision: Precision) -> int:
    """Return the bytes of a model's weights; the linear layers but the head are quantised, with scales."""
    import torch

    total = _bytes(meta.parameters())
    if precision not in _BITS:
        return total
    head = meta.get_output_embeddings()
    for layer in meta.modules():
        if isinstance(layer, torch.nn.Linear) and layer is not head:
            n_weights, n_scales = layer.weight.numel(), layer.out_features
            if precision == "4bit":
                n_scales = n_weights // _GROUP
            total += n_weights * _BITS[precision] // 8 + 4 * n_scales - _bytes([layer.weight])
    return total


def _bytes(tensors: Iterable[Any]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _precision_of(model: Any) -> Precision:
    import torch

    if getattr(model, "is_quantized", False):
        return "8bit" if getattr(model, "is_loaded_in_8bit", False) else "4bit"
    return "bf16" if any(p.dtype == torch.bfloat16 for p in model.parameters()) else "fp32"


def _room_in_container() -> int | float:
    """Return how far this process's control group (version 2) may still grow; infinite without a limit."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
        facts = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return float("inf")
    return float("inf") if limit == "max" else int(limit) - used + int(facts.get("inactive_file", 0))


def _in_gib(n_bytes: float) -> str:
    return f"{n_bytes / 2**30:.1f} GiB"

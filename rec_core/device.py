"""What this machine computes on: device, dtype and quantisation, decided once, with a printable reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["fp32", "bf16", "8bit", "4bit"]


@dataclass(frozen=True)
class Choice:
    """What was chosen for a language model, and why in one sentence."""

    device: str
    precision: Precision
    reason: str

    @property
    def dtype(self) -> torch.dtype:
        """Return the torch dtype of weights that are not quantised."""
        import torch

        on_gpu_or_bf16 = self.precision == "bf16" or (self.device == "cuda" and self.precision != "fp32")
        return torch.bfloat16 if on_gpu_or_bf16 else torch.float32


def choose(requested: Precision) -> Choice:
    """Return what will really be used for the requested precision.

    8-bit and 4-bit need bitsandbytes; when it cannot be imported the model is loaded in full precision and
    the reason says so. On a CPU both work, more slowly than fp32 (4-bit needs the guard in `llm.backbone`).
    """
    device = "cuda" if cuda_available() else "cpu"
    if requested in ("8bit", "4bit"):
        problem = _bitsandbytes_problem()
        if problem:
            fallback: Precision = "bf16" if device == "cuda" else "fp32"
            return Choice(device, fallback, f"{requested} is not available ({problem}); using {fallback}.")
        return Choice(device, requested, f"{requested} weights through bitsandbytes on {device}.")
    if requested == "bf16" and device == "cpu":
        return Choice(device, "bf16", "bf16 on a CPU works but gains no speed for small models.")
    return Choice(device, requested, f"{requested} on {device}.")


def cuda_available() -> bool:
    """Tell whether torch sees a CUDA device."""
    import torch

    return torch.cuda.is_available()


def multiplies_bf16() -> bool:
    """Tell whether bf16 products are made in hardware: on CUDA, or by a CPU's matrix unit (AMX).

    A CPU without one takes longer in bf16 than in fp32.
    """
    import torch

    return cuda_available() or bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def set_threads(n_threads: int) -> None:
    """Fix torch's intra-op threads: results on CPU are bit-identical only at the same number."""
    import torch

    torch.set_num_threads(n_threads)


def _bitsandbytes_problem() -> str:
    import importlib.util

    if importlib.util.find_spec("bitsandbytes") is None:
        return "bitsandbytes is not installed"
    try:
        import bitsandbytes  # noqa: F401
    except Exception as error:  # noqa: BLE001 - a broken native library raises anything
        return f"bitsandbytes cannot be loaded: {error}"
    return ""

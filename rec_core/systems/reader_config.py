"""What every system has in which a language model reads a history and answers yes or no."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from rec_core.config import Config
from rec_core.llm.backbone import SAMPLE_LM, BackboneConfig
from rec_core.llm.sample_lm import SampleLMConfig
from rec_core.llm.text_encoder import TextEncoderConfig
from rec_core.systems.description_writing import DescriptionConfig
from rec_core.systems.like_tuning import TuningConfig
from rec_core.systems.quirks import Quirk

# The embedded model small enough for a first look, and the published backbone.
TINY_MODEL = {
    "sample_lm.hidden_size": 96,
    "sample_lm.n_layers": 3,
    "sample_lm.vocab_size": 4000,
    "sample_lm.block_length": 256,
    "sample_lm.training.epochs": 2,
    "n_threads": 1,
    "n_test": 1000,
}
SMALL_MODEL = {"sample_lm.n_layers": 3, "n_test": 3000}
PAPER_STEPS = {"tuning.training.batch_size": 4, "tuning.training.accumulation": 64}  # 256 rows per step
PAPER_MODEL = {"backbone.name": "meta-llama/Llama-3.1-8B-Instruct", "backbone.precision": "8bit"}


class ReaderConfig(Config):
    """The questions, the language model and how much of the test is scored."""

    own_quirks: ClassVar[tuple[Quirk, ...]] = ("double_softmax", "first_10000_rows")
    """The switches that change something in this system."""

    min_history: int = Field(5, ge=1, description="Earlier items a user must have for a like question.")
    backbone: BackboneConfig = Field(BackboneConfig(), description="The language model.")
    sample_lm: SampleLMConfig = Field(
        SampleLMConfig(), description="The embedded model, when it is the backbone."
    )
    n_test: int = Field(0, ge=0, description="Test rows scored, the same sample for every seed; 0: all.")
    compare_arms: bool = Field(
        True,
        description="Score every way of answering; false: the system's own alone, others when asked for.",
    )
    n_candidates: int = Field(50, ge=1, le=2000, description="Unseen items handed to the language model.")
    n_threads: int = Field(
        2, ge=1, le=256, description="Threads of the language model; the small nets use one."
    )
    quirks: tuple[Quirk, ...] = Field((), description="Known defects of published code to switch on.")

    @property
    def n_shown(self) -> int:
        """Return K, the history items that a prompt shows at most."""
        raise NotImplementedError

    @property
    def uses_sample_lm(self) -> bool:
        """Tell whether the backbone is the embedded model."""
        return self.backbone.name == SAMPLE_LM

    @field_validator("quirks")
    @classmethod
    def _quirks_act(cls, quirks: tuple[Quirk, ...]) -> tuple[Quirk, ...]:
        idle = [quirk for quirk in quirks if quirk not in cls.own_quirks]
        if idle:
            raise ValueError(f"{idle[0]} changes nothing in this system; it has {', '.join(cls.own_quirks)}")
        return quirks


class TunedReaderConfig(ReaderConfig):
    """A reader that retrieves by what is said of items, and is tuned."""

    encoder: TextEncoderConfig = Field(TextEncoderConfig(), description="The text view.")
    descriptions: DescriptionConfig = Field(
        DescriptionConfig(), description="Who writes what is said about each item."
    )
    tuning: TuningConfig = Field(TuningConfig(), description="Instruction tuning.")


class ListedReaderConfig(ReaderConfig):
    """A reader without a reranker: K is its own."""

    top_k: int = Field(30, ge=1, le=1000, description="History items shown, K.")

    @property
    def n_shown(self) -> int:
        """Return K, the history items that a prompt shows at most."""
        return self.top_k

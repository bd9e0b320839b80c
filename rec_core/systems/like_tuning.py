"""Instruction tuning on like questions: few-shot samples, augmentation, LoRA, and the proof that it learned.

Paper: RALLRec section 2.3 and 3.2.
Differs from authors' code: shots are the first rows of a seeded permutation, so that fewer shots are a subset
of more; the test rows decide nothing; the answer is the only target.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rec_core.config import Config
from rec_core.llm.answer_tokens import answer_tokens
from rec_core.llm.backbone import Backbone, chat_wrapped
from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.lora import LoraConfig, attach, check_learned, save_adapter
from rec_core.llm.memory_preflight import check, estimate
from rec_core.prompts.like import ANSWER_END, ANSWER_LEAD
from rec_core.retrieval.similarity import Similarity
from rec_core.seeding import derive_seed
from rec_core.store import new_folder
from rec_core.systems.evidence import select_evidence
from rec_core.systems.prompt_fitting import fitted_prompt
from rec_core.systems.retrievers import Recent, Retriever, Similar
from rec_core.types import InputError, Progress, ScoreRequest

if TYPE_CHECKING:
    import numpy as np

    from rec_core.systems.prompting import Prompter

Augmentation = Literal["recent", "none", "paper", "three_way", "mixed"]


class TuningConfig(Config):
    """What the backbone is tuned on and how."""

    n_shots: int = Field(4096, ge=1, description="Training samples drawn; augmentation multiplies the rows.")
    augmentation: Augmentation = Field(
        "paper",
        description="What each sample is shown with. 'paper': the similar items by similarity and by time; "
        "'three_way': also the most recent items, as RALLRec's published builder does; 'mixed': recent items "
        "and the similar ones by time (ReLLa); 'none': similar items by similarity; 'recent': no retrieval.",
    )
    n_validation: int = Field(
        0,
        ge=0,
        description="Validation questions that choose the weights: those of the lowest loss on them stay, "
        "and training.early_stopping_patience may stop; 0 keeps the last step's.",
    )
    lora: LoraConfig = Field(LoraConfig(), description="The adapter's shape.")
    training: TrainerConfig = Field(
        TrainerConfig(epochs=1, batch_size=32, learning_rate=2e-3, checkpoint_steps=25),
        description="Duration and optimiser.",
    )


def tuning_retrievers(similarity: Similarity, augmentation: Augmentation) -> list[Retriever]:
    """Return what each tuning sample is shown with, one training row per retriever.

    Args:
        similarity: in the text view, as in the published training files of ReLLa and RALLRec.
        augmentation: see `TuningConfig`.
    """
    recent, similar, in_time = (
        Recent(),
        Similar(similarity, "relevance"),
        Similar(similarity, "chronological"),
    )
    shown: dict[Augmentation, list[Retriever]] = {
        "recent": [recent],
        "none": [similar],
        "paper": [similar, in_time],
        "three_way": [similar, in_time, recent],
        "mixed": [recent, in_time],
    }
    return shown[augmentation]


def tuning_rows(
    prompter: Prompter,
    backbone: Backbone,
    requests: Sequence[ScoreRequest],
    labels: np.ndarray,
    retrievers: Sequence[Retriever],
    top_k: int,
    max_length: int,
    double_bos: bool = False,
) -> list[TokenRow]:
    """Return the training rows: prompt and answer, with the answer's tokens as the only targets.

    The first target is the very token the score is read from (`llm.answer_tokens`), however the tokenizer
    would cut the word on its own.

    Args:
        prompter: renders prompts.
        backbone: whose tokenizer and chat template are used.
        requests: the drawn samples.
        labels: (B,) 1 = liked.
        retrievers: each gives one row per sample; the rows of a sample stand together.
        top_k: history items per prompt.
        max_length: longest prompt in tokens.
        double_bos: put a second begin token in front and make the prompt's last token a target too, as
            RALLRec's published code does without meaning to.

    Raises:
        InputError: `double_bos` with a tokenizer that has no begin token.
    """
    shown = [select_evidence(requests, retriever, top_k) for retriever in retrievers]
    tokenizer = backbone.tokenizer
    tokens = answer_tokens(tokenizer, chat_wrapped(tokenizer, ANSWER_LEAD))
    end = tokenizer.encode(ANSWER_END, add_special_tokens=False)
    extra = _begin(tokenizer) if double_bos else []
    rows = []
    for i, request in enumerate(requests):
        for retriever, evidence in zip(retrievers, shown, strict=True):
            prompt = fitted_prompt(
                prompter, tokenizer, request, evidence[i], retriever.order, max_length
            ).text
            before = tokenizer.encode(chat_wrapped(tokenizer, prompt))
            reply = [tokens.yes if labels[i] else tokens.no, *end]
            rows.append(TokenRow(extra + before + reply, len(reply) + len(extra)))
    return rows


def _begin(tokenizer: Any) -> list[int]:
    if tokenizer.bos_token_id is None:
        raise InputError(
            "The tokenizer has no begin token, so double_bos cannot be shown; leave the switch out or take "
            "another backbone."
        )
    return [tokenizer.bos_token_id]


def tune(
    backbone: Backbone,
    rows: Sequence[TokenRow],
    config: TuningConfig,
    adapter_folder: Path,
    work: Path,
    seed: int,
    progress: Progress,
    validation: Sequence[TokenRow] | None = None,
) -> float:
    """Train an adapter, write it to `adapter_folder`, and return the norm of what was saved (never zero).

    With `validation` rows the weights of the lowest loss on them are kept. Several processes share the
    training (`causal_trainer.fit_causal`); all must call it.

    Raises:
        InputError: the training would not fit into memory.
        RuntimeError: the saved adapter changes nothing.
    """
    needed = estimate(backbone.model, rows, config.training, config.lora)
    check(needed, "cuda" if backbone.choice.device == "cuda" else "cpu", loaded=True)
    model = attach(backbone.model, config.lora, derive_seed(seed, "tuning", "adapter"))
    pad = backbone.tokenizer.pad_token_id
    steps = derive_seed(seed, "tuning", "steps")
    fit_causal(model, rows, pad, config.training, work, steps, "tuning", progress, validation)
    with new_folder(adapter_folder) as folder:
        save_adapter(model, folder)
        delta = check_learned(folder)
    return delta

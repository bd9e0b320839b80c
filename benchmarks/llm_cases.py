"""What the benchmark asks a language model: like questions about real histories; and a model to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rec_core.data.histories import HistoryStore
from rec_core.data.sources import load_source
from rec_core.llm.answer_tokens import AnswerTokens, answer_tokens
from rec_core.llm.backbone import chat_wrapped, load_backbone
from rec_core.llm.causal_trainer import TokenRow
from rec_core.llm.lora import LoraConfig, attach
from rec_core.llm.sample_lm import SampleLMConfig, train_tokenizer
from rec_core.prompts.like import ANSWER_END, ANSWER_LEAD
from rec_core.retrieval.rerank import RerankConfig
from rec_core.retrieval.similarity import DotSimilarity
from rec_core.seeding import numpy_generator
from rec_core.systems.evidence import select_evidence
from rec_core.systems.like_questions import Parts, requests_of
from rec_core.systems.prompting import Prompter
from rec_core.systems.retrievers import Recent, Reranked, Retriever
from rec_core.systems.sample_backbone import documents
from rec_core.types import Dataset, InputError, ScoreRequest

CANDIDATES = 50  # of one recommendation
_MIN_HISTORY = 5
_SIZE = 32  # of the random vectors that stand for a retriever's


@dataclass(frozen=True)
class PromptCase:
    """Prompts of one kind, in the order they would be asked; `labels` where they are known."""

    name: str
    prompts: list[str]
    labels: np.ndarray | None = None  # (B,) int8


def prompt_cases(source: str, n_prompts: int, k: int, seed: int) -> list[PromptCase]:
    """Return four kinds of like questions about a built-in dataset.

    Test questions come as the comparison of methods asks them, in time order; recommendations ask about 50
    unseen items of each user drawn. Either shows the newest items, or what the reranker of equation 8 makes
    of random item vectors: another list for each target, as retrieval gives.

    Args:
        source: the dataset's name.
        n_prompts: prompts of each kind at most; fewer where there are no more.
        k: history items shown.
        seed: decides users, candidates and vectors.
    """
    dataset = load_source(source)
    parts = Parts.of(dataset, _MIN_HISTORY)
    test = parts.samples.take(parts.split.test[:n_prompts])
    vectors = numpy_generator(seed, "benchmark vectors").standard_normal((len(dataset.catalogue), _SIZE))
    retrievers: dict[str, Retriever] = {
        "newest": Recent(),
        "retrieved": Reranked(DotSimilarity(vectors), RerankConfig(top_k=k)),
    }
    asked = {
        "test questions": (requests_of(dataset, test), test.labels),
        "recommendations": (_recommendations(dataset, n_prompts, seed), None),
    }
    prompter = Prompter(dataset)
    return [
        PromptCase(f"{what}, {shown} {k}", _prompts(prompter, requests, retriever, k), labels)
        for what, (requests, labels) in asked.items()
        for shown, retriever in retrievers.items()
    ]


def _recommendations(dataset: Dataset, n_prompts: int, seed: int) -> list[ScoreRequest]:
    histories = HistoryStore(dataset.interactions)
    rng = numpy_generator(seed, "benchmark recommendations")
    users = np.flatnonzero(histories.lengths >= _MIN_HISTORY)
    drawn = rng.permutation(users)[: -(-n_prompts // CANDIDATES)]
    requests = []
    for user in drawn.tolist():
        history = histories.of(user)
        unseen = np.setdiff1d(np.arange(len(dataset.catalogue)), history.item_nums)
        items = rng.permutation(unseen)[:CANDIDATES].tolist()
        requests += [ScoreRequest(user, history, item) for item in items]
    return requests[:n_prompts]


def _prompts(prompter: Prompter, requests: list[ScoreRequest], retriever: Retriever, k: int) -> list[str]:
    evidence = select_evidence(requests, retriever, k)
    return [
        prompter.like(request, shown, retriever.order).text
        for request, shown in zip(requests, evidence, strict=True)
    ]


@dataclass(frozen=True)
class Reader:
    """A language model, its tokenizer and the answers' tokens; prompts are wrapped as it wants them."""

    model: Any
    tokenizer: Any
    tokens: AnswerTokens

    def wrapped(self, prompts: list[str]) -> list[str]:
        """Return the prompts in the model's chat template, where it has one."""
        return [chat_wrapped(self.tokenizer, prompt) for prompt in prompts]

    def adapted(self, dropout: float = 0.05) -> Any:
        """Return a copy of the model with the papers' adapter, whose numbers are drawn so that it counts."""
        from copy import deepcopy

        model = attach(deepcopy(self.model), LoraConfig(dropout=dropout), seed=0)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_B" in name:
                    weight.copy_(torch.randn(weight.shape, generator=generator) * 0.02)
        return model

    def training_rows(self, case: PromptCase, n: int) -> list[TokenRow]:
        """Return prompts with their answers, evenly spaced over the case, as the tuning reads them."""
        if case.labels is None:
            raise InputError(f"The prompts of {case.name!r} have no answers; tune on test questions.")
        end = self.tokenizer.encode(ANSWER_END, add_special_tokens=False)
        rows = []
        for i in np.linspace(0, len(case.prompts) - 1, min(n, len(case.prompts))).astype(int):
            answer = [self.tokens.yes if case.labels[i] else self.tokens.no, *end]
            prompt = self.tokenizer.encode(chat_wrapped(self.tokenizer, case.prompts[i]))
            rows.append(TokenRow(prompt + answer, len(answer)))
        return rows


def load_reader(name: str, source: str, seed: int) -> Reader:
    """Return the model of a folder or name, or for "" a random Llama of the embedded model's small size.

    The random one has the tokenizer that the embedded model would have: trained on the dataset's documents
    before validation, so that frequent titles are single tokens.

    Args:
        name: folder or hub name, or "".
        source: the built-in dataset.
        seed: decides the documents' random parts.
    """
    if name:
        backbone = load_backbone(name)
        model, tokenizer = backbone.model.eval(), backbone.tokenizer
    else:
        config = SampleLMConfig(n_layers=3)
        dataset = load_source(source)
        texts = documents(dataset, Parts.of(dataset, _MIN_HISTORY).train_rows, seed)
        tokenizer = train_tokenizer(texts, config.vocab_size)
        model = small_llama(config, tokenizer)
    return Reader(model, tokenizer, answer_tokens(tokenizer, chat_wrapped(tokenizer, ANSWER_LEAD)))


def small_llama(config: SampleLMConfig, tokenizer: Any) -> Any:
    """Return a random Llama of the embedded model's build; its weights are wide, so that logits differ."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    architecture = LlamaConfig(
        hidden_size=config.hidden_size,
        intermediate_size=-(-config.hidden_size * 8 // 3 // 32) * 32,
        num_hidden_layers=config.n_layers,
        num_attention_heads=config.n_heads,
        num_key_value_heads=config.n_heads,
        vocab_size=len(tokenizer),
        max_position_embeddings=config.max_positions,
        initializer_range=0.1,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(architecture).eval()

"""RALLRec: retrieval-augmented recommendation with a language model and learned representations.

Paper: RALLRec (WWW 2025 companion, arXiv 2502.06101). The functions below follow its section 2:
representations (2.2), prompts and instruction tuning (2.3), reranker (2.4).
Differs from paper: descriptions are the dataset's own text unless a description step filled them; the paper's
8B backbone is replaced by whatever `backbone.name` says, by default a small model trained on the dataset;
candidates for a recommendation come from the mixture space, since the paper only scores given pairs.
Differs from authors' code: the reranker is equation 8, not the fixed 2K/3 + K/3 split; ids are looked up, so
that movie m is compared by its own row (`quirks=["shifted_neighbours"]` shows the published off-by-one); the
behaviour graph ends before the validation period.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from rec_core.config import Config
from rec_core.llm.answer_tokens import answer_tokens
from rec_core.llm.backbone import SAMPLE_LM, Backbone, BackboneConfig, chat_wrapped, load_backbone
from rec_core.llm.lora import load_adapter
from rec_core.llm.sample_lm import SampleLMConfig
from rec_core.llm.slot_choice import slot_probs
from rec_core.llm.text_encoder import TextEncoderConfig
from rec_core.llm.yes_no import yes_no_logits, yes_probs
from rec_core.prompts.choice import LETTERS
from rec_core.prompts.like import ANSWER_LEAD, LikePrompt, Order
from rec_core.retrieval.cosine import cosines_by_view
from rec_core.retrieval.mixture import mix
from rec_core.retrieval.rerank import Ranked, RerankConfig
from rec_core.store import read_json
from rec_core.systems.aligned_view import AlignedViewConfig
from rec_core.systems.behaviour_view import BehaviourViewConfig
from rec_core.systems.evidence import Retriever, evidence_item, select_evidence, with_similarities
from rec_core.systems.like_tuning import TuningConfig
from rec_core.systems.prompt_fitting import fitted_prompt
from rec_core.systems.prompting import Prompter
from rec_core.types import (
    ChoiceRequest,
    Dataset,
    EmbeddingTable,
    EvidenceItem,
    History,
    Progress,
    Recommendation,
    ScoreRequest,
    ignore_progress,
)

Quirk = Literal["shifted_neighbours"]
_CHOICE_HISTORY = 8


class RALLRecConfig(Config):
    """Everything RALLRec can be told."""

    min_history: int = Field(5, ge=1, description="Earlier items a user must have for a like question.")
    encoder: TextEncoderConfig = Field(TextEncoderConfig(), description="The text view.")
    behaviour: BehaviourViewConfig = Field(BehaviourViewConfig(), description="The ID view.")
    alignment: AlignedViewConfig = Field(AlignedViewConfig(), description="The aligned view.")
    reranker: RerankConfig = Field(
        RerankConfig(), description="Equation 8 and the number K of history items shown."
    )
    backbone: BackboneConfig = Field(BackboneConfig(), description="The language model.")
    sample_lm: SampleLMConfig = Field(
        SampleLMConfig(), description="The embedded model, when it is the backbone."
    )
    tuning: TuningConfig = Field(TuningConfig(), description="Instruction tuning.")
    n_test: int = Field(0, ge=0, description="Test rows scored for every arm, a seeded sample; 0 takes all.")
    n_candidates: int = Field(50, ge=1, le=2000, description="Unseen items handed to the language model.")
    n_threads: int = Field(
        2, ge=1, le=256, description="Threads of the language model; the small nets use one."
    )
    quirks: tuple[Quirk, ...] = Field(
        (),
        description="Known defects of published code to switch on; shifted_neighbours shifts what is "
        "retrieved when scoring, not the tuning rows.",
    )

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "paper":
            return {
                "behaviour.loop.epochs": 200,
                "alignment.temperature": 1.0,
                "backbone.name": "meta-llama/Llama-3.1-8B-Instruct",
                "backbone.precision": "8bit",
                "encoder.name": "meta-llama/Llama-3.1-8B-Instruct",
                "tuning.n_shots": 8192,
                "tuning.training.batch_size": 4,
                "tuning.training.accumulation": 64,
                "tuning.training.learning_rate": 5e-4,
            }
        if name == "tiny":
            return {
                "behaviour.embedding_size": 32,
                "behaviour.loop.epochs": 30,
                "alignment.loop.epochs": 100,
                "reranker.top_k": 15,
                "sample_lm.hidden_size": 96,
                "sample_lm.n_layers": 3,
                "sample_lm.vocab_size": 4000,
                "sample_lm.block_length": 256,
                "n_threads": 1,
                "sample_lm.training.epochs": 2,
                "tuning.n_shots": 2048,
                "n_test": 1000,
            }
        return {"sample_lm.n_layers": 3, "n_test": 3000}


class RALLRec:
    """A trained RALLRec: views, language model with adapter, and everything that can be asked of it.

    Args:
        dataset: what it was trained on.
        config: how.
        folder: the run's folder (views, adapter).
        views: the tables "id", "text" and "aligned".
        users: (U, D) behaviour vectors of the users.
        popularity: (I,) training interactions of each item.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: RALLRecConfig,
        folder: Path,
        views: dict[str, EmbeddingTable],
        users: np.ndarray,
        popularity: np.ndarray,
    ) -> None:
        self.dataset = dataset
        self.config = config
        self.folder = folder
        self.views = views
        self.users = users
        self.popularity = popularity
        self.prompter = Prompter(dataset)
        self.mixture = mix([views["text"], views["id"], views["aligned"]]).values

    # --- the language model -------------------------------------------------------------------------------

    @property
    def backbone_folder(self) -> str:
        """Return where the untuned language model is read from."""
        facts = read_json(self.folder / "backbone.json")
        return str((self.folder / facts["folder"]).resolve()) if facts["local"] else str(facts["folder"])

    @cached_property
    def backbone(self) -> Backbone:
        """Return the language model, with the run's adapter when it has been tuned; loaded at first use."""
        backbone = load_backbone(self.backbone_folder, self.config.backbone.precision)
        adapter = self.folder / "adapter"
        if not adapter.is_dir():
            return backbone
        return Backbone(
            load_adapter(backbone.model, adapter), backbone.tokenizer, backbone.choice, backbone.name
        )

    @cached_property
    def _answers(self) -> Any:
        tokenizer = self.backbone.tokenizer
        lead = chat_wrapped(tokenizer, ANSWER_LEAD)
        return answer_tokens(tokenizer, lead)

    # --- 2.4: evidence ------------------------------------------------------------------------------------

    @property
    def retriever(self) -> Retriever:
        """Return how this system finds evidence: the mixture of equation 7 and the reranker of equation 8."""
        reranker = self.config.reranker
        order: Literal["relevance", "chronological"] = (
            "relevance" if reranker.order == "score" else "chronological"
        )
        return Retriever(self.mixture, order, reranker, self.shift, "dot")

    @property
    def shift(self) -> int:
        """Return 1 when the published off-by-one is switched on."""
        return int("shifted_neighbours" in self.config.quirks)

    def select_evidence(self, request: ScoreRequest) -> tuple[EvidenceItem, ...]:
        """Return the history items of the prompt in prompt order, with cosines to the target in each view."""
        return self.evidence_of([request])[0]

    def evidence_of(self, requests: Sequence[ScoreRequest]) -> list[tuple[EvidenceItem, ...]]:
        """Return `select_evidence` of many requests at once."""
        chosen = select_evidence(requests, self.retriever, self.config.reranker.top_k)
        return [
            with_similarities(evidence, self.similarities(request.item_num, [e.item_num for e in evidence]))
            for request, evidence in zip(requests, chosen, strict=True)
        ]

    def similarities(self, item_num: int, others: Sequence[int]) -> dict[str, np.ndarray]:
        """Return the cosines between an item and others in each view (len(others),); NaN for the unknown."""
        return cosines_by_view(self.views, item_num, others)

    # --- 2.3: prompts and scores --------------------------------------------------------------------------

    def prompt(self, request: ScoreRequest, evidence: Sequence[EvidenceItem] | None = None) -> LikePrompt:
        """Return the prompt for a request, cut to the longest the backbone may be asked."""
        shown = self.select_evidence(request) if evidence is None else evidence
        tokenizer, limit = self.backbone.tokenizer, self.config.backbone.max_length
        return fitted_prompt(self.prompter, tokenizer, request, shown, self.retriever.order, limit)

    def read(self, request: ScoreRequest, ranked: Sequence[Ranked], order: str) -> tuple[str, float]:
        """Return the prompt of these reranked history rows ("score" or "chronological") and its P(like)."""
        shown = tuple(evidence_item(request, row) for row in ranked)
        tokenizer, limit = self.backbone.tokenizer, self.config.backbone.max_length
        words: Order = "chronological" if order == "chronological" else "relevance"
        text = fitted_prompt(self.prompter, tokenizer, request, shown, words, limit).text
        return text, float(yes_probs(self.logits([text]))[0])

    def score(self, requests: Sequence[ScoreRequest]) -> np.ndarray:
        """Return P(like) of each request (B,), the softmax over yes and no at the answer position."""
        return self.score_evidence(
            requests, select_evidence(requests, self.retriever, self.config.reranker.top_k)
        )

    def score_evidence(
        self, requests: Sequence[ScoreRequest], evidence: Sequence[tuple[EvidenceItem, ...]]
    ) -> np.ndarray:
        """Return P(like) when the prompt shows exactly this evidence in this order (B,)."""
        prompts = [self.prompt(r, e).text for r, e in zip(requests, evidence, strict=True)]
        return yes_probs(self.logits(prompts))

    def logits(
        self,
        prompts: Sequence[str],
        tuned: bool = True,
        progress: Progress = ignore_progress,
        stage: str = "scoring",
    ) -> np.ndarray:
        """Return the yes and no logits (B, 2) of rendered prompts, without the adapter when not `tuned`."""
        model, tokenizer = self.backbone.model, self.backbone.tokenizer
        wrapped = [chat_wrapped(tokenizer, prompt) for prompt in prompts]
        with nullcontext() if tuned or not hasattr(model, "disable_adapter") else model.disable_adapter():
            return yes_no_logits(model, tokenizer, wrapped, self._answers, progress=progress, stage=stage)

    def choose(self, requests: Sequence[ChoiceRequest]) -> np.ndarray:
        """Return the probability of each slot of a list prompt (B, C), by the untuned backbone.

        The adapter is tuned for the yes/no question alone, so the list question goes to the model under it.
        """
        if not requests:
            return np.zeros((0, 0))
        model, tokenizer = self.backbone.model, self.backbone.tokenizer
        prompts = [chat_wrapped(tokenizer, self.prompter.choice(r, _CHOICE_HISTORY)) for r in requests]
        letters = LETTERS[: len(requests[0].candidates)]
        with model.disable_adapter() if hasattr(model, "disable_adapter") else nullcontext():
            return slot_probs(model, tokenizer, prompts, letters, chat_wrapped(tokenizer, ANSWER_LEAD))

    # --- recommending -------------------------------------------------------------------------------------

    def candidates(
        self, history: History, n: int, exclude_seen: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return at most `n` item numbers close to what the user liked, and their scores, best first.

        The query is the mean of the mixture vectors of the liked items (of all items when none was liked); an
        empty history gives the most popular items.
        """
        scores = self._closeness(history) if len(history) else self.popularity.astype(np.float64)
        if exclude_seen:
            scores[history.item_nums] = -np.inf
        order = np.argsort(-scores, kind="stable")[:n]
        order = order[np.isfinite(scores[order])]
        return order, scores[order]

    def recommend(
        self, history: History, top_k: int, user_num: int | None = None, exclude_seen: bool = True
    ) -> list[Recommendation]:
        """Return at most `top_k` items, best first: candidates by the mixture, order by P(like).

        Ties go to the better candidate. An unknown user is served from the history alone; an empty history
        gives popular items scored by a prompt without evidence.
        """
        nums, closeness = self.candidates(history, max(top_k, self.config.n_candidates), exclude_seen)
        requests = [ScoreRequest(user_num, history, int(num)) for num in nums]
        evidence = self.evidence_of(requests)
        prompts = [self.prompt(r, e).text for r, e in zip(requests, evidence, strict=True)]
        logits = self.logits(prompts)
        probs = yes_probs(logits)
        best = np.argsort(-probs, kind="stable")[:top_k]
        ids = self.dataset.interactions.item_ids
        return [
            Recommendation(
                rank=rank,
                item_num=int(nums[i]),
                item_id=str(ids[nums[i]]),
                title=self.prompter.titles[nums[i]],
                score=float(probs[i]),
                parts={
                    "yes_logit": float(logits[i, 0]),
                    "no_logit": float(logits[i, 1]),
                    "closeness": float(closeness[i]),
                    "candidate_rank": float(i + 1),
                    "popularity": float(self.popularity[nums[i]]),
                },
                evidence=evidence[i],
            )
            for rank, i in enumerate(best, start=1)
        ]

    def embeddings(self) -> dict[str, EmbeddingTable]:
        """Return the three views."""
        return self.views

    def _closeness(self, history: History) -> np.ndarray:
        liked = ~(history.ratings <= self.dataset.like_threshold)
        nums = history.item_nums[liked] if liked.any() else history.item_nums
        return (self.mixture @ self.mixture[nums].mean(axis=0)).astype(np.float64)


def uses_sample_lm(config: RALLRecConfig) -> bool:
    """Tell whether the backbone is the embedded model."""
    return config.backbone.name == SAMPLE_LM

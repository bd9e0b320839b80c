"""A language model that reads a history and says whether an item will be liked: what its systems share.

Paper: RALLRec section 2.3 and ReLLa section 4: pointwise yes/no prompts, the probability of a like is the
softmax over the two answer words. A subclass says which history items a prompt shows (`retriever`) and which
unseen items are worth asking about (`closeness`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rec_core.llm.answer_tokens import answer_tokens
from rec_core.llm.backbone import Backbone, chat_wrapped, load_backbone
from rec_core.llm.lora import load_adapter
from rec_core.llm.slot_choice import slot_probs
from rec_core.llm.yes_no import double_softmax_probs, yes_no_logits, yes_probs
from rec_core.prompts.choice import LETTERS
from rec_core.prompts.like import ANSWER_LEAD, LikePrompt, Order
from rec_core.retrieval.cosine import cosines_by_view
from rec_core.retrieval.rerank import Ranked
from rec_core.store import read_json
from rec_core.systems.evidence import evidence_item, select_evidence, with_similarities
from rec_core.systems.prompt_fitting import fitted_prompt
from rec_core.systems.prompting import Prompter
from rec_core.systems.reader_config import ReaderConfig
from rec_core.systems.retrievers import Retriever
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

_CHOICE_HISTORY = 8


@dataclass(frozen=True)
class Arm:
    """One way of answering: which history items are shown, and whether the model is the tuned one."""

    retriever: Retriever
    tuned: bool = True
    top_k: int | None = None  # history items shown, where it is not the system's own K


class Reader(ABC):
    """A language model, perhaps tuned, and everything that can be asked of it.

    Args:
        dataset: what it was trained on.
        config: how.
        folder: the run's folder (backbone.json, adapter where it was tuned).
        views: item vectors by name; {} where the system has none.
        popularity: (I,) training interactions of each item.
    """

    main_arm: ClassVar[str]
    """The arm that is this system."""

    def __init__(
        self,
        dataset: Dataset,
        config: ReaderConfig,
        folder: Path,
        views: dict[str, EmbeddingTable],
        popularity: np.ndarray,
    ) -> None:
        self.dataset = dataset
        self.config: Any = config
        self.folder = folder
        self.views = views
        self.popularity = popularity
        self.prompter = Prompter(dataset)

    @property
    @abstractmethod
    def retriever(self) -> Retriever:
        """Return how this system chooses the history items of a prompt."""

    @abstractmethod
    def arms(self) -> dict[str, Arm]:
        """Return the compared ways of answering the test questions, `main_arm` among them."""

    def more_arms(self) -> dict[str, Arm]:
        """Return further ways that studies ask for, scored only then; none by default."""
        return {}

    def at_k(self, top_k: int) -> Arm:
        """Return this system with `top_k` history items in its prompt."""
        return replace(self.arms()[self.main_arm], top_k=top_k)

    @abstractmethod
    def tuning_shows(self) -> list[Retriever]:
        """Return what each tuning sample is shown with, a row per retriever; [] where nothing is tuned."""

    @abstractmethod
    def closeness(self, history: History) -> np.ndarray:
        """Return how worth asking about each item is (I,), for a history that is not empty."""

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

    # --- evidence -----------------------------------------------------------------------------------------

    def select_evidence(self, request: ScoreRequest) -> tuple[EvidenceItem, ...]:
        """Return the history items of the prompt in prompt order, with cosines to the target in each view."""
        return self.evidence_of([request])[0]

    def evidence_of(self, requests: Sequence[ScoreRequest]) -> list[tuple[EvidenceItem, ...]]:
        """Return `select_evidence` of many requests at once."""
        chosen = select_evidence(requests, self.retriever, self.config.n_shown)
        marked = []
        for request, evidence in zip(requests, chosen, strict=True):
            nums = [item.item_num for item in evidence]
            marked.append(with_similarities(evidence, cosines_by_view(self.views, request.item_num, nums)))
        return marked

    # --- prompts and scores -------------------------------------------------------------------------------

    def prompt(self, request: ScoreRequest, evidence: Sequence[EvidenceItem] | None = None) -> LikePrompt:
        """Return the yes/no prompt of a request, with the evidence given or the system's own."""
        shown = self.evidence_of([request])[0] if evidence is None else evidence
        tokenizer, limit = self.backbone.tokenizer, self.config.backbone.max_length
        return fitted_prompt(self.prompter, tokenizer, request, shown, self.retriever.order, limit)

    def read(self, request: ScoreRequest, ranked: Sequence[Ranked], order: Order) -> tuple[str, float]:
        """Return the prompt that shows these history rows, said to be in this order, and its P(like)."""
        shown = tuple(evidence_item(request, row) for row in ranked)
        tokenizer, limit = self.backbone.tokenizer, self.config.backbone.max_length
        text = fitted_prompt(self.prompter, tokenizer, request, shown, order, limit).text
        return text, float(self.probs(self.logits([text]))[0])

    def score(self, requests: Sequence[ScoreRequest]) -> np.ndarray:
        """Return P(like) of each request (B,), the softmax over yes and no at the answer position."""
        return self.score_evidence(requests, select_evidence(requests, self.retriever, self.config.n_shown))

    def score_evidence(
        self, requests: Sequence[ScoreRequest], evidence: Sequence[tuple[EvidenceItem, ...]]
    ) -> np.ndarray:
        """Return P(like) when the prompt shows exactly this evidence in this order (B,)."""
        prompts = [self.prompt(r, e).text for r, e in zip(requests, evidence, strict=True)]
        return self.probs(self.logits(prompts))

    def probs(self, logits: np.ndarray) -> np.ndarray:
        """Return P(like) of logits that `logits` gave (B,); with the switch, the published double softmax."""
        return double_softmax_probs(logits) if self._doubles else yes_probs(logits)

    @property
    def _doubles(self) -> bool:
        return "double_softmax" in self.config.quirks

    def logits(
        self,
        prompts: Sequence[str],
        tuned: bool = True,
        progress: Progress = ignore_progress,
        stage: str = "scoring",
        mass: bool = False,
    ) -> np.ndarray:
        """Return the yes and no logits (B, 2) of rendered prompts, without the adapter when not `tuned`.

        With `mass`, or where the published double softmax needs it, a third column has log(P(yes) + P(no)).
        """
        model, tokenizer = self.backbone.model, self.backbone.tokenizer
        wrapped = [chat_wrapped(tokenizer, prompt) for prompt in prompts]
        with nullcontext() if tuned or not hasattr(model, "disable_adapter") else model.disable_adapter():
            return yes_no_logits(
                model,
                tokenizer,
                wrapped,
                self._answers,
                progress=progress,
                stage=stage,
                mass=mass or self._doubles,
            )

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
        """Return at most `n` item numbers worth asking about and their closeness, best first.

        An empty history gives the most popular items.
        """
        scores = self.closeness(history) if len(history) else self.popularity.astype(np.float64)
        if exclude_seen:
            scores[history.item_nums] = -np.inf
        order = np.argsort(-scores, kind="stable")[:n]
        order = order[np.isfinite(scores[order])]
        return order, scores[order]

    def liked(self, history: History) -> np.ndarray:
        """Return the items of a history rated above the like threshold, all of them where none was."""
        liked = ~(history.ratings <= self.dataset.like_threshold)
        return history.item_nums[liked] if liked.any() else history.item_nums

    def recommend(
        self, history: History, top_k: int, user_num: int | None = None, exclude_seen: bool = True
    ) -> list[Recommendation]:
        """Return at most `top_k` items, best first: candidates by closeness, order by P(like).

        Ties go to the better candidate. An unknown user is served from the history alone; an empty history
        gives popular items scored by a prompt without evidence.
        """
        nums, closeness = self.candidates(history, max(top_k, self.config.n_candidates), exclude_seen)
        requests = [ScoreRequest(user_num, history, int(num)) for num in nums]
        evidence = self.evidence_of(requests)
        prompts = [self.prompt(r, e).text for r, e in zip(requests, evidence, strict=True)]
        logits = self.logits(prompts)
        probs = self.probs(logits)
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

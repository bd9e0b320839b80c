"""Fill prompts from records: who the user is, what an item is called, which history rows are shown."""

from __future__ import annotations

from collections.abc import Sequence

from rec_core.data.item_texts import title_text
from rec_core.prompts.choice import choice_prompt
from rec_core.prompts.like import LikePrompt, Order, like_prompt
from rec_core.prompts.profile import ATTRIBUTES
from rec_core.types import ChoiceRequest, Dataset, EvidenceItem, History, ScoreRequest


class Prompter:
    """Renders the prompts of one dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.titles = title_text(dataset.catalogue)
        self._threshold = dataset.like_threshold
        self._noun = dataset.item_noun
        self.in_time = dataset.questions != "last_of_user"
        columns = [name for name in ATTRIBUTES if name in dataset.users.columns]
        filled = [dataset.users[name].fillna("").astype(str).tolist() for name in columns]
        self._profiles: list[dict[str, str]] = [
            {name: values[user] for name, values in zip(columns, filled, strict=True)}
            for user in range(len(dataset.users))
        ]

    def profile(self, user_num: int | None) -> dict[str, str]:
        """Return the stated attributes of a user, {} for an unknown one."""
        return self._profiles[user_num] if user_num is not None else {}

    def pairs(self, history: History) -> list[tuple[str, float]]:
        """Return (title, rating) of a history, oldest first."""
        return [(self.titles[i], float(r)) for i, r in zip(history.item_nums, history.ratings, strict=True)]

    def like(self, request: ScoreRequest, evidence: Sequence[EvidenceItem], order: Order) -> LikePrompt:
        """Return the yes/no prompt that shows exactly this evidence in this order."""
        rows = [(self.titles[item.item_num], item.rating) for item in evidence]
        title = self.titles[request.item_num]
        who = self.profile(request.user_num)
        return like_prompt(who, rows, title, self._threshold, order, self._noun, self.in_time)

    def choice(self, request: ChoiceRequest, n_history: int) -> str:
        """Return the list prompt with the last `n_history` items of the history."""
        titles = [self.titles[i] for i in request.candidates]
        pairs = self.pairs(request.history)[-n_history:]
        return choice_prompt(self.profile(request.user_num), pairs, titles, self._noun, self.in_time)

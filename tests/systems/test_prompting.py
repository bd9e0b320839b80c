"""What prompts say of users and of the order of a history, from the records of a dataset."""

from dataclasses import replace

import numpy as np
import pytest

from rec_core.systems.prompting import Prompter
from rec_core.systems.sample_backbone import documents
from rec_core.types import ChoiceRequest, EvidenceItem


@pytest.fixture(scope="module")
def books(planted):
    users = planted.users[["user_id"]].assign(country="Chile", age_group=["18-24", ""] * 15)
    return replace(planted, users=users, has_time=False, questions="last_of_user", item_noun="book")


@pytest.fixture
def evidence():
    return [EvidenceItem(item_num=3, rating=4.0, position=0, channel="recency", rank=1, score=1.0)]


def test_a_country_and_an_age_are_told(books, requests, evidence):
    prompter = Prompter(books)
    told = [prompter.like(replace(requests[0], user_num=user), evidence, "relevance").text for user in (0, 1)]
    assert [text.splitlines()[0] for text in told] == [
        "The user is from Chile, aged 18-24.",
        "The user is from Chile.",
    ]


def test_a_shuffled_history_is_never_called_ordered_by_time(planted, books, requests, evidence):
    """Neither where questions are asked nor where the embedded model learns what questions look like."""
    asked = ChoiceRequest(requests[0].user_num, requests[0].history, (1, 2))
    for dataset, ordered in ((planted, True), (books, False)):
        prompter = Prompter(dataset)
        read = documents(dataset, np.arange(400), 0)
        texts = [
            prompter.like(requests[0], evidence, "chronological").text,
            prompter.choice(asked, 3),
            *(text for text in read if " rated these " in text),
        ]
        assert {"oldest first" in text for text in texts} == {ordered}
    assert any("Which of these books" in text for text in read)
    assert "most relevant first" in Prompter(books).like(requests[0], evidence, "relevance").text

"""A prompt that is too long loses history, and nothing else."""

import pytest

from rec_core.retrieval.similarity import CosineSimilarity
from rec_core.systems.evidence import reordered, select_evidence
from rec_core.systems.prompt_fitting import fitted_prompt
from rec_core.systems.prompting import Prompter
from rec_core.systems.retrievers import Similar
from rec_core.types import InputError


@pytest.fixture
def case(planted, requests, values):
    request = requests[-1]
    evidence = select_evidence([request], Similar(CosineSimilarity(values), "relevance"), 8)[0]
    return Prompter(planted), request, evidence


def shown(prompter, prompt, evidence) -> list[int]:
    lines = prompt.text.splitlines()
    return [
        i for i, item in enumerate(evidence) if any(prompter.titles[item.item_num] in line for line in lines)
    ]


def test_what_fits_is_shown_whole(case, film_tokenizer):
    prompter, request, evidence = case
    prompt = fitted_prompt(prompter, film_tokenizer, request, evidence, "relevance", 4000)
    assert prompt == prompter.like(request, evidence, "relevance")
    exact = len(film_tokenizer.encode(prompt.text))
    assert fitted_prompt(prompter, film_tokenizer, request, evidence, "relevance", exact) == prompt


@pytest.mark.parametrize("n_left", [7, 4, 1])
@pytest.mark.parametrize("order", ["relevance", "chronological"])
def test_the_least_relevant_or_the_oldest_goes_first(case, film_tokenizer, order, n_left):
    prompter, request, evidence = case
    evidence = reordered(evidence, order)
    kept = evidence[:n_left] if order == "relevance" else evidence[len(evidence) - n_left :]
    limit = len(film_tokenizer.encode(prompter.like(request, kept, order).text))
    prompt = fitted_prompt(prompter, film_tokenizer, request, evidence, order, limit)
    assert len(film_tokenizer.encode(prompt.text)) <= limit
    whole = prompter.like(request, evidence, order)
    for part in ("profile", "note", "question", "lead"):
        assert prompt.parts[part] == whole.parts[part]
    expected = (
        list(range(n_left)) if order == "relevance" else list(range(len(evidence) - n_left, len(evidence)))
    )
    assert shown(prompter, prompt, evidence) == expected


def test_a_chat_template_counts(case, spelling):
    prompter, request, evidence = case
    chat = spelling()
    chat.chat_template = "{% for m in messages %}" + 60 * "+" + "{{ m.content }}{% endfor %}"
    whole = prompter.like(request, evidence, "relevance")
    limit = len(chat.encode(whole.text))
    prompt = fitted_prompt(prompter, chat, request, evidence, "relevance", limit)
    assert len(shown(prompter, prompt, evidence)) < len(evidence)
    assert len(chat.encode(60 * "+" + prompt.text)) <= limit


def test_a_question_that_does_not_fit_is_refused(case, film_tokenizer):
    prompter, request, evidence = case
    with pytest.raises(InputError, match="raise backbone.max_length"):
        fitted_prompt(prompter, film_tokenizer, request, evidence, "relevance", 10)

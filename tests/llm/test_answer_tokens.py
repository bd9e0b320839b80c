"""Which tokens open an answer, for tokenizers of different builds."""

import pytest

from rec_core.llm.answer_tokens import answer_tokens
from rec_core.types import InputError


def test_a_tokenizer_with_leading_blanks(tokenizer):
    found = answer_tokens(tokenizer, "Answer:")
    assert (found.yes_text, found.no_text) == (" Yes", " No")
    assert [tokenizer.decode([number]) for number in (found.yes, found.no)] == [" Yes", " No"]
    assert (
        tokenizer.encode("Answer: Yes.")[-2] == found.yes and tokenizer.encode("Answer: No.")[-2] == found.no
    )


def test_a_tokenizer_without_leading_blanks(spelling):
    tokenizer = spelling("Yes", "No")
    found = answer_tokens(tokenizer, "Answer:")
    assert (found.yes_text, found.no_text) == ("Yes", "No")
    assert tokenizer.convert_ids_to_tokens([found.yes, found.no]) == ["Yes", "No"]


def test_small_letters_will_do(spelling):
    found = answer_tokens(spelling("yes", "no", " Yes"), "Answer:")
    assert (found.yes_text, found.no_text) == ("yes", "no")


def test_after_a_line_break_the_answer_stands_without_a_blank(spelling):
    tokenizer = spelling("Yes", "No", " Yes", " No")
    assert answer_tokens(tokenizer, "Answer:").yes_text == " Yes"
    assert answer_tokens(tokenizer, "<assistant>\n\n").yes_text == "Yes"


def test_words_in_several_tokens_are_refused(spelling):
    with pytest.raises(InputError, match="splits both Yes and No"):
        answer_tokens(spelling(), "Answer:")


def test_words_that_merge_with_the_lead_are_refused(spelling):
    with pytest.raises(InputError, match="choose another backbone"):
        answer_tokens(spelling(": Yes", ": No", ":Yes", ":No", ": yes", ": no", ":yes", ":no"), "Answer:")


def test_one_unknown_token_for_both_is_no_pair():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0, "Answer": 1, ":": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    assert tokenizer.encode("Answer: Yes") == tokenizer.encode("Answer: No") == [1, 2, 0]
    with pytest.raises(InputError):
        answer_tokens(tokenizer, "Answer:")

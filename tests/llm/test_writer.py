"""What an answer is worth, and how it is cleaned."""

import pytest

from rec_core.llm.writer import Answer, Ask, cleaned


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ('  A "bold"\nfilm.\r\n\u2028Really. ', "A bold film. Really."),
        ("<think>It is\n a film.</think>\n\nA film.", "A film."),
        ("A film about <think> tags.", "A film about <think> tags."),
        ("<think>never ends", "<think>never ends"),
        ("It's 'quoted'.", "It's 'quoted'."),
        ("half a \ud83d pair", "half a ? pair"),
        ('\n"" \t', ""),
    ],
)
def test_line_breaks_double_quotes_and_thoughts_go(raw, clean):
    assert cleaned(raw) == clean
    assert cleaned(clean) == clean


@pytest.mark.parametrize(
    ("text", "finish", "state"),
    [
        ("A film.", "stop", "written"),
        ("A film that", "length", "cut"),
        ("", "length", "cut"),
        ('"\n"', "stop", "empty"),
        ("<think>hm</think>", "stop", "empty"),
        ("", "filter", "refused"),
        ("Half of it", "filter", "refused"),
    ],
)
def test_only_a_whole_answer_counts_as_written(text, finish, state):
    assert Answer(Ask("k", "p"), text, finish, 1, 1, 0.0).state == state

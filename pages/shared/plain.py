"""Text from files and models, shown as it is: nothing in it becomes markup, a link or a picture."""

from __future__ import annotations

_MARKUP = "\\`*_{}[]()#+-.!|<>$:~"


def plain(text: str) -> str:
    """Return text with everything that Markdown would read as markup taken literally."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in text)


def unlinked(sentence: str) -> str:
    """Return one of our own sentences, in which quoted text from a file can form no link, picture or tag."""
    return "".join(f"\\{c}" if c in "\\[<" else c for c in sentence)

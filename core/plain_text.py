"""Texts that are what they look like: characters that cannot be seen can forge what a person agrees to."""

from __future__ import annotations

import unicodedata

_BLANKS = "\n\t\r"
_JOINERS = "\u200c\u200d"
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})
_OF_WORDS = frozenset("LMS")
"""Letters, marks and symbols, which emoji are: between two of them a joiner is spelling."""


def hidden_character(text: str) -> str | None:
    """The first control, format or bidirectional character, or lone surrogate, if there is one. Line ends, tabs, and
    joiners inside words are none."""
    if text.isascii() and text.isprintable():
        return None
    return next((char for index, char in enumerate(text) if char not in _BLANKS and _is_hidden(text, index)), None)


def visible(text: str) -> str:
    """The text in one line for a terminal, with escapes for what cannot be seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(escaped(char) if _is_hidden(text, index) else char for index, char in enumerate(text))


def escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _is_hidden(text: str, index: int) -> bool:
    if unicodedata.category(text[index]) not in _HIDDEN:
        return False
    return text[index] not in _JOINERS or not (_is_of_a_word(text, index - 1) and _is_of_a_word(text, index + 1))


def _is_of_a_word(text: str, index: int) -> bool:
    return 0 <= index < len(text) and unicodedata.category(text[index])[0] in _OF_WORDS

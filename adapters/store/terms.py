"""Text as the full-text index has it, and what a caller types as a query of it. Nothing of either is syntax."""

from __future__ import annotations

import re

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_ONE_UNSPACED = re.compile(f"([{_UNSPACED}])")
_TERM = re.compile(f"[{_UNSPACED}]+|[^\\W{_UNSPACED}_]+")
_SHORTEST_PREFIX = 2
"""Fewest letters of a word that stands for longer ones too: one letter would stand for nearly all."""


def separated(text: str) -> str:
    """Text for the index: case folded (which also makes straße STRASSE's equal, as `lower` does not), and a blank
    round each character of a script that puts none between words, so that a part of a sentence can be found."""
    return _ONE_UNSPACED.sub(r" \1 ", text.casefold())


def query_of(text: str) -> str | None:
    """The FTS5 query for any of the text's words, each of them quoted; None when it has no word."""
    terms = list(dict.fromkeys(_quoted(found) for found in _TERM.findall(text.casefold())))
    return " OR ".join(terms) or None


def phrase_of(text: str) -> str | None:
    """The FTS5 query for the text's words one after the other."""
    words = " ".join(_TERM.findall(separated(text)))
    return f'"{words}"' if words else None


def _quoted(term: str) -> str:
    if _ONE_UNSPACED.match(term):
        return f'"{" ".join(term)}"'
    return f'"{term}" *' if len(term) >= _SHORTEST_PREFIX else f'"{term}"'

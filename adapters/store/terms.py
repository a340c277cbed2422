"""Text as a full-text index has it, and the words of what a caller types. Nothing of either is syntax."""

from __future__ import annotations

import re
import unicodedata

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_ONE_UNSPACED = re.compile(f"([{_UNSPACED}])")
_TERM = re.compile(f"[{_UNSPACED}]+|[^\\W{_UNSPACED}_]+")
_ACCENTS = dict.fromkeys(range(0x300, 0x370))

SHORTEST_PREFIX = 2
"""Fewest letters of a word that stands for longer ones too: one letter would stand for nearly all."""
WEIGHTS = (4.0, 3.0, 1.0, 1.0)
"""Of names, hypothesis, details and surface: a name says more than where it stands."""


def separated(text: str) -> str:
    """Text for the index: case folded (which also makes straße STRASSE's equal, as `lower` does not), without accents
    (FTS5 would leave those of Greek), and a blank round each character of a script that puts none between words, so
    that a part of a sentence can be found."""
    return _ONE_UNSPACED.sub(r" \1 ", folded(text.casefold()))


def folded(text: str) -> str:
    """Without accents, whichever way they are written; what else goes with a letter, as the voicing marks of Japanese
    do, is put together again."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).translate(_ACCENTS))


def terms_of(folded: str) -> list[str]:
    """The words of a case-folded text, in their order; a run of a script without blanks is one."""
    return _TERM.findall(folded)


def is_unspaced(term: str) -> bool:
    """Whether a word is of a script without blanks: its characters are indexed one by one."""
    return _ONE_UNSPACED.match(term) is not None

"""Words of a text, and which of them tell one thing from another."""

from __future__ import annotations

import re

COMMON = frozenset(
    """
    a all an and any are as at be because before but by can come do does for from get go ha have he her how i if in into
    is it its just let like make me more my no not of on one only or other our out over put see she should show so some
    than that the their them then there they thi those to too up u use user using want wa we what when where whether
    which who why will with would you your
    """.split()  # noqa: SIM905 - a list of a hundred quoted words is harder to read
)
"""Words, without the plural's s, that say nothing of what is meant."""
_WORD = re.compile(r"[a-z0-9]+")
_MARKS = ".,;:!?\"'()"
_PLURAL = re.compile(r"(?<=[a-z]{3})s$")


def words_of(text: str) -> list[str]:
    """The words of a text, lower case, without the plural's s."""
    return [_PLURAL.sub("", word) for word in _WORD.findall(text.lower())]


def asked_words(query: str) -> list[str]:
    """The words of a query that can tell one thing from another; all of them when there are no others."""
    words = words_of(query)
    return [word for word in words if word not in COMMON] or words


def telling(text: str) -> str:
    """A text without its common English words; the whole text when it has no others. Other scripts stay as they are."""
    kept = [word for word in text.split() if _PLURAL.sub("", word.strip(_MARKS).lower()) not in COMMON]
    return " ".join(kept) or text

"""How sentences say quantities, and long texts in short."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?](?=\s)")
_CLAUSE = re.compile(r"[;:,](?=\s)|\s+-(?=\s)")


def percent(share: float) -> str:
    """A share, 0-1, as people say it: 0.125 is "12.5 %"."""
    return f"{share * 100:.4g} %"


def cut(text: str, length: int) -> str:
    """At most `length` characters of a text: cut after a sentence or a clause when one ends there and leaves a third of
    the room at least, else between words."""
    if len(text) <= length:
        return text
    room = text[:length]
    for end in (_SENTENCE, _CLAUSE):
        places = [found.start() for found in end.finditer(room) if found.start() >= length // 3]
        if places:
            return room[: places[-1]] + "…"
    return room[: length - 1].rsplit(" ", 1)[0] + "…"

"""How sentences say quantities, and long texts in short."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?](?=\s)")
_CLAUSE = re.compile(r"[;:,](?=\s)|\s+-(?=\s)")


def percent(share: float) -> str:
    """A share, 0-1, as people say it: 0.125 is "12.5 %"."""
    return f"{share * 100:.4g} %"


def cut(text: str, length: int) -> str:
    """At most `length` bytes of a text and an ellipsis: cut after a sentence or a clause when one ends there and leaves
    a third of the room at least, else between words. A reply has room for bytes, and a character can take four."""
    room = beginning(text, length)
    if room == text:
        return text
    for end in (_SENTENCE, _CLAUSE):
        places = [found.start() for found in end.finditer(room) if found.start() >= len(room) // 3]
        if places:
            return room[: places[-1]] + "…"
    return room[:-1].rsplit(" ", 1)[0] + "…"


def beginning(text: str, length: int) -> str:
    """The whole characters in the first `length` bytes of a text."""
    return text if len(text) * 4 <= length else text.encode()[:length].decode(errors="ignore")

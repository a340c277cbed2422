"""Names: what somebody may have meant, and keys made from words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


def nearest(name: str, allowed: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` allowed names that look like `name`, best first; case and `_`/`-`/space do not count.

    Of allowed names that differ in nothing else, only the last can be found.
    """
    folded = {fold(candidate): candidate for candidate in allowed}
    return [folded[match] for match in difflib.get_close_matches(fold(name), folded, n=count, cutoff=0.6)]


def same_name(name: str, allowed: Iterable[str]) -> str | None:
    """The one allowed name that equals `name` up to case and `_`/`-`/space, or None."""
    matches = [candidate for candidate in allowed if fold(candidate) == fold(name)]
    return matches[0] if len(matches) == 1 else None


def fold(name: str) -> str:
    return re.sub(r"[\s_]+", "-", name.strip().lower())


def slug(words: str, limit: int) -> str:
    """Words as a key of at most `limit` characters, cut between words: "For you first!" -> "for-you-first"."""
    parts = re.findall(r"[a-z0-9]+", words.lower())
    key = ""
    for part in parts:
        longer = f"{key}-{part}" if key else part
        if len(longer) > limit:
            break
        key = longer
    return key or (parts[0][:limit] if parts else "")


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Names in one line, the first `limit` of them and how many more there are."""
    every = list(names)
    shown = ", ".join(every[:limit])
    return f"{shown} and {len(every) - limit} more" if len(every) > limit else shown

"""Names: what somebody may have meant, and keys made from words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

SHORT_NAME = 3
"""Letters below which a typo makes another name."""
LONG_NAME = 5
"""Letters from which on a name may have two typos."""
NEARLY = 0.75
"""How much alike (difflib's ratio, 0-1) a name has to be to one that it is no spelling or part of, to stand for it."""
CLEARLY = 0.15
"""How much more alike (difflib's ratio, 0-1) the nearest name has to be than the next, to be the one that is meant."""


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


def spelled(name: str, allowed: Iterable[str]) -> str | None:
    """The one allowed name that `name` is a spelling of: up to case, separators and a typo or two; else None."""
    every = list(allowed)
    same = same_name(name, every)
    if same is not None:
        return same
    most = 0 if len(name) < SHORT_NAME else 1 if len(name) < LONG_NAME else 2
    slips = {candidate: _slips(_bare(name), _bare(candidate), most) for candidate in every}
    fewest = min(slips.values(), default=most + 1)
    close = [candidate for candidate, count in slips.items() if count == fewest]
    return close[0] if fewest <= most and len(close) == 1 else None


def meant(name: str, allowed: Iterable[str]) -> str | None:
    """The one allowed name that `name` plainly stands for: a spelling of it, a part of it, or nearly it. None when
    several are about equally near, or none is near enough: `most_played_first` is no `oldest_first`, and then no
    machine may choose."""
    every = list(allowed)
    plain = spelled(name, every)
    if plain is not None:
        return plain
    longer = [candidate for candidate in every if fold(candidate).startswith(fold(name))]
    scores = {close: _likeness(name, close) for close in nearest(name, every)}
    close = sorted(scores, key=lambda candidate: -scores[candidate])
    alone = len(close) == 1 or (len(close) > 1 and scores[close[0]] - scores[close[1]] >= CLEARLY)
    plainly = alone and len(longer) <= 1 and (scores[close[0]] >= NEARLY or _is_part(name, close[0]))
    return close[0] if plainly else None


def _is_part(name: str, whole: str) -> bool:
    """Whether a name is the beginning of another, or all its words are among the other's."""
    one, other = fold(name), fold(whole)
    return other.startswith(one) or set(one.split("-")) <= set(other.split("-"))


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, fold(one), fold(other)).ratio()


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()) or name


def _slips(one: str, other: str, most: int) -> int:
    """Letters left out, added, wrong or swapped (optimal string alignment distance); `most` + 1 for more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted))
            swapped = i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted
            row.append(min(cost, earlier[j - 2] + 1) if swapped else cost)
    return min(row[-1], most + 1)


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

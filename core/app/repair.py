"""The one call that makes a draft ready: which fixes to apply, and what else has to change once they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..documents import JsonObject, patch_object, patch_to, same
from ..model.finding import Finding, Fix

MOST_FAULTS = 50
"""Faults past which no repair is looked for: each fix is checked anew, and the draft as a whole is wrong."""
ROUNDS = 8
"""Most faults mended that show only when others are gone."""

Examine = Callable[[JsonObject], list[Finding]]


@dataclass(frozen=True)
class Repair:
    """Fixes by their ids, then a merge patch; `left` are the blocks that a person has to decide about."""

    fixes: list[str]
    changes: JsonObject
    left: list[Finding]


def repair(document: JsonObject, findings: Sequence[Finding], examine: Examine) -> Repair:
    """Fixes that weaken nothing and together leave as few blocks as can be.

    Mending one fault can uncover another (an audience that is read at last is smaller than it looked), so each step is
    checked again; what that asks for is in `changes`, because only findings of the draft as it is have ids.
    """
    left = [finding for finding in findings if finding.blocks]
    if len(left) > MOST_FAULTS:
        return Repair([], {}, left)
    fixes: list[Fix] = []
    fixed = document
    for finding in tuple(left):
        fix = _first(finding)
        now = next((other for other in left if _place(other) == _place(finding)), None)
        # What an earlier fix has made obsolete is left out, and what it has made too weak is found again below.
        if fix is not None and now is not None and fix.patch in [other.patch for other in now.fixes[:1]]:
            fixes.append(fix)
            fixed = patch_object(fixed, fix.patch)
            left = _blocks(examine, fixed)
    mended, left = _further(fixed, left, examine)
    return Repair([fix.id for fix in _needed(document, fixes)], patch_to(fixed, mended), left)


def _needed(document: JsonObject, fixes: list[Fix]) -> list[Fix]:
    """The fixes without those whose every value a later one writes again."""
    whole = _all_of(document, fixes)
    for fix in tuple(fixes):
        others = [each for each in fixes if each is not fix]
        if same(_all_of(document, others), whole):
            fixes = others
    return fixes


def _all_of(document: JsonObject, fixes: list[Fix]) -> JsonObject:
    for fix in fixes:
        document = patch_object(document, fix.patch)
    return document


def _further(document: JsonObject, left: list[Finding], examine: Examine) -> tuple[JsonObject, list[Finding]]:
    """The document after more fixes, one at a time; a finding that comes back gets its next fix."""
    tried: dict[tuple[str, str], int] = {}
    for _ in range(ROUNDS):
        chosen = next(((finding, fix) for finding in left if (fix := _first(finding, tried)) is not None), None)
        if chosen is None:
            break
        finding, fix = chosen
        tried[_place(finding)] = tried.get(_place(finding), 0) + 1
        document = patch_object(document, fix.patch)
        left = _blocks(examine, document)
    return document, left


def _blocks(examine: Examine, document: JsonObject) -> list[Finding]:
    return [finding for finding in examine(document) if finding.blocks]


def _place(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.at


def _first(finding: Finding, tried: dict[tuple[str, str], int] | None = None) -> Fix | None:
    sound = finding.sound
    rank = (tried or {}).get(_place(finding), 0)
    return sound[rank] if rank < len(sound) else None

"""Fixes are tried before they are offered: what a fix brings up is mended in it, or said."""

from __future__ import annotations

from collections.abc import Sequence, Set

from ..checks.engine import Cure, as_fix
from ..documents import JsonObject, patch_object, patch_to
from ..model.finding import BLOCKING, Finding, Fix
from .repair import MOST_FAULTS, Examine

MOST_TRIED = 24
"""Most fixes that are tried for one reply: each costs as much as the findings themselves."""
STEPS = 3
"""Most further fixes that one fix takes up."""

Place = tuple[str, str]
"""(code, pointer)"""


def tried(
    document: JsonObject, findings: list[Finding], examine: Examine, later: Set[str] = frozenset()
) -> list[Finding]:
    """The findings, those that block with fixes that mend them without a new block, as far as there are any.

    A fix that brings up another fault also mends that one. One that cannot is left out where another fix does, or when
    it relaxes; else it says what is to be mended after it.

    Args:
        later: codes of blocks that are mended by themselves, after the fixes.
    """
    known = {(each.code, each.at) for each in findings if each.severity in BLOCKING}
    blocking = [each for each in findings if each.blocks]
    if len(blocking) > MOST_FAULTS or sum(len(each.fixes) for each in blocking) > MOST_TRIED:
        return findings
    trial = _Trial(document, examine, known, later)
    return [trial.sound(each) if each.blocks and each.fixes else each for each in findings]


class _Trial:
    """Tries fixes of one document; `known` are the places that something blocks already."""

    def __init__(self, document: JsonObject, examine: Examine, known: Set[Place], later: Set[str]) -> None:
        self.document, self.examine, self.known, self.later = document, examine, known, later

    def sound(self, finding: Finding) -> Finding:
        """The finding with the fixes that do."""
        fixes, doubtful = list[Fix](), list[Fix]()
        for fix in finding.fixes:
            done, new = self._completed(finding, fix)
            if not new and done.id not in [each.id for each in fixes]:
                fixes.append(done)
            elif new and not fix.relaxes:
                codes = ", ".join(dict.fromkeys(each.code for each in new))
                doubtful.append(fix.model_copy(update={"effect": f"{fix.effect}; after it {codes} blocks"}))
        if all(fix.relaxes for fix in fixes):
            fixes = [*doubtful, *fixes]
        return finding.model_copy(update={"fixes": fixes})

    def _completed(self, finding: Finding, fix: Fix) -> tuple[Fix, Sequence[Finding]]:
        """(the fix with what mends the faults that it brings up, those that stay)."""
        mended, effects = patch_object(self.document, fix.patch), [fix.effect]
        new = self._new(finding, mended)
        while new and not fix.relaxes and len(effects) <= STEPS:
            further = next(iter(new[0].sound), None)
            if further is None:
                break
            mended = patch_object(mended, further.patch)
            effects.append(further.effect)
            new = self._new(finding, mended)
        if new or len(effects) == 1:
            return fix, new
        return as_fix(finding.code, Cure(", then ".join(effects), patch_to(self.document, mended))), new

    def _new(self, finding: Finding, document: JsonObject) -> list[Finding]:
        """What blocks a document: new, or the very finding that was to be mended."""
        mine = (finding.code, finding.at)
        return [
            each
            for each in self.examine(document)
            if each.blocks
            and each.code not in self.later
            and ((each.code, each.at) == mine or (each.code, each.at) not in self.known)
        ]

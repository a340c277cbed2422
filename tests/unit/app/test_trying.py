"""A fix is tried before it is offered: it mends what it brings up, or says what it does not."""

from __future__ import annotations

from crossfade.core.app.trying import tried
from crossfade.core.checks.engine import Cure, Fault, as_finding
from crossfade.core.documents import JsonObject, patch_object
from crossfade.core.model.finding import Finding

LONG: JsonObject = {"days": 98, "looks": 2, "start": 1}


def found(document: JsonObject) -> list[Finding]:
    """Too long a run; a shorter one needs other looks, and a later one meets what nobody mends."""
    findings: list[Finding] = []
    if document["days"] == 98 and document["start"] == 1:
        shorter, later = Cure("run 35 days", {"days": 35}), Cure("start later", {"start": 2})
        some = Cure("look less", {"days": 35, "looks": 1}, relaxes=True)
        findings.append(as_finding("a.long", "block", Fault("/days", "Too long.", cures=[shorter, later, some])))
    if document["days"] == 35 and document["looks"] != 3:
        cures = [Cure("look weekly", {"looks": 3})] if document["looks"] == 2 else []
        findings.append(as_finding("a.looks", "block", Fault("/looks", "Too early.", cures=cures)))
    if document["start"] == 2:
        findings.append(as_finding("a.start", "block", Fault("/start", "Closed.")))
    return findings


def test_a_fix_that_brings_up_a_fault_mends_it_too() -> None:
    [finding] = tried(LONG, found(LONG), found)
    assert [fix.effect for fix in finding.fixes] == ["run 35 days, then look weekly"]
    assert found(patch_object(LONG, finding.fixes[0].patch)) == []


def test_the_only_fix_says_what_it_leaves_to_be_mended() -> None:
    [finding] = found(LONG)
    alone = finding.model_copy(update={"fixes": finding.fixes[1:]})
    [told] = tried(LONG, [alone], found)
    assert [fix.effect for fix in told.fixes] == ["start later; after it a.start blocks"]
    assert told.fixes[0].id == finding.fixes[1].id


def test_what_is_mended_afterwards_anyway_is_no_fault_of_a_fix() -> None:
    [finding] = tried(LONG, found(LONG), found, frozenset({"a.start", "a.looks"}))
    assert [fix.effect for fix in finding.fixes] == ["run 35 days", "start later", "look less"]


def test_what_blocks_no_launch_is_not_tried() -> None:
    [finding] = found(LONG)
    lifted = finding.model_copy(update={"overridden": "as agreed"})
    assert tried(LONG, [lifted], found) == [lifted]

"""What a reply proposes when several things are wrong at once mends all of them in one call."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crossfade.core.app.repair import Repair, repair
from crossfade.core.checks.all_checks import LAUNCH_CHECKS
from crossfade.core.documents import JsonObject, patch_object, patch_to
from crossfade.core.model.finding import Finding

from .examples import EXAMPLES, Example
from .railway import QUIET, SPEC, World, findings_in

LATER = {check.code for check in LAUNCH_CHECKS}
"""Asked of a launch only, where waiting is the cure."""


def blocks(document: JsonObject, world: World) -> list[Finding]:
    return [finding for finding in findings_in(document, world) if finding.blocks and finding.code not in LATER]


def mending(document: JsonObject, world: World) -> tuple[list[Finding], Repair]:
    """What blocks a document, and what a reply would propose."""
    found = blocks(document, world)
    return found, repair(document, found, lambda changed: blocks(changed, world))


def mended(document: JsonObject, world: World) -> JsonObject:
    """The document after the one update that a reply proposes for it."""
    found, proposed = mending(document, world)
    offered = {fix.id: fix for finding in found for fix in finding.fixes}
    for fix in proposed.fixes:
        assert not offered[fix].relaxes
        document = patch_object(document, offered[fix].patch)
    return patch_object(document, proposed.changes)


def is_curable(example: Example) -> bool:
    """Whether the example alone is cured without a person."""
    found, proposed = mending(patch_object(SPEC, example.fault), example.world)
    return bool(found) and not proposed.left


def touched(patch: JsonObject, at: str = "") -> set[str]:
    """Places that a merge patch sets."""
    places: set[str] = set()
    for name, value in patch.items():
        inside = touched(value, f"{at}/{name}") if isinstance(value, dict) else set[str]()
        places |= inside or {f"{at}/{name}"}
    return places


def _conditions(places: set[str]) -> set[str]:
    """Places, with those in an audience cut to the attribute: what is asked of one belongs together."""
    return {"/".join(place.split("/")[:3]) if place.startswith("/audience/") else place for place in places}


def are_independent(*examples: Example) -> bool:
    """Whether each injects its fault where no other does, nor belongs: else one hides or undoes the other."""
    places = [place for example in examples for place in _conditions(touched(example.fault) | touched(example.near))]
    found = {(example.code, example.at) for example in examples}
    return (
        len(found) == len(examples)
        and len(places) == len(set(places))
        and not any(one != other and one.startswith(f"{other}/") for one in places for other in places)
    )


CURABLE = [example for example in EXAMPLES if example.world == QUIET and is_curable(example)]


def test_there_are_enough_faults_to_combine() -> None:
    assert len(CURABLE) > 30


@pytest.mark.parametrize("example", CURABLE, ids=lambda example: example.id)
def test_one_fault_is_mended_in_one_call(example: Example) -> None:
    document = patch_object(SPEC, example.fault)
    assert blocks(mended(document, QUIET), QUIET) == []


@settings(max_examples=250, derandomize=True)
@given(st.lists(st.sampled_from(CURABLE), min_size=2, max_size=3, unique_by=lambda example: example.id))
def test_several_faults_are_mended_in_one_call(examples: list[Example]) -> None:
    assume(are_independent(*examples))
    document = SPEC
    for example in examples:
        document = patch_object(document, example.fault)
    assert [finding.code for finding in blocks(mended(document, QUIET), QUIET)] == []


LEAVES = st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "b"]) | st.lists(st.integers(0, 3), max_size=2)
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("xyz"), LEAVES, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("xyz"), LEAVES | inner, max_size=3),
    max_leaves=8,
)
"""Objects without null, which no merge patch can set."""


@settings(max_examples=300, derandomize=True)
@given(OBJECTS, OBJECTS)
def test_what_is_proposed_besides_fixes_is_a_patch_to_the_mended_spec(before: JsonObject, after: JsonObject) -> None:
    assert patch_object(before, patch_to(before, after)) == after

"""A fix of a fault of the shape also mends what would be found once the shape is right."""

from __future__ import annotations

import pytest

from crossfade.core.checks.all_checks import run_checks
from crossfade.core.checks.shape import read_spec
from crossfade.core.checks.stand_ins import completed, stood_in
from crossfade.core.documents import JsonObject, patch_object
from crossfade.core.model.finding import Finding

from .railway import QUIET, SPEC, catalogue_with


def blocks(document: JsonObject) -> list[str]:
    spec = read_spec(document, catalogue_with({}))
    assert not isinstance(spec, list)
    return [finding.code for finding in run_checks(QUIET.case(spec)) if finding.blocks]


def of_the_shape(document: JsonObject) -> list[Finding]:
    """The findings of the shape, as an answer has them."""
    catalogue = catalogue_with({})
    shape = read_spec(document, catalogue)
    assert isinstance(shape, list)
    stand_ins = stood_in(document, catalogue, shape)
    assert stand_ins is not None
    return completed(shape, document, stand_ins, run_checks(QUIET.case(stand_ins.spec)))


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        ({"owner": 7}, "leave it out, then the surface's team, boards"),
        ({"stop": ["never"]}, "leave it out, then pause on srm and guardrail"),
        ({"metrics": {"broken_pages": {"margin": 1_000_000}}}, "leave it out, then 10.00%"),
        ({"design": {"kind": "power", "looks": [0.95, 1.0]}}, "leave it out, then make it group sequential"),
        ({"tags": "boards"}, "leave it out"),
        ({"allocation": "60"}, "use 60 itself, then read it as 60 %"),
        ({"schedule": {"start": "16/11/2026"}}, "use 2026-11-16, then start 2026-11-21 instead of 2026-11-16"),
        ({"design": {"kind": "group_sequential", "looks": {"0": 0.95, "1": 1.0}}}, "use the list of its values"),
        ({"allocation": "0.6"}, "use 0.6 itself"),
    ],
    ids=str,
)
def test_what_is_left_out_is_not_missed_afterwards(fault: JsonObject, effect: str) -> None:
    document = patch_object(SPEC, fault)
    [finding] = of_the_shape(document)
    assert finding.fixes[0].effect == effect
    assert blocks(patch_object(document, finding.fixes[0].patch)) == []


def test_a_usual_number_that_is_too_small_comes_with_what_is_enough() -> None:
    """Half of the units for 14 days are too few for the effect."""
    document = patch_object(SPEC, {"allocation": 0.3, "design": {"days": None}})
    [finding] = of_the_shape(document)
    assert finding.fixes[0].effect.startswith("run 14 days, the surface's usual, then enter ")
    assert blocks(patch_object(document, finding.fixes[0].patch)) == []

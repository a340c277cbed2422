"""A catalogue that tightens a check is obeyed."""

from __future__ import annotations

from crossfade.core.documents import JsonObject, patch_object

from .railway import SPEC, World, findings_in


def severities(everywhere: JsonObject, here: JsonObject, days: int) -> dict[str, str]:
    world = World({"checks": everywhere, "surfaces": {"departures": {"policy": {"checks": here}}}})
    return {each.code: each.severity for each in findings_in(patch_object(SPEC, {"design": {"days": days}}), world)}


def test_a_severity_holds_everywhere() -> None:
    assert severities({"duration.whole_weeks": "block"}, {}, 15) == {"duration.whole_weeks": "block"}


def test_a_surface_has_the_last_word() -> None:
    rules: JsonObject = {"duration.whole_weeks": "block_unless_overridden"}
    assert severities(rules, {"duration.whole_weeks": "block"}, 15) == {"duration.whole_weeks": "block"}


def test_a_threshold_finds_what_it_let_pass_before() -> None:
    assert severities({}, {}, 21) == {}
    assert severities({"duration.long": {"days": 20}}, {}, 21) == {"duration.long": "warn"}
    rules: JsonObject = {"duration.long": {"days": 20, "severity": "block"}}
    assert severities({}, rules, 21) == {"duration.long": "block"}

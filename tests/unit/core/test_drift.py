"""What is delivered is compared with what was, and told place by place."""

from __future__ import annotations

import pytest

from crossfade.core.documents import JsonObject
from crossfade.core.model.plan import Place
from crossfade.core.planning.drift import Condition, Delivery, differences

PLACE = Place(backend="flags", kind="flags", settings={}, document="only")
RULE: JsonObject = {"id": "guide-first", "weights": [0.5, 0.5], "coverage": 1.0}
ENTRY: JsonObject = {"defaults": {"gallery.guide_first": False}, "rules": {"gallery.guide_first": [RULE]}}


def with_rules(*rules: JsonObject) -> JsonObject:
    return {**ENTRY, "rules": {"gallery.guide_first": list(rules)}}


@pytest.mark.parametrize(
    ("desired", "actual", "condition"),
    [
        (ENTRY, with_rules({**RULE, "coverage": 1}), "as_delivered"),
        (ENTRY, with_rules({**RULE, "coverage": 0.5}), "changed"),
        (ENTRY, None, "gone"),
        (None, ENTRY, "back"),
        (None, None, "as_delivered"),
    ],
)
def test_a_document_is_in_one_condition(
    desired: JsonObject | None, actual: JsonObject | None, condition: Condition
) -> None:
    found = Delivery(PLACE, True, desired, actual)
    assert (found.condition, found.drifted) == (condition, condition != "as_delivered")
    assert bool(found.differs) == (condition == "changed")


def test_what_cannot_be_read_has_not_drifted() -> None:
    unread = Delivery(PLACE, True, ENTRY, failure="The path does not lead to a document.")
    assert (unread.condition, unread.drifted) == ("unreadable", False)


def test_a_field_of_a_rule_is_told_by_the_name_of_the_rule() -> None:
    told = differences(ENTRY, with_rules({**RULE, "weights": [0.25, 0.75]}))
    assert told == ["rules.gallery.guide_first.guide-first.weights [0.5,0.5] -> [0.25,0.75]"]


def test_a_rule_that_was_added_makes_no_others_differ() -> None:
    added: JsonObject = {"id": "guide-first:preview:guide", "force": True}
    told = differences(ENTRY, with_rules(added, RULE))
    assert told == [
        'rules.gallery.guide_first.guide-first:preview:guide absent -> {"force":true,"id":"guide-first:preview:guide"}',
        'rules.gallery.guide_first.order absent -> ["guide-first:preview:guide","guide-first"]',
    ]


def test_rules_without_names_are_told_by_their_number() -> None:
    one, two = {**RULE, "id": "same"}, {**RULE, "id": "same", "coverage": 0.1}
    assert differences(with_rules(one, one), with_rules(one, two)) == ["rules.gallery.guide_first.1.coverage 1 -> 0.1"]


def test_a_vanished_default_is_told_as_absent() -> None:
    told = differences(ENTRY, {**ENTRY, "defaults": {}})
    assert told == ["defaults.gallery.guide_first false -> absent"]

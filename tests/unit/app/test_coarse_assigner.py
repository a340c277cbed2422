"""An assigner with 100 slots: what is chosen keeps to them, and what is asked for and cannot be had is found first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.question import Question
from crossfade.core.documents import JsonObject
from crossfade.core.errors import NotAllowed
from crossfade.core.model.answers import Checked
from crossfade.core.model.brief import Brief
from crossfade.core.model.delivery import Assignment
from crossfade.core.planning.slots import is_whole
from crossfade.core.ports.backend import Backend, assigns
from crossfade.core.ports.capabilities import Capabilities

from ...e2e.killing import Around
from ...e2e.museum import Museum, SetClock, agreed, brief, launched, opened

KEY = "guide-first"
COARSE = Capabilities(slots=100, coverage_steps=100, weight_steps=1_000, previews=False)


class Coarse(Around):
    """Takes nothing that it says it cannot express."""

    def __init__(self, inner: Backend, capabilities: Capabilities) -> None:
        super().__init__(inner)
        self.capabilities = capabilities

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        width = 10_000 // self.capabilities.slots
        assert all(part.lo % width == 0 == part.hi % width for part in assignment.ranges)
        assert all(is_whole(weight, self.capabilities.weight_steps) for weight in assignment.weights)
        assert is_whole(assignment.coverage, self.capabilities.coverage_steps)
        assert assigns(self._inner)
        return self._inner.compile_assignment(assignment)


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


def coarse(museum: Museum, capabilities: Capabilities = COARSE) -> Crossfade:
    dependencies = museum.app(SetClock()).dependencies
    inner = dependencies.backends["growthbook_file"]
    backends: Mapping[str, Backend] = {**dependencies.backends, "growthbook_file": Coarse(inner, capabilities)}
    return Crossfade(replace(dependencies, backends=backends))


def blocking(answer: Checked) -> list[str]:
    return [finding.code for finding in answer.findings if finding.severity.startswith("block")]


def ranges(app: Crossfade, key: str) -> list[tuple[int, int]]:
    with app.dependencies.store.read() as view:
        return [(part.lo, part.hi) for part in view.ranges_of(key)]


def test_a_brief_of_three_variants_and_no_size_meets_no_limit(museum: Museum) -> None:
    file = museum.own_catalogue()
    file.write_text(file.read_text().replace("allocation: 0.3 }\n    max_live", "allocation: 0.3333 }\n    max_live"))
    app = coarse(museum)
    three = {"guide": {"guide_first": True}, "maps": {"room_order": ["maps", "prints"]}}
    answer = app.create_experiment(Brief.read(brief(allocation=None, variants=three)))
    assert (blocking(answer), answer.ready) == ([], True)
    spec = app.experiment_document(KEY)["spec"]
    assert isinstance(spec, dict)
    assert spec["allocation"] == 0.34
    assert app.apply_plan(agreed(app, KEY, "launch")).status == "applied"
    assert ranges(app, KEY) == [(0, 3_400)]


def test_an_allocation_between_two_slots_is_found_and_its_fix_launches(museum: Museum) -> None:
    app = coarse(museum)
    answer = app.create_experiment(Brief.read(brief(allocation=0.305)))
    assert blocking(answer) == ["assigner.allocation"]
    [finding] = [each for each in answer.findings if each.code == "assigner.allocation"]
    fix = (finding.fixes or [])[0]
    assert answer.next == f'update_experiment(key="{KEY}", version=1, fixes=["{fix.id}"])'
    assert app.update_experiment(KEY, 1, [fix.id], {}).ready
    assert app.apply_plan(agreed(app, KEY, "launch")).status == "applied"


def test_one_call_mends_all_that_the_assigner_cannot_express(museum: Museum) -> None:
    app = coarse(museum)
    uneven = {"variants": {"control": {"weight": 0.6666}, "guide": {"weight": 0.3334}}, "ramp": [{"coverage": 0.125}]}
    answer = app.create_experiment(Brief.read(brief(allocation=0.305, more=uneven)))
    codes = ["assigner.allocation", "assigner.coverage", "assigner.weights"]
    assert sorted(blocking(answer)) == codes
    fixes = [(each.fixes or [])[0].id for each in answer.findings if each.code in codes]
    assert all(fix in answer.next for fix in fixes)
    assert app.update_experiment(KEY, 1, fixes, {}).ready
    assert app.apply_plan(agreed(app, KEY, "launch")).status == "applied"


def test_a_slot_that_others_hold_in_part_is_taken_whole(museum: Museum) -> None:
    """Two that were launched before the assigner became coarse; what is between them is half a slot."""
    fine = museum.app(SetClock())
    launched(fine, "first", allocation=0.3333)
    assert ranges(fine, "first") == [(0, 3_333)]
    app = coarse(museum)
    launched(app, "second", allocation=0.3)
    assert ranges(app, "second") == [(3_400, 6_400)]
    answer = app.create_experiment(Brief.read(brief("third", allocation=0.3667)))
    assert blocking(answer) == ["allocation.available"]
    [finding] = [each for each in answer.findings if each.code == "allocation.available"]
    [fix] = finding.fixes or []
    assert fix.effect.startswith("enter 36 % of units")
    surface = app.find_surfaces("gallery").best
    assert surface is not None
    assert surface.layers[0].free == 0.36


def test_what_was_launched_in_finer_buckets_waits_for_its_slots(museum: Museum) -> None:
    fine = museum.app(SetClock())
    launched(fine, allocation=0.3333)
    fine.apply_plan(agreed(fine, KEY, "pause"))
    plan = coarse(museum).plan_change(KEY, "resume")
    assert [finding.code for finding in plan.findings] == ["assigner.buckets"]
    assert fine.plan_change(KEY, "resume").ready


def test_an_estimate_offers_allocations_that_can_be_had(museum: Museum) -> None:
    launched(museum.app(SetClock()), "first", allocation=0.3333)
    seven = coarse(museum, replace(COARSE, slots=8))
    asked = Question(surface="gallery", metrics={"ticket_rate": 0.02})
    shares = {option.allocation for option in seven.estimate_sample_size(asked).menu}
    assert all(share * 8 == round(share * 8) for share in shares), shares


def test_test_units_are_refused_by_an_assigner_that_can_force_nothing(museum: Museum) -> None:
    app = coarse(museum)
    launched(app)
    with pytest.raises(NotAllowed, match="cannot force a variant"):
        app.preview(KEY, "guide", ["visitor-7"], "curator")


def test_a_catalogue_without_an_adapter_for_its_assigner_sets_no_limit(museum: Museum) -> None:
    dependencies = coarse(museum).dependencies
    backends = {kind: each for kind, each in dependencies.backends.items() if kind != "growthbook_file"}
    app = Crossfade(replace(dependencies, backends=backends))
    assert blocking(app.create_experiment(Brief.read(brief(allocation=0.305)))) == []


def test_of_two_fixes_of_one_field_the_next_call_has_the_one_that_is_left_of_them(museum: Museum) -> None:
    app = coarse(museum)
    answer = app.create_experiment(Brief.read(brief(allocation=0.015)))
    assert {"assigner.allocation", "power.sufficient"} <= {*blocking(answer)}
    assert "power.sufficient" in answer.next
    assert "assigner.allocation" not in answer.next


@pytest.mark.parametrize("alone", [True, False])
def test_where_a_test_unit_is_in_one_experiment_of_a_layer_the_others_know_it(museum: Museum, alone: bool) -> None:
    app = coarse(museum, Capabilities(previews_alone=alone))
    launched(app, allocation=1.0, duration_days=28)
    units = [f"visitor-{number}" for number in range(20)]
    before = {unit: app.explain(KEY, unit, {}) for unit in units}
    app.create_experiment(Brief.read(brief("maps-first", variants={"maps": {"room_order": ["maps", "prints"]}})))
    assert app.preview("maps-first", "maps", units[:2], "curator").status == "applied"
    now = {unit: app.explain(KEY, unit, {}) for unit in units}
    assert {unit for unit in units if now[unit] != before[unit]} == (set(units[:2]) if alone else set())
    if alone:
        found = now[units[0]]
        assert (found.variant, found.because, found.parameters) == (None, "preview_beside", {"guide_first": False})
        assert "named test unit of maps-first" in found.detail
        with pytest.raises(NotAllowed) as refused:
            app.preview(KEY, "guide", [units[5], units[0]], "curator")
        assert "visitor-0 is a test unit of maps-first" in refused.value.message
    app.create_experiment(Brief.read(brief("page", variants={"more": {"works_per_page": 20}})))
    assert app.preview("page", "more", units[:2], "curator").status == "applied"  # of another layer
    assert app.preview("maps-first", None, [], "curator").status == "applied"
    assert {unit: app.explain(KEY, unit, {}) for unit in units} == before

"""Random arguments: no call makes a tool fail inside, and no draft becomes anything but a draft."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.documents import JsonObject
from crossfade.core.errors import CrossfadeError, Invalid
from crossfade.core.model.answers import Checked
from crossfade.core.model.brief import Brief
from crossfade.tools.text import text_of

from .museum import SetClock, brief, opened

NUMBERS = (
    st.integers()
    | st.sampled_from([0, 1, -1, 2**31, 2**63, 10**40, 180, 181, 99_999_999])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e-300, 5e-324, 1e308, -0.0, 1 - 1e-16, 0.5, 1.0])
)
NAMES = st.sampled_from(
    ["guide_first", "works_per_page", "room_order", "country", "visits", "is_friend", "ticket_rate", "app_errors"]
) | st.text(max_size=12)
LEAVES = st.none() | st.booleans() | NUMBERS | NAMES | st.sampled_from(["NL", "2026-03-02", "9999-12-31", "0001-01-01"])
ANY = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
CONDITIONS = (
    ANY
    | st.dictionaries(st.sampled_from(["gte", "gt", "lte", "lt", "not"]), ANY, max_size=3)
    | st.lists(LEAVES, max_size=3)
)
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
SPEC_FIELDS = [
    "name", "hypothesis", "surface", "layer", "unit", "environment", "audience", "allocation", "variants", "metrics",
    "design", "schedule", "owner", "tags", "links", "iterates",
]  # fmt: skip
MORE: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(SPEC_FIELDS), ANY, max_size=3
) | st.fixed_dictionaries(
    {},
    optional={
        "design": st.dictionaries(st.sampled_from(["days", "alpha", "power", "kind"]), ANY, max_size=3),
        "schedule": st.dictionaries(st.just("start"), LEAVES),
        "variants": st.dictionaries(
            st.sampled_from(["control", "guide"]),
            st.dictionaries(st.sampled_from(["weight", "control", "parameters", "name"]), ANY, max_size=3),
            max_size=2,
        ),
        "metrics": st.dictionaries(
            NAMES, st.dictionaries(st.sampled_from(["role", "mde", "margin"]), ANY, max_size=3), max_size=3
        ),
    },
)
BRIEFS = st.fixed_dictionaries(
    {},
    optional={
        "surface": st.sampled_from(["gallery", "Gallery", "desk"]) | NAMES,
        "change": NAMES,
        "variants": st.dictionaries(NAMES, st.dictionaries(NAMES, ANY, max_size=3), max_size=3) | ANY,
        "success_metrics": st.dictionaries(NAMES, st.none() | NUMBERS, max_size=3) | ANY,
        "audience": st.dictionaries(NAMES, CONDITIONS, max_size=3) | ANY,
        "allocation": NUMBERS,
        "duration_days": st.integers() | st.sampled_from([10**12, 10**20, 181]),
        "start": LEAVES,
        "more": MORE,
    },
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Crossfade:
    return opened(tmp_path_factory.mktemp("random")).app(SetClock())


def require_plain(answer: Checked) -> None:
    """The answer is short, and has nothing that JSON has no text for."""
    assert len(text_of(answer)) < 12_000
    json.dumps(answer.model_dump(mode="json"), allow_nan=False)
    assert answer.ready == (not any(finding.severity.startswith("block") for finding in answer.findings))


@settings(max_examples=100, suppress_health_check=SLOW)
@given(BRIEFS)
@example({"success_metrics": {"ticket_rate": 5e-324}})
@example({"start": "9999-12-31", "duration_days": 28})
@example({"more": {"variants": {"control": {"weight": 1e308}, "guide": {"weight": 1e308}}}})
@example({"more": {"design": {"days": 10**20}}})
def test_any_brief_is_a_draft_with_findings_or_refused(app: Crossfade, wild: dict[str, object]) -> None:
    asked = {**brief(), **wild}
    asked.pop("key")
    try:
        answer = app.create_experiment(Brief.read(asked))
    except CrossfadeError:
        return
    require_plain(answer)
    assert answer.state == "draft"
    assert answer.key is not None
    shown = app.get_experiment(answer.key, full=True)
    assert shown.ready == answer.ready
    if answer.ready:
        plan = app.plan_change(answer.key, "launch")
        assert plan.digest is not None or plan.findings


@settings(max_examples=100, suppress_health_check=SLOW)
@given(MORE | st.dictionaries(st.sampled_from(SPEC_FIELDS), ANY), st.lists(st.sampled_from(SPEC_FIELDS), max_size=2))
def test_any_spec_is_answered_with_its_findings(app: Crossfade, wild: JsonObject, left_out: list[str]) -> None:
    app.create_experiment(Brief.read(brief("guide-spec")))
    whole = app.get_experiment("guide-spec", full=True).spec
    assert whole is not None
    spec = {name: merged(value, wild.get(name)) for name, value in (whole | wild).items() if name not in left_out}
    with suppress(Invalid):
        require_plain(app.validate_experiment(spec))


def merged(value: JsonValue, wild: JsonValue) -> JsonValue:
    return {**value, **wild} if isinstance(value, dict) and isinstance(wild, dict) else value if wild is None else wild


@settings(max_examples=40, suppress_health_check=SLOW)
@given(MORE, st.integers(min_value=1, max_value=4), st.lists(NAMES, max_size=2))
def test_any_change_of_a_draft_is_made_or_refused_and_leaves_a_draft(
    app: Crossfade, wild: JsonObject, version: int, fixes: list[str]
) -> None:
    app.create_experiment(Brief.read(brief("guide-wild")))
    with suppress(CrossfadeError):
        require_plain(app.update_experiment("guide-wild", version, fixes, wild))
    assert app.get_experiment("guide-wild").state == "draft"


@settings(max_examples=40, suppress_health_check=SLOW)
@given(st.text(max_size=30), st.dictionaries(NAMES, ANY, max_size=4))
def test_any_unit_is_explained_or_refused(app: Crossfade, unit: str, attributes: dict[str, JsonValue]) -> None:
    app.create_experiment(Brief.read(brief("guide-some", audience={"country": "NL", "visits": {"gte": 2}})))
    try:
        answer = app.explain("guide-some", unit, attributes)
    except CrossfadeError:
        return
    assert answer.variant is None

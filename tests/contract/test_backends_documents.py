"""What stands in the documents that each adapter writes, and what `read` makes of changes by others."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.adapters.documents import Folder, OneFile
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.parameters import Parameters
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendChanged, BackendFailed, Invalid
from crossfade.core.model.delivery import Assignment, Condition, Content, Exclusion
from crossfade.core.model.plan import BucketRange


class StoppedClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 1, 12, 0, 0, 123_456, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None: ...


def an_assignment(experiment: str = "first", **changes: object) -> Assignment:
    whole: dict[str, object] = {
        "experiment": experiment,
        "surface": "home",
        "environment": "production",
        "unit_attribute": "user_id",
        "layer_seed": "home.top",
        "ranges": [BucketRange(lo=0, hi=1_234), BucketRange(lo=9_000, hi=10_000)],
        "seed": f"{experiment}.1",
        "coverage": 0.5,
        "variants": ["control", "new"],
        "weights": [0.4, 0.6],
        "parameters": {"title": ["For you", "Yours"]},
        "production": {"title": "For you", "rows": 3},
        "audience": [[]],
        "exclusions": [],
    }
    return Assignment.model_validate({**whole, **changes})


class Payload:
    """A payload file under test."""

    def __init__(self, folder: Path) -> None:
        self.clock = StoppedClock()
        self.adapter = GrowthbookPayload(OneFile(), self.clock)
        self.file = folder / "payload.json"

    def read(self, entry: str) -> JsonObject | None:
        return self.adapter.read({"path": str(self.file)}, "payload", entry)

    def write(self, entry: str, before: JsonObject | None, after: JsonObject | None) -> None:
        self.adapter.write({"path": str(self.file)}, "payload", entry, before=before, after=after, fence=1)

    def put(self, assignment: Assignment) -> JsonObject:
        compiled = self.adapter.compile_assignment(assignment)
        self.write(assignment.experiment, self.read(assignment.experiment), compiled)
        return compiled

    def edit(self, old: str, new: str) -> None:
        """A change by hand."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def document(self) -> dict[str, Any]:
        return json.loads(self.file.read_bytes())

    def ids(self, feature: str) -> list[str]:
        return [rule["id"] for rule in self.document()["features"][feature]["rules"]]


@pytest.fixture
def payload(tmp_path: Path) -> Payload:
    return Payload(tmp_path)


def test_an_assignment_compiles_to_one_rule_a_feature_and_one_a_preview() -> None:
    entry = GrowthbookPayload(OneFile(), StoppedClock()).compile_assignment(
        an_assignment(
            exclusions=[Exclusion(holdout="q4", salt="q4-salt", share=0.05)],
            audience=[[Condition(attribute="country", type="string", values=["SE"])]],
            previews={"new": ["tester", "12"]},
        )
    )
    assert entry == {
        "defaults": {"home.title": "For you"},
        "rules": {
            "home.title": [
                {
                    "id": "first:preview:new",
                    "condition": {"user_id": {"$in": ["tester", "12", 12]}},
                    "force": "Yours",
                },
                {
                    "id": "first",
                    "key": "first",
                    "variations": ["For you", "Yours"],
                    "phase": "0",
                    "filters": [
                        {
                            "attribute": "user_id",
                            "seed": "home.top",
                            "hashVersion": 2,
                            "ranges": [[0.0, 0.1234], [0.9, 1.0]],
                        },
                        {"attribute": "user_id", "seed": "q4-salt", "hashVersion": 2, "ranges": [[0.05, 1.0]]},
                    ],
                    "hashAttribute": "user_id",
                    "hashVersion": 2,
                    "seed": "first.1",
                    "coverage": 0.5,
                    "weights": [0.4, 0.6],
                    "meta": [{"key": "control"}, {"key": "new"}],
                    "disableStickyBucketing": True,
                    "condition": {"country": {"$exists": True, "$type": "string", "$in": ["SE"]}},
                },
            ]
        },
    }


def test_a_null_that_is_previewed_is_refused_and_one_that_is_not_is_allowed() -> None:
    adapter = GrowthbookPayload(OneFile(), StoppedClock())
    nothing: dict[str, list[JsonValue]] = {"title": ["For you", None]}
    adapter.compile_assignment(an_assignment(parameters=nothing, previews={"control": ["tester"]}))
    with pytest.raises(Invalid) as refused:
        adapter.compile_assignment(an_assignment(parameters=nothing, previews={"new": ["tester"]}))
    assert refused.value.code == "not_expressible"


def test_other_test_units_change_an_entry_as_if_it_had_been_compiled_with_them() -> None:
    adapter = GrowthbookPayload(OneFile(), StoppedClock())
    entry = adapter.compile_assignment(an_assignment(previews={"new": ["tester"], "control": ["12"]}))
    assert adapter.with_previews(entry, {}) == adapter.compile_assignment(an_assignment())
    others = {"new": ["007", "8"], "control": ["c"]}
    assert adapter.with_previews(entry, others) == adapter.compile_assignment(an_assignment(previews=others))
    assert adapter.with_previews(entry, {"gone": ["tester"]}) == adapter.compile_assignment(an_assignment())


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_another_coverage_changes_an_entry_as_if_it_had_been_compiled_with_it(
    before: float, after: float, tested: bool
) -> None:
    adapter = GrowthbookPayload(OneFile(), StoppedClock())
    previews = {"new": ["tester"]} if tested else {}
    entry = adapter.compile_assignment(an_assignment(coverage=before, previews=previews))
    wanted = adapter.compile_assignment(an_assignment(coverage=after, previews=previews))
    assert adapter.with_coverage(entry, after) == wanted


def test_a_null_that_was_delivered_cannot_be_given_test_units() -> None:
    adapter = GrowthbookPayload(OneFile(), StoppedClock())
    entry = adapter.compile_assignment(an_assignment(parameters={"title": ["For you", None]}))
    with pytest.raises(Invalid):
        adapter.with_previews(entry, {"new": ["tester"]})


def test_an_entry_takes_the_features_along_that_it_made(payload: Payload) -> None:
    entry = payload.put(an_assignment())
    assert list(payload.document()["features"]) == ["home.title"]
    payload.write("first", entry, None)
    assert payload.document()["features"] == {}


def test_a_default_goes_with_the_last_entry_that_needs_it_and_follows_production_until_then(payload: Payload) -> None:
    first = payload.put(an_assignment("first"))
    second = payload.put(an_assignment("second", production={"title": "For all"}))
    assert payload.document()["features"]["home.title"]["defaultValue"] == "For all"
    payload.write("first", {**first, "defaults": {"home.title": "For all"}}, None)
    assert payload.document()["features"]["home.title"]["defaultValue"] == "For all"
    payload.write("second", second, None)
    assert payload.document()["features"] == {}


def test_a_default_of_others_stays_and_is_no_part_of_the_entry(payload: Payload) -> None:
    theirs: JsonObject = {"home.title": {"defaultValue": "Theirs", "rules": []}, "home.rows": {"defaultValue": 9}}
    payload.file.write_text(json.dumps({"features": theirs}))
    place: JsonObject = {"path": str(payload.file)}
    compiled = payload.adapter.compile_assignment(an_assignment())
    entry = payload.adapter.fitted(place, "payload", "first", compiled)
    assert entry == {**compiled, "defaults": {}}
    payload.write("first", None, entry)
    assert payload.read("first") == entry
    assert payload.adapter.fitted(place, "payload", "first", compiled) == entry
    payload.write("first", entry, None)
    assert payload.document()["features"] == theirs


def test_a_default_that_others_set_between_plan_and_write_is_not_overwritten(payload: Payload) -> None:
    entry = payload.adapter.compile_assignment(an_assignment())
    payload.file.write_text(json.dumps({"features": {"home.title": {"defaultValue": "Theirs"}}}))
    payload.write("first", None, entry)
    assert payload.document()["features"]["home.title"]["defaultValue"] == "Theirs"
    assert payload.read("first") == {**entry, "defaults": {}}


def test_a_default_of_ours_that_somebody_changed_stays_when_the_entry_goes(payload: Payload) -> None:
    payload.put(an_assignment())
    payload.edit('"defaultValue": "For you"', '"defaultValue": "Theirs"')
    payload.write("first", payload.read("first"), None)
    assert payload.document()["features"] == {"home.title": {"defaultValue": "Theirs", "rules": []}}


def test_features_and_rules_of_others_stay(payload: Payload) -> None:
    checkout: JsonObject = {"defaultValue": False, "rules": [{"force": True, "condition": {"z": {"b": 1, "a": 2}}}]}
    foreign: JsonObject = {
        "status": 200,
        "features": {
            "checkout": checkout,
            "odd": 5,
            "home.title": {"rules": [{"id": "vip", "force": "VIP", "condition": {"vip": True}}], "project": "p"},
        },
        "savedGroups": {},
    }
    payload.file.write_text(json.dumps(foreign))
    entry = payload.put(an_assignment(previews={"new": ["tester"]}))
    assert payload.ids("home.title") == ["first:preview:new", "vip", "first"]
    payload.write("first", entry, None)
    kept = payload.document()
    assert kept["features"]["odd"] == 5
    assert json.dumps(kept["features"]["checkout"]) == json.dumps(checkout)
    assert payload.ids("home.title") == ["vip"]
    assert kept["features"]["home.title"]["project"] == "p"
    assert kept["savedGroups"] == {}


def test_previews_come_before_every_experiment_and_a_changed_rule_keeps_its_place(payload: Payload) -> None:
    first = an_assignment("first")
    payload.put(first)
    payload.put(an_assignment("second", previews={"new": ["b"], "control": ["c"]}))
    payload.put(an_assignment("third", previews={"new": ["t"]}))
    assert payload.ids("home.title") == [
        "second:preview:control",
        "second:preview:new",
        "third:preview:new",
        "first",
        "second",
        "third",
    ]
    payload.put(an_assignment("first", coverage=1.0, previews={"new": ["a"]}))
    payload.put(an_assignment("second", coverage=0.1))
    assert payload.ids("home.title") == ["third:preview:new", "first:preview:new", "first", "second", "third"]


HAND_MADE = {
    "a value in a rule": ('"Yours"', '"Mine"'),
    "a weight": ("0.6", "0.61"),
    "a default": ('"defaultValue": "For you"', '"defaultValue": "For them"'),
    "a default taken out": ('"defaultValue": "For you"', '"other": "For you"'),
    "a holdout's share": ("0.05", "0.5"),
    "a preview unit": ('"tester"', '"somebody"'),
    "a rule that lost its id and key": ('"first",', '"other",'),
    "a rule in a foreign feature": ('"features": {', '"features": {"x": {"rules": [{"key": "first", "force": 1}]},'),
    "a feature renamed": ('"home.title": {', '"home.titel": {'),
}


@pytest.mark.parametrize("change", HAND_MADE)
def test_what_somebody_changed_by_hand_is_seen(payload: Payload, change: str) -> None:
    entry = payload.put(
        an_assignment(exclusions=[Exclusion(holdout="h", salt="s", share=0.05)], previews={"new": ["tester"]})
    )
    assert payload.read("first") == entry
    payload.edit(*HAND_MADE[change])
    assert payload.read("first") not in (entry, None)
    held = payload.file.read_bytes()
    with pytest.raises(BackendChanged):
        payload.write("first", entry, None)
    assert payload.file.read_bytes() == held
    payload.write("first", payload.read("first"), None)
    assert payload.read("first") is None


def test_rules_whose_bookkeeping_was_lost_are_still_seen(payload: Payload) -> None:
    entry = payload.put(an_assignment())
    document = payload.document()
    del document["crossfade"]
    payload.file.write_text(json.dumps(document))
    assert payload.read("first") == {"defaults": {}, "rules": entry["rules"]}


def test_an_entry_without_rules_is_present(payload: Payload) -> None:
    payload.write("first", None, {"defaults": {}, "rules": {}})
    assert payload.read("first") == {"defaults": {}, "rules": {}}


@pytest.mark.parametrize(
    "broken",
    [{"features": []}, {"features": 5}],
)
def test_a_payload_of_the_wrong_shape_is_left_as_it_is(payload: Payload, broken: JsonObject) -> None:
    payload.file.write_text(json.dumps(broken))
    with pytest.raises(BackendFailed) as failed:
        payload.put(an_assignment())
    assert not failed.value.retryable
    assert json.loads(payload.file.read_bytes()) == broken


@pytest.mark.parametrize("feature", [5, {"rules": {}}])
def test_a_feature_of_ours_in_the_wrong_shape_is_left_as_it_is(payload: Payload, feature: JsonValue) -> None:
    broken: JsonObject = {"features": {"home.title": feature}}
    payload.file.write_text(json.dumps(broken))
    with pytest.raises(BackendFailed):
        payload.put(an_assignment())
    assert json.loads(payload.file.read_bytes()) == broken


def test_an_entry_of_the_wrong_shape_is_refused(payload: Payload) -> None:
    with pytest.raises(BackendFailed):
        payload.write("first", None, {"variants": {}})
    assert not payload.file.exists()


def test_each_write_has_a_later_date_even_when_the_clock_stands_or_runs_back(payload: Payload) -> None:
    dates: list[JsonValue] = []
    for step in (0, 0, -3_600, 7_200):
        payload.clock.at += timedelta(seconds=step)
        payload.put(an_assignment(coverage=len(dates) / 10))
        dates.append(payload.document()["dateUpdated"])
    assert dates == [
        "2026-11-01T12:00:00.123Z",
        "2026-11-01T12:00:00.124Z",
        "2026-11-01T12:00:00.125Z",
        "2026-11-01T13:00:00.123Z",
    ]


@pytest.mark.parametrize("date", ["yesterday", 5, None, "9999-12-31T23:59:59.999Z", "2020-01-01T00:00:00"])
def test_a_date_that_cannot_be_followed_is_replaced(payload: Payload, date: JsonValue) -> None:
    payload.file.write_text(json.dumps({"features": {}, "dateUpdated": date}))
    payload.put(an_assignment())
    assert payload.document()["dateUpdated"] == "2026-11-01T12:00:00.123Z"


def test_production_values_are_read_and_never_written(tmp_path: Path) -> None:
    store, place = Parameters(Folder()), {"path": str(tmp_path)}
    assert store.production({**place}, "home") == {}
    content = Content(experiment="first", surface="home", environment="p", variants={"control": {"title": "A"}})
    store.write(
        {**place}, store.content_document("home"), "first", before=None, after=store.compile_content(content), fence=1
    )
    assert json.loads((tmp_path / "home.json").read_bytes()) == {
        "surface": "home",
        "parameters": {},
        "experiments": {"first": {"variants": {"control": {"title": "A"}}}},
        "fences": {"first": 1},
    }
    document = {"surface": "home", "parameters": {"rows": 3, "title": None}, "owner": "home-team"}
    (tmp_path / "home.json").write_text(json.dumps(document))
    assert store.production({**place}, "home") == {"rows": 3, "title": None}
    store.write({**place}, "home", "first", before=None, after=store.compile_content(content), fence=1)
    store.write({**place}, "home", "first", before=store.compile_content(content), after=None, fence=1)
    assert json.loads((tmp_path / "home.json").read_bytes()) == {
        **document,
        "experiments": {},
        "fences": {"first": 1},
    }


@pytest.mark.parametrize("document", [{"parameters": []}, {"experiments": 5, "parameters": 5}])
def test_a_surface_document_of_the_wrong_shape_is_refused(tmp_path: Path, document: JsonObject) -> None:
    (tmp_path / "home.json").write_text(json.dumps(document))
    with pytest.raises(BackendFailed):
        Parameters(Folder()).production({"path": str(tmp_path)}, "home")


# Sequences of writes, against a model in memory.

NESTED: JsonValue = {"a": [1, None]}
VALUES: st.SearchStrategy[JsonValue] = st.one_of(
    st.integers(-5, 5), st.booleans(), st.text(max_size=4), st.floats(-1, 1), st.just(NESTED)
)
PARAMETERS = ["title", "rows", "order"]
EXPERIMENTS = ["exp-a", "exp-b", "exp-c"]


@st.composite
def assignments(draw: st.DrawFn, experiment: str) -> Assignment:
    chosen = draw(st.sets(st.sampled_from(PARAMETERS), min_size=1))
    more = draw(st.sets(st.sampled_from(PARAMETERS)))
    cuts = sorted(draw(st.sets(st.integers(0, 10_000), min_size=2, max_size=6)))
    ranges = [BucketRange(lo=lo, hi=hi) for lo, hi in zip(cuts[::2], cuts[1::2], strict=False)]
    return an_assignment(
        experiment,
        ranges=ranges,
        coverage=draw(st.floats(0, 1)),
        parameters={name: [draw(VALUES), draw(VALUES)] for name in sorted(chosen)},
        production={name: draw(VALUES) for name in sorted(chosen | more)},
        previews=draw(st.dictionaries(st.sampled_from(["control", "new"]), st.lists(st.text(max_size=3), max_size=2))),
    )


def steps() -> st.SearchStrategy[list[tuple[str, Assignment | None]]]:
    def step(experiment: str) -> st.SearchStrategy[tuple[str, Assignment | None]]:
        return st.tuples(st.just(experiment), st.none() | assignments(experiment))

    return st.lists(st.sampled_from(EXPERIMENTS).flatmap(step), max_size=12)


@settings(max_examples=50)
@given(steps())
def test_after_any_writes_the_payload_is_what_the_model_says(sequence: list[tuple[str, Assignment | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        payload = Payload(Path(folder))
        rules: dict[str, dict[str, list[JsonObject]]] = {}
        covered: dict[str, set[str]] = {}
        defaults: dict[str, JsonValue] = {}
        for experiment, assignment in sequence:
            before = payload.read(experiment)
            after = payload.adapter.compile_assignment(assignment) if assignment else None
            payload.write(experiment, before, after)
            rules.pop(experiment, None)
            covered.pop(experiment, None)
            if assignment and after:
                rules[experiment] = json.loads(json.dumps(after["rules"]))
                covered[experiment] = {f"home.{name}" for name in assignment.parameters}
                defaults |= {f"home.{name}": assignment.production[name] for name in assignment.parameters}
            needed = set[str]().union(*covered.values())
            defaults = {name: value for name, value in defaults.items() if name in needed}
        for experiment in EXPERIMENTS:
            expected = None
            if experiment in rules:
                held = {name: defaults[name] for name in covered[experiment]}
                expected = {"defaults": held, "rules": rules[experiment]}
            assert payload.read(experiment) == expected
        if sequence and payload.file.exists():
            require_features(json.loads(payload.file.read_bytes())["features"], defaults, rules)


def require_features(
    features: dict[str, dict[str, list[JsonObject]]],
    defaults: dict[str, JsonValue],
    rules: dict[str, dict[str, list[JsonObject]]],
) -> None:
    """The features hold the defaults, every rule once and nothing else, and all previews come first."""
    assert {name: feature["defaultValue"] for name, feature in features.items()} == defaults
    for name, feature in features.items():
        live = feature.get("rules", [])
        expected = [rule for each in rules.values() for rule in each.get(name, [])]
        assert sorted(map(json.dumps, live)) == sorted(map(json.dumps, expected))
        kinds = [":preview:" in str(rule["id"]) for rule in live]
        assert kinds == sorted(kinds, reverse=True)


@pytest.mark.parametrize(
    "damage",
    [
        5,
        {"entries": []},
        {"entries": {"first": 5}},
        {"entries": {"first": {"defaults": "home.title"}}, "fences": 5},
        {"fences": {"first": "1"}},
    ],
)
def test_an_entry_whose_bookkeeping_is_damaged_can_still_be_taken_out(payload: Payload, damage: JsonValue) -> None:
    payload.put(an_assignment())
    payload.file.write_text(json.dumps({**json.loads(payload.file.read_bytes()), "crossfade": damage}))
    payload.write("first", payload.read("first"), None)
    assert payload.read("first") is None
    assert all(not feature.get("rules") for feature in json.loads(payload.file.read_bytes())["features"].values())


def test_the_experiments_of_a_layer_are_those_that_let_its_units_in(payload: Payload) -> None:
    place: JsonObject = {"path": str(payload.file)}
    assert payload.adapter.entries(place) == []
    payload.put(an_assignment("first"))
    payload.put(an_assignment("second", layer_seed="home.low"))
    payload.put(an_assignment("testing", ranges=[], previews={"new": ["tester"]}))
    assert payload.adapter.entries(place, "home.top") == [("payload", "first")]
    assert payload.adapter.entries(place) == [("payload", "first"), ("payload", "second"), ("payload", "testing")]

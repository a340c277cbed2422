"""What GrowthBook is told, and what it is left with, asked of a stand-in that is held to its published description."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from crossfade.adapters.growthbook_rest import GrowthbookRest
from crossfade.adapters.growthbook_rest import api as api_module
from crossfade.adapters.http import HttpClient, client
from crossfade.adapters.http.client import Answer
from crossfade.core.assignment import decide
from crossfade.core.documents import JsonObject, same
from crossfade.core.errors import BackendChanged, BackendFailed, Invalid
from crossfade.core.model.delivery import Assignment, Condition, Exclusion
from crossfade.core.model.plan import BucketRange
from crossfade.core.ports.backend import Assigner

from ..assignments import of_two
from ..servers.growthbook import API_KEY, ENVIRONMENT, KEY_ENV, OTHER_ENVIRONMENT, OWNER, GrowthbookServer
from ..servers.growthbook_sdk import met, value
from .backends import StoppedClock

ALICE = "a11ce000-0000-4000-8000-000000000001"
UNITS = [f"unit-{number}" for number in range(300)]
TITLE, ROWS = "home.title", "home.rows"
GATE, OWNER_MARK = f"crossfade.gate.{ENVIRONMENT}.first", f"crossfade.owner.{ENVIRONMENT}"


assignment = partial(of_two, layer_seed="home.top")


def entry(experiment: str = "first", title: str = "A", **more: Any) -> JsonObject:
    return GrowthbookRest(StoppedClock()).compile_assignment(assignment(experiment, title, **more))


@dataclass
class Subject:
    server: GrowthbookServer
    backend: Assigner = field(default_factory=lambda: GrowthbookRest(StoppedClock()))

    @property
    def settings(self) -> JsonObject:
        return self.server.settings()

    def read(self, name: str = "first") -> JsonObject | None:
        return self.backend.read(self.settings, "features", name)

    def write(self, name: str, before: JsonObject | None, after: JsonObject | None, fence: int = 1) -> None:
        self.backend.write(self.settings, "features", name, before=before, after=after, fence=fence)

    def entered(self, name: str = "first") -> dict[str, str]:
        """The units that an SDK gives a variant of an experiment."""
        found = met(self.server.payload(), TITLE, "user_id", UNITS)
        return {unit: variant for unit, (key, variant) in found.items() if key == name}

    def feature(self, name: str) -> Any:
        return self.server.features.kept[name]

    def experiment(self) -> Any:
        (found,) = self.server.experiments.kept.values()
        return found

    def edit(self, name: str, change: Callable[[Any], None]) -> None:
        """Somebody else publishes a change of a feature."""
        draft = self.server.features.edit(name, "new", "by hand", change)
        self.server.features.publish(name, str(draft["version"]))


@pytest.fixture
def subject(growthbook: GrowthbookServer, monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.setattr(client, "PAUSE", 0.0)
    return Subject(growthbook)


@pytest.fixture
def written(subject: Subject) -> Subject:
    subject.write("first", None, entry())
    return subject


def by_our_rule(made: Assignment) -> dict[str, str]:
    found = {unit: decide(made, {"user_id": unit}).variant for unit in UNITS}
    return {unit: variant for unit, variant in found.items() if variant is not None}


SHAPES: dict[str, dict[str, Any]] = {
    "one range": {},
    "several ranges": {"ranges": [BucketRange(lo=100, hi=2_000), BucketRange(lo=7_001, hi=10_000)]},
    "ranges that touch": {"ranges": [BucketRange(lo=0, hi=5), BucketRange(lo=5, hi=4_000)]},
    "a holdout": {"exclusions": [Exclusion(holdout="quiet", salt="quiet.1", share=0.07)]},
    "two holdouts, one finer than a bucket": {
        "ranges": [BucketRange(lo=0, hi=10_000)],
        "exclusions": [
            Exclusion(holdout="quiet", salt="quiet.1", share=0.07),
            Exclusion(holdout="slow", salt="slow.1", share=0.12345),
        ],
    },
    "a ramp and three variants": {
        "coverage": 0.125,
        "variants": ["control", "new", "newer"],
        "weights": [0.5, 0.3, 0.2],
        "parameters": {"title": ["For you", "A", "B"]},
        "production": {"title": "For you"},
    },
    "values of several types": {
        "parameters": {"title": ["For you", None], "rows": [3, {"a": [1.5]}]},
        "previews": {"control": ["tester-1", "7"]},
    },
    "nobody but test units": {"ranges": []},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_written_is_read_back_and_decides_as_our_rule_does(subject: Subject, shape: str) -> None:
    made = assignment(**SHAPES[shape])
    due = subject.backend.compile_assignment(made)
    subject.write("first", None, due)
    assert same(subject.read(), due)
    assert subject.entered() == by_our_rule(made.model_copy(update={"previews": {}}))
    subject.write("first", due, None)
    assert subject.read() is None
    assert subject.server.payload()["features"] == {}


def test_an_audience_is_read_back_and_one_after_another_takes_its_place(subject: Subject) -> None:
    audience = [
        [
            Condition(attribute="country", type="string", excluded=["NO"]),
            Condition(attribute="age", type="integer", gte=18),
        ]
    ]
    now: JsonObject | None = None
    for after in (entry(), entry(title="B", coverage=0.1), entry(audience=audience, previews={}), None, entry()):
        subject.write("first", now, after)
        assert same(subject.read(), after)
        now = after
    assert subject.backend.entries(subject.settings, "home.top") == [("features", "first")]


def test_the_first_launch_of_an_experiment_takes_at_most_two_dozen_calls(subject: Subject) -> None:
    subject.backend = GrowthbookRest(StoppedClock(), lambda: ALICE)
    subject.write("first", None, entry(previews={}))
    launch = len(subject.server.calls)
    subject.read()
    read = len(subject.server.calls) - launch
    subject.write("first", entry(previews={}), None)
    stop = len(subject.server.calls) - launch - read
    assert (launch, read, stop) == (16, 4, 18)


def test_a_client_stays_below_the_rate_of_the_settings_and_says_when_to_come_back(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert subject.backend.promises.calls_a_minute == 60
    monkeypatch.setenv("ANOTHER_KEY", API_KEY)
    slow: JsonObject = {**subject.settings, "calls_a_minute": 40, "api_key_env": "ANOTHER_KEY"}
    for _ in range(28):
        subject.backend.strangers(slow)
    with pytest.raises(BackendFailed) as waiting:
        subject.backend.write(slow, "features", "first", before=None, after=entry(), fence=1)
    assert re.fullmatch("Wait (5[0-9]|60) seconds, then repeat the call.", waiting.value.next or "")
    assert waiting.value.retryable
    assert 50 < (waiting.value.retry_after or 0) <= 60
    assert len(subject.server.calls) == 30  # a quarter is kept for what closes traffic


def test_a_server_that_takes_no_more_calls_says_when_to_come_back(subject: Subject) -> None:
    subject.server.limit = 0
    try:
        with pytest.raises(BackendFailed) as busy:
            subject.read()
    finally:
        subject.server.limit = None
    assert (busy.value.retryable, busy.value.retry_after) == (True, 60)
    assert busy.value.next == "Wait 60 seconds, then repeat the call."


class Killed(BaseException):
    """The process that writes is gone."""


@dataclass
class Dying:
    """Lets so many changing calls through; the next is not made, or made and not told of."""

    left: int
    made: bool

    def instead(self, call: Callable[..., Answer]) -> Callable[..., Answer]:
        def called(client: HttpClient, method: str, path: str, **more: Any) -> Answer:
            if method != "GET" and self.left == 0:
                if self.made:
                    call(client, method, path, **more)
                raise Killed
            self.left -= method != "GET"
            return call(client, method, path, **more)

        return called


CHANGES: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]] = {
    "launch": (None, {}),
    "launch for test units": (None, {"ranges": []}),
    "launch after test units": ({"ranges": []}, {}),
    "ramp": ({"coverage": 0.1}, {"coverage": 0.5}),
    "other test units": ({}, {"previews": {"control": ["tester-2"]}}),
    "stop": ({}, None),
}


def dying_writes(subject: Subject, change: str) -> Iterator[tuple[str, Any, Any]]:
    """A write that dies at each of its calls in turn, on an experiment of its own: (name, before, after)."""
    number, ended = 0, False
    while not ended:
        for made in (False, True):
            name = f"exp-{number}-{'made' if made else 'unmade'}"
            one, other = (None if each is None else assignment(name, **each) for each in CHANGES[change])
            if one is not None:
                subject.write(name, None, compiled(one))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(HttpClient, "call", Dying(number, made).instead(HttpClient.call))
                try:
                    subject.write(name, compiled(one), compiled(other), fence=2)
                    ended = True
                except Killed:
                    pass
            yield name, one, other
        number += 1


def compiled(made: Assignment | None) -> JsonObject | None:
    return None if made is None else GrowthbookRest(StoppedClock()).compile_assignment(made)


def entered_by(made: Assignment | None) -> dict[str, str]:
    return {} if made is None else by_our_rule(made.model_copy(update={"previews": {}}))


@pytest.mark.parametrize("change", CHANGES)
def test_a_write_that_dies_at_any_call_is_completed_by_a_repeat_or_undone_and_never_lets_others_in(
    subject: Subject, change: str
) -> None:
    cells = 0
    for name, one, other in dying_writes(subject, change):
        before, after = compiled(one), compiled(other)
        assert subject.entered(name) in [entered_by(one), entered_by(other), {}]
        if cells % 4 > 1:
            subject.write(name, after, before, fence=3)  # as an undo does
            assert same(subject.read(name), before)
            subject.write(name, before, after, fence=4)
        else:
            subject.write(name, before, after, fence=3)
        assert same(subject.read(name), after)
        assert subject.entered(name) == entered_by(other)
        subject.write(name, after, None, fence=5)
        cells += 1
    assert cells > 8
    drafts = [each for some in subject.server.features.revisions.values() for each in some if each["status"] == "draft"]
    assert len(drafts) <= cells  # of the gates alone: each is thrown away by the next write


@pytest.mark.parametrize("change", ["launch", "stop"])
def test_traffic_opens_with_the_last_call_and_closes_with_the_first(subject: Subject, change: str) -> None:
    steps: list[int] = []
    call, one = HttpClient.call, entry(previews={})
    if change == "stop":
        subject.write("first", None, one)

    def watched(client: HttpClient, method: str, path: str, **more: Any) -> Answer:
        answer = call(client, method, path, **more)
        if method != "GET":
            steps.append(len(subject.entered()))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HttpClient, "call", watched)
        subject.write("first", *((one, None) if change == "stop" else (None, one)), fence=2)
    if change == "stop":
        assert set(steps) == {0}
    else:
        opened = next(at for at, each in enumerate(steps) if each)
        assert len(steps) - opened == 3  # the start, then the two calls that say that all is done
    assert len(steps) > 5


@pytest.mark.parametrize("asleep", ["/v1/experiments", f"/v2/features/{GATE}/revisions/2/publish", "/start"])
def test_a_writer_that_slept_while_another_took_its_experiment_out_opens_nothing(subject: Subject, asleep: str) -> None:
    call, slept = HttpClient.call, list[str]()
    # Another process, as far as the locks of this one go.
    elsewhere: JsonObject = {**subject.settings, "url": subject.server.url.replace("127.0.0.1", "localhost")}

    def sleeping(client: HttpClient, method: str, path: str, **more: Any) -> Answer:
        if method == "POST" and path.endswith(asleep) and not slept:
            slept.append(path)
            found = subject.backend.read(elsewhere, "features", "first")
            subject.backend.write(elsewhere, "features", "first", before=found, after=None, fence=2)
        return call(client, method, path, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HttpClient, "call", sleeping)
        with pytest.raises(BackendFailed):
            subject.write("first", None, entry(), fence=1)
    assert slept
    assert subject.entered() == {}
    assert value(subject.server.payload(), TITLE, {"user_id": "unit-1"}) in (None, "For you")
    with pytest.raises(BackendChanged):
        subject.write("first", None, entry(), fence=1)
    subject.write("first", subject.read(), None, fence=3)
    assert subject.read() is None
    assert subject.server.payload()["features"] == {}


def test_what_others_have_in_a_feature_stays_and_comes_before_ours_where_it_did(subject: Subject) -> None:
    scope: JsonObject = {"allEnvironments": True}
    theirs = {"type": "force", "value": "Hello", "condition": '{"vip":true}', "description": "VIPs", **scope}
    last = {"type": "force", "value": "Bye", "condition": '{"late":true}', "description": "late", **scope}
    body = {"id": TITLE, "valueType": "string", "defaultValue": "Theirs", "owner": OWNER, "rules": [theirs, last]}
    subject.server.by_hand("POST", "/api/v2/features", body)
    before = json.dumps(subject.feature(TITLE)["rules"])
    wanted = subject.backend.fitted(subject.settings, "features", "first", entry())
    assert wanted["defaults"] == {ROWS: 3}
    subject.write("first", None, wanted)
    assert same(subject.read(), wanted)
    shown = subject.server.payload()
    assert value(shown, TITLE, {"user_id": "tester-1", "vip": True}) == "A"  # test units come first
    assert value(shown, TITLE, {"user_id": "unit-1", "vip": True}) == "Hello"
    assert value(shown, TITLE, {}) == "Theirs"
    standing = subject.backend.standing(subject.settings, "features", "first", wanted)
    assert (standing.actual, standing.due) == (wanted, wanted)
    ids = [each["id"] for each in subject.feature(TITLE)["rules"] if each["description"] in ("VIPs", "late")]
    assert standing.shadows == [f"{TITLE}: {each}" for each in ids]  # no text of others
    elsewhere = subject.server.payload(OTHER_ENVIRONMENT)
    assert value(elsewhere, TITLE, {"user_id": "tester-1"}) == "Theirs"
    after = subject.backend.with_previews(wanted, {"control": ["tester-2"]})
    subject.write("first", wanted, after)
    assert [each["description"] for each in subject.feature(TITLE)["rules"]] == [
        "Crossfade: first:preview:control",
        "VIPs",
        "late",
        "Crossfade: first",
    ]
    subject.write("first", after, None)
    assert json.dumps(subject.feature(TITLE)["rules"]) == before
    assert subject.feature(TITLE)["on"][ENVIRONMENT]
    assert not subject.feature(ROWS)["on"][ENVIRONMENT]
    assert list(subject.server.payload()["features"]) == [TITLE]


def test_what_somebody_publishes_while_we_write_is_merged_and_stays(subject: Subject) -> None:
    subject.server.by_hand(
        "POST", "/api/v2/features", {"id": TITLE, "valueType": "string", "defaultValue": "Theirs", "owner": OWNER}
    )
    call, added = HttpClient.call, list[int]()

    def meanwhile(client: HttpClient, method: str, path: str, **more: Any) -> Answer:
        if f"{TITLE}/revisions/" in path and len(added) < 2:
            added.append(1)
            rule = {"type": "force", "value": f"{len(added)}", "condition": '{"vip":true}', "allEnvironments": True}
            subject.edit(TITLE, lambda draft: subject.server.features.add(draft, TITLE, rule))
        return call(client, method, path, **more)

    wanted = subject.backend.fitted(subject.settings, "features", "first", entry())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HttpClient, "call", meanwhile)
        patch.setattr("crossfade.adapters.growthbook_rest.writing.LONGEST_PAUSE", 0.0)
        subject.write("first", None, wanted)
    assert same(subject.read(), wanted)
    assert sorted(each.get("value", "") for each in subject.feature(TITLE)["rules"]) == ["", "1", "2", "A"]


def by_update(**body: Any) -> Callable[[Subject], object]:
    return lambda subject: subject.server.by_hand("POST", f"/api/v1/experiments/{subject.experiment()['id']}", body)


def by_phase(**changed: Any) -> Callable[[Subject], object]:
    def change(subject: Subject) -> None:
        subject.experiment()["phases"][-1].update(changed)

    return change


def by_edit(name: str, change: Callable[[Any], None]) -> Callable[[Subject], object]:
    return lambda subject: subject.edit(name, change)


def off(draft: Any) -> None:
    draft["on"][ENVIRONMENT] = False


BY_HAND: dict[str, Callable[[Subject], object]] = {
    "stopped": by_update(status="stopped"),
    "stopped, and one variant for everybody": by_update(status="stopped", releasedVariationId="new"),
    "archived": by_update(archived=True),
    "back to a draft": by_update(status="draft"),
    "another coverage": by_phase(coverage=0.3),
    "other weights": by_phase(variationWeights=[0.9, 0.9]),
    "another seed": by_phase(seed="theirs"),
    "another audience": by_phase(condition='{"country": "NO"}'),
    "no gate": by_phase(prerequisites=[]),
    "another hash": by_update(hashVersion=1),
    "other attribute": by_update(hashAttribute="device_id"),
    "sticky": by_update(disableStickyBucketing=False),
    "gate turned off": by_edit(GATE, off),
    "gate without rules": by_edit(GATE, lambda draft: draft["rules"].clear()),
    "gate for everybody": by_edit(GATE, lambda draft: draft["rules"][0].update(coverage=1)),
    "gate by another hash": by_edit(GATE, lambda draft: draft["rules"][0].update(hashVersion=1)),
    "gate archived": by_edit(GATE, lambda draft: draft.update(archived=True)),
    "feature turned off": by_edit(TITLE, off),
    "feature archived": by_edit(TITLE, lambda draft: draft.update(archived=True)),
    "another default": by_edit(TITLE, lambda draft: draft.update(defaultValue="Hello")),
    "rule turned off": by_edit(TITLE, lambda draft: draft["rules"][-1].update(enabled=False)),
    "rule for all environments": by_edit(TITLE, lambda draft: draft["rules"][-1].update(allEnvironments=True)),
    "rule with a condition": by_edit(TITLE, lambda draft: draft["rules"][-1].update(condition='{"a": 1}')),
    "another value": by_edit(TITLE, lambda draft: draft["rules"][-1]["variations"][1].update(value="Z")),
    "no rules": by_edit(TITLE, lambda draft: draft["rules"].clear()),
    "another test unit": by_edit(TITLE, lambda draft: draft["rules"][0].update(condition='{"user_id": "x"}')),
}


@pytest.mark.parametrize("change", BY_HAND)
def test_what_somebody_changes_by_hand_shows_and_is_mended(written: Subject, change: str) -> None:
    due = written.entered()
    BY_HAND[change](written)
    standing = written.backend.standing(written.settings, "features", "first", entry())
    now = written.read()
    assert not same(now, entry())
    assert (standing.actual, standing.due) == (now, entry())
    with pytest.raises(BackendChanged):
        written.write("first", entry(), entry(title="B"))
    written.write("first", now, entry())
    assert same(written.read(), entry())
    assert written.entered() == due


@pytest.mark.parametrize("change", BY_HAND)
def test_a_stop_ends_whatever_somebody_has_made_of_it(written: Subject, change: str) -> None:
    BY_HAND[change](written)
    written.write("first", written.read(), None, fence=2)
    assert written.read() is None
    assert written.entered() == {}
    assert value(written.server.payload(), TITLE, {"user_id": "tester-1"}) is None


@pytest.mark.parametrize("text", ["a person's words", "Crossfade keeps this flag; {broken", ""])
def test_lost_marks_keep_no_stop_out(written: Subject, text: str) -> None:
    written.edit(GATE, lambda draft: draft.update(description=text))
    written.experiment()["description"] = text
    assert same(written.read(), entry())
    assert written.backend.entries(written.settings) == [("features", "first")]
    written.write("first", entry(), None)
    assert (written.read(), written.entered()) == (None, {})


def test_a_feature_whose_mark_is_lost_is_somebody_elses_from_then_on(written: Subject) -> None:
    written.edit(TITLE, lambda draft: draft.update(description="Our title", defaultValue="Hello"))
    due: JsonObject = {**entry(), "defaults": {ROWS: 3}}
    standing = written.backend.standing(written.settings, "features", "first", entry())
    assert (standing.actual, standing.due) == (due, due)
    written.write("first", due, None)
    assert value(written.server.payload(), TITLE, {}) == "Hello"


def test_the_default_of_a_shared_feature_is_as_the_last_entry_set_it(written: Subject) -> None:
    other = entry("second", "B", production={"title": "Welcome", "rows": 3}, ranges=[BucketRange(lo=5_000, hi=6_000)])
    written.write("second", None, other)
    standing = written.backend.standing(written.settings, "features", "first", entry())
    due: JsonObject = {**entry(), "defaults": {TITLE: "Welcome", ROWS: 3}}
    assert (standing.actual, standing.due) == (due, due)
    written.write("second", other, None)
    assert value(written.server.payload(), TITLE, {}) == "Welcome"
    written.write("first", due, None)
    assert written.server.payload()["features"] == {}


def test_an_owner_whose_mark_is_damaged_keeps_nobody_out(subject: Subject) -> None:
    alice = Subject(subject.server, GrowthbookRest(StoppedClock(), lambda: ALICE))
    alice.write("first", None, entry())
    assert subject.backend.strangers(subject.settings) == {"features": ALICE}
    subject.edit(OWNER_MARK, lambda draft: draft.update(description="nonsense"))
    assert subject.backend.strangers(subject.settings) == {}
    alice.write("second", None, entry("second"))
    assert subject.backend.strangers(subject.settings) == {"features": ALICE}


def test_each_launch_has_a_phase_of_its_own_and_a_ramp_none(written: Subject) -> None:
    ramped = entry(coverage=0.5)
    written.write("first", entry(), ramped)
    written.write("first", ramped, None)
    again = entry(seed="first/2")
    written.write("first", None, again)
    assert same(written.read(), again)
    shown = [(each["seed"], each["coverage"], each["variationWeights"]) for each in written.experiment()["phases"]]
    assert shown == [("first/1", 0.5, [0.5, 0.5]), ("first/2", 1.0, [0.5, 0.5])]


def test_an_experiment_of_somebody_else_is_left_alone(subject: Subject) -> None:
    theirs = {"trackingKey": "first", "name": "Theirs", "owner": OWNER, "assignmentQueryId": ""}
    variations = [{"key": "0", "name": "Control"}, {"key": "1", "name": "New"}]
    subject.server.by_hand("POST", "/api/v1/experiments", {**theirs, "variations": variations})
    assert subject.read() is None
    with pytest.raises(BackendChanged) as refused:
        subject.write("first", None, entry())
    assert "somebody else's" in refused.value.message
    subject.write("first", None, None)
    assert subject.experiment()["name"] == "Theirs"
    assert list(subject.server.features.kept) == [GATE]


def test_a_checklist_that_is_not_complete_lets_nobody_in_and_is_named(subject: Subject) -> None:
    subject.server.experiments.connections = 0
    with pytest.raises(BackendFailed) as refused:
        subject.write("first", None, entry())
    assert "sdkConnection" in json.dumps(refused.value.got)
    assert not refused.value.retryable
    assert subject.entered() == {}
    subject.write("first", entry(), None)
    assert subject.read() is None
    assert subject.server.payload()["features"] == {}


def test_an_approval_that_is_missing_is_told_with_its_reason(subject: Subject) -> None:
    subject.server.features.held_up = "This revision requires approval before publishing"
    with pytest.raises(BackendFailed) as refused:
        subject.write("first", None, entry())
    assert "requires approval" in json.dumps(refused.value.got)
    assert subject.entered() == {}


def test_a_long_default_is_kept_by_its_digest_and_put_back(subject: Subject) -> None:
    long, other = "x" * 20_000, "y" * 20_000
    first = entry(parameters={"title": [long, "A"]}, production={"title": long})
    subject.write("first", None, first)
    assert same(subject.read(), first)
    draft = f"/api/v2/features/{TITLE}/revisions"
    subject.server.by_hand("PUT", f"{draft}/new/default-value", {"defaultValue": "z"})
    subject.server.by_hand("POST", f"{draft}/2/publish", {})
    found = subject.backend.standing(subject.settings, "features", "first", first)
    assert not same(found.actual, found.due)
    assert same(found.due, first)
    subject.write("first", found.actual, first, fence=2)
    assert same(subject.read(), first)
    second = entry("second", parameters={"title": [other, "A"]}, production={"title": other})
    subject.write("second", None, second)
    found = subject.backend.standing(subject.settings, "features", "first", first)
    assert same(found.actual, found.due)  # the default is as the last entry set it


def test_an_undo_leaves_no_draft_of_ours_in_a_feature_of_others_that_was_held_up(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature = {"id": TITLE, "valueType": "string", "defaultValue": "For you", "owner": OWNER}
    subject.server.by_hand("POST", "/api/v2/features", feature)
    features = subject.server.features
    publish = features.publish

    def held_up(name: str, version: str) -> dict[str, Any]:
        features.held_up = "This revision requires approval before publishing" if name == TITLE else None
        return publish(name, version)

    monkeypatch.setattr(features, "publish", held_up)
    with pytest.raises(BackendFailed):
        subject.write("first", None, entry())
    subject.write("first", entry(), None)
    assert [each["status"] for each in features.revisions[TITLE]] == ["published", "discarded"]


def test_a_feature_of_others_of_another_type_or_turned_off_is_told_before_a_launch(subject: Subject) -> None:
    feature = {"id": TITLE, "valueType": "number", "defaultValue": "1", "owner": OWNER}
    subject.server.by_hand("POST", "/api/v2/features", feature)
    with pytest.raises(BackendFailed) as refused:
        subject.backend.fitted(subject.settings, "features", "first", entry())
    assert "another type" in refused.value.message
    subject.server.clear()
    closed = {**feature, "valueType": "json", "environments": {ENVIRONMENT: {"enabled": False}}}
    subject.server.by_hand("POST", "/api/v2/features", closed)
    with pytest.raises(BackendFailed) as refused:
        subject.backend.fitted(subject.settings, "features", "first", entry())
    assert "is off" in refused.value.message


def test_what_lets_only_test_units_in_is_no_stray_of_its_layer(written: Subject) -> None:
    written.write("draft", None, entry("draft", ranges=[], previews={"new": ["tester-9"]}))
    assert written.backend.entries(written.settings) == [("features", "draft"), ("features", "first")]
    assert written.backend.entries(written.settings, "home.top") == [("features", "first")]
    assert value(written.server.payload(), TITLE, {"user_id": "tester-9"}) == "A"


def test_what_others_run_is_told_without_ours(written: Subject) -> None:
    assert isinstance(written.backend, GrowthbookRest)
    scope: JsonObject = {"allEnvironments": False, "environments": [ENVIRONMENT]}
    rule = {"type": "rollout", "value": "Hi", "coverage": 0.25, "hashAttribute": "user_id", "condition": '{"a":"b"}'}
    body: JsonObject = {**rule, **scope}
    written.edit(TITLE, lambda draft: written.server.features.add(draft, TITLE, body))
    [found] = written.backend.foreign(written.settings)
    assert (found.surface, found.touched, found.share, found.audience) == ("home", ["title"], 0.25, {"a": "b"})
    assert written.backend.foreign({**written.settings, "environment": OTHER_ENVIRONMENT}) == []


def test_features_beyond_the_first_page_are_found(written: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "PAGE", 2)
    written.write("second", None, entry("second"))
    assert written.backend.entries(written.settings) == [("features", "first"), ("features", "second")]


def test_weights_that_do_not_add_up_are_refused_since_growthbook_takes_them() -> None:
    with pytest.raises(Invalid) as refused:
        entry(weights=[0.9, 0.9])
    assert refused.value.code == "not_expressible"


def test_previews_and_coverage_change_an_entry_as_a_new_compilation_would() -> None:
    backend = GrowthbookRest(StoppedClock())
    for units in ({}, {"control": ["a"], "new": ["b", "c"]}):
        assert same(backend.with_previews(entry(), units), entry(previews=units))
    assert same(backend.with_coverage(entry(), 0.05), entry(coverage=0.05))


WRONG_SETTINGS: list[tuple[JsonObject, list[str]]] = [
    ({}, ["/api_key_env", "/environment", "/owner", "/url"]),
    ({"url": "ftp://a", "api_key_env": "KEY", "environment": "x", "owner": "a@b"}, ["/url"]),
    ({"url": "http://a", "api_key_env": "secret_x", "environment": "x", "owner": "a@b"}, ["/api_key_env"]),
    ({"url": "http://a", "api_key_env": "KEY", "environment": "x/y", "owner": ""}, ["/environment", "/owner"]),
    (
        {"url": "http://a", "api_key_env": "KEY", "environment": "x", "owner": "a", "calls_a_minute": 39},
        ["/calls_a_minute"],
    ),
    ({"url": "http://a", "api_key_env": "KEY", "environment": "x", "owner": "a", "key": "secret_x"}, ["/key"]),
]


@pytest.mark.parametrize(("settings", "places"), WRONG_SETTINGS)
def test_wrong_settings_are_named_and_never_used(settings: JsonObject, places: list[str]) -> None:
    backend = GrowthbookRest(StoppedClock())
    problems = backend.problems(settings)
    assert sorted(pointer for pointer, _ in problems) == places
    assert all(message and "secret_x" not in message for _, message in problems)
    with pytest.raises(BackendFailed) as failed:
        backend.read(settings, "features", "first")
    assert "secret_x" not in json.dumps(failed.value.as_dict())


def test_an_environment_a_key_or_a_server_that_is_not_there_is_told(
    written: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases: list[tuple[JsonObject, str]] = [
        ({"environment": "elsewhere"}, "no such environment"),
        ({"url": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"url": f"{written.server.url}/api"}, "nothing at this address"),
        ({"api_key_env": "WRONG_KEY"}, "does not know the token"),
        ({"api_key_env": "NO_KEY"}, "not set"),
    ]
    monkeypatch.setenv("WRONG_KEY", "secret_wrong")
    for changed, told in cases:
        with pytest.raises(BackendFailed) as failed:
            written.backend.probe({**written.settings, **changed})
        assert told in failed.value.message
    assert KEY_ENV in json.dumps(written.settings)
    found = written.backend.probe(written.settings)
    assert (found.ours, found.strangers) == (False, {})

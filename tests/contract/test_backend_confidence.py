"""What Confidence is told, and what it is left with, asked of a fake of its published description."""

from __future__ import annotations

import json
import operator
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.adapters.all_backends import all_backends
from crossfade.adapters.confidence import Confidence, api
from crossfade.adapters.http import HttpClient
from crossfade.adapters.http.client import Answer
from crossfade.core.documents import JsonObject, same
from crossfade.core.errors import BackendChanged, BackendDenied, BackendFailed, Invalid
from crossfade.core.model.delivery import Condition, Exclusion
from crossfade.core.model.experiment import VARIANT_KEY
from crossfade.core.model.plan import BucketRange
from crossfade.core.ports.backend import allocates, assigns
from crossfade.server.clock import SystemClock

from ..assignments import LAYER, of_two
from ..servers.confidence import CLIENT, ID_ENV, SECRET, SECRET_ENV, ConfidenceServer, settings_for

TAG = "crossfade.production.home.top"
TITLE = "crossfade first/1"


def entry(experiment: str = "first", title: str = "A", **more: Any) -> JsonObject:
    return Confidence().compile_assignment(of_two(experiment, title, **more))


@dataclass
class Subject:
    server: ConfidenceServer
    backend: Confidence = field(default_factory=Confidence)

    @property
    def settings(self) -> JsonObject:
        return settings_for(self.server.url)

    def read(self, name: str = "first") -> JsonObject | None:
        return self.backend.read(self.settings, "flags", name)

    def write(self, name: str, before: JsonObject | None, after: JsonObject | None, fence: int = 1) -> None:
        self.backend.write(self.settings, "flags", name, before=before, after=after, fence=fence)

    def rules(self, name: str = "first") -> list[Any]:
        return self.server.held()[f"flags/{name}"].get("rules", [])


@pytest.fixture
def subject(confidence: ConfidenceServer) -> Subject:
    return Subject(confidence)


@pytest.fixture
def written(subject: Subject) -> Subject:
    subject.write("first", None, entry())
    return subject


def test_what_was_written_is_read_back_and_what_was_taken_out_is_absent(subject: Subject) -> None:
    now: JsonObject | None = None
    audience = [
        [
            Condition(attribute="country", type="string", excluded=["NO"]),
            Condition(attribute="age", type="integer", gte=18),
        ]
    ]
    odd = {"rows": [[1, 2], [3]], "look": [{"wide": True}, {"wide": False, "by": 0.5}], "on": [True, False]}
    kept = Confidence().closed(entry(title="B", coverage=0.1))
    for after in (entry(title="B", coverage=0.1), kept, None, entry(audience=audience, previews={}), None):
        subject.write("first", now, after)
        assert same(subject.read(), after)
        now = after
    after = entry("second", parameters=odd, seed="second/7")
    subject.write("second", None, after)
    assert same(subject.read("second"), after)
    assert subject.backend.entries(subject.settings) == [("flags", "second")]
    assert subject.backend.entries(subject.settings, LAYER) == [("flags", "second")]
    assert subject.backend.entries(subject.settings, "production/home/other") == []


ODD: list[list[JsonValue]] = [[{}, {"look": {}}], [{}, {}], [[{}], []], [1e22, 3], [-(2**60), 0.5]]


@pytest.mark.parametrize("values", ODD)
def test_objects_without_fields_and_large_numbers_are_read_back(subject: Subject, values: list[JsonValue]) -> None:
    after = entry(parameters={"look": values})
    subject.write("first", None, after)
    assert same(subject.read(), after)


def test_traffic_opens_with_one_call_after_all_that_narrows_it_and_closes_with_the_first(written: Subject) -> None:
    changes = written.server.changes
    opening = changes.index("PATCH /v1/flags/first", changes.index("POST /v1/flags/first/rules"))
    assert not any(each.startswith("POST") for each in changes[opening:])
    changes.clear()
    for fence, after in ((1, Confidence().closed(entry())), (2, None)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HttpClient, "call", Dying(1, made=False).instead(HttpClient.call))
            with pytest.raises(Killed):
                written.write("first", entry(), after, fence)
        assert not any(each.get("enabled") for each in written.rules())
        written.write("first", entry(), after, fence)
        assert same(written.read(), after)
        written.write("first", after, entry(), fence)
    written.write("first", entry(), None, fence=2)
    assert (written.rules(), written.server.allocated()) == ([], [])


def test_whoever_gives_out_units_itself_has_no_hash_and_can_keep_them() -> None:
    for backend in all_backends(SystemClock()).values():
        if assigns(backend):
            by_itself = backend.capabilities.allocates
            assert (backend.hashing is None) == allocates(backend) == hasattr(backend, "closed") == by_itself


def test_a_ramp_changes_nothing_but_the_buckets_of_the_rule(written: Subject) -> None:
    segments = written.server.allocated()
    wider = Confidence().with_coverage(entry(), 0.2)
    assert same(wider, entry(coverage=0.2))
    assert same(Confidence().with_coverage(wider, 0.7), entry(coverage=0.7))
    written.server.changes.clear()
    written.write("first", entry(), wider)
    assert {each.partition(" ")[0] for each in written.server.changes} == {"PATCH"}
    assert written.server.allocated() == segments
    spec = written.rules()[1]["assignmentSpec"]["assignments"]
    assert [each["bucketRanges"] for each in spec] == [
        [{"upper": 1000}],
        [{"lower": 5000, "upper": 6000}],
        [{"lower": 1000, "upper": 5000}, {"lower": 6000, "upper": 10000}],
    ]


def test_the_order_in_which_variants_are_told_does_not_matter(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = subject.server.update_flag

    def turned(name: str, query: dict[str, str], body: Any) -> Any:
        flag = update(name, query, body)
        flag.variants.sort(key=operator.attrgetter("name"), reverse=True)
        return flag

    monkeypatch.setattr(subject.server, "update_flag", turned)
    after = entry(previews={"new": ["one"], "control": ["two"]})
    subject.write("first", None, after)
    assert same(subject.read(), after)
    subject.write("first", after, other := entry())
    assert same(subject.read(), other)


def test_no_variant_shares_the_name_of_what_a_coverage_leaves_out(subject: Subject) -> None:
    after = entry(variants=["control", "rest"], coverage=0.5, previews={})
    subject.write("first", None, after)
    assert same(subject.read(), after)
    named = [each["assignmentId"] for each in subject.rules()[0]["assignmentSpec"]["assignments"]]
    assert len({*named}) == len(named) == 3
    assert not any(re.fullmatch(VARIANT_KEY, each) for each in {*named} - {"control", "rest"})


def test_other_test_units_come_before_the_experiment_and_the_old_ones_segment_goes(written: Subject) -> None:
    after = Confidence().with_previews(entry(), {"control": ["tester-2"], "gone": ["tester-3"]})
    assert same(after, entry(previews={"control": ["tester-2"]}))
    written.write("first", entry(), after)
    titles = {name: each.get("displayName") for name, each in written.server.held().items()}
    assert [titles[each["segment"]].split()[2:4] for each in written.rules()] == [["test", "control"], []]
    assert len(written.server.allocated()) == 2


def test_a_share_that_others_hold_is_refused_and_a_removal_leaves_nothing_of_it(subject: Subject) -> None:
    subject.write("second", None, entry("second", ranges=[BucketRange(lo=0, hi=8_000)], previews={}))
    with pytest.raises(BackendFailed) as refused:
        subject.write("first", None, entry(previews={}))
    assert not refused.value.retryable
    assert refused.value.got == {"share": 0.25, "tag": TAG, "free": "0.200000"}
    assert subject.read() is None
    subject.write("first", entry(previews={}), None)  # as an undo does
    assert subject.server.allocated() == ["crossfade second/1"]
    smaller = entry(previews={}, ranges=[BucketRange(lo=8_000, hi=10_000)], seed="first/2")
    subject.write("first", None, smaller)
    assert same(subject.read(), smaller)
    assert sum(name.startswith("segments/") for name in subject.server.held()) == 2  # the one without units became it


def test_a_rule_that_went_comes_back_with_the_same_units_and_a_segment_that_went_is_told(written: Subject) -> None:
    (_, main) = written.rules()
    written.server.admin("PATCH", "/v1/flags/first?updateMask=rules", {})
    assert written.read() is None
    written.write("first", None, entry())
    assert written.rules()[1]["segment"] == main["segment"]
    written.server.admin("PATCH", "/v1/flags/first?updateMask=rules", {})
    written.server.admin("POST", f"/v1/{main['segment']}:archive", {})
    for _ in range(2):
        with pytest.raises(BackendFailed, match="archived the experiment's segment"):
            written.write("first", None, entry())
    written.write("first", entry(), None)
    assert written.server.allocated() == []


BY_HAND: dict[str, Callable[[ConfidenceServer, dict[str, Any]], object]] = {
    "a rule that is off": lambda server, main: server.admin(
        "PATCH", f"/v1/{main['name']}?updateMask=enabled", {"enabled": False}
    ),
    "another key": lambda server, main: server.admin(
        "PATCH", f"/v1/{main['name']}?updateMask=targetingKeySelector", {"targetingKeySelector": "device"}
    ),
    "no rule": lambda server, _: server.admin("PATCH", "/v1/flags/first?updateMask=rules", {}),
    "another value": lambda server, _: server.admin(
        "PATCH",
        "/v1/flags/first?updateMask=variants",
        {
            "variants": [
                {"name": f"flags/first/variants/{name}", "value": {"title": "X", "rows": 1}}
                for name in ("control", "new")
            ]
        },
    ),
    "no client": lambda server, _: server.admin("POST", "/v1/flags/first:removeFlagClient", {"client": CLIENT}),
    "one more rule": lambda server, main: server.admin(
        "POST", "/v1/flags/first/rules", {each: main[each] for each in ("segment", "assignmentSpec")}
    ),
}


@pytest.mark.parametrize("change", BY_HAND)
def test_what_somebody_changed_by_hand_is_seen_and_put_back(written: Subject, change: str) -> None:
    BY_HAND[change](written.server, written.rules()[1])
    now = written.read()
    assert not same(now, entry())
    written.write("first", now, entry())
    assert same(written.read(), entry())
    BY_HAND[change](written.server, written.rules()[1])
    written.write("first", written.read(), None)
    assert (written.read(), written.server.allocated()) == (None, [])


def test_a_stop_goes_through_with_one_call_where_a_rule_has_lost_its_segment(written: Subject) -> None:
    for each in written.server.segments.values():
        each.state = each.ARCHIVED  # as nobody can while a rule refers to it, by the description
    now = written.read()
    assert now is not None
    assert Confidence().closed(now) is None
    written.server.changes.clear()
    written.write("first", now, None, fence=2)
    assert written.read() is None
    assert written.server.changes[0] == "PATCH /v1/flags/first"
    assert written.rules() == []


def test_a_flag_of_others_or_one_that_was_archived_is_left_as_it_is(subject: Subject) -> None:
    subject.server.admin("POST", "/v1/flags?flagId=first", {"description": "Theirs"})
    held = subject.server.held()
    with pytest.raises(BackendChanged, match="is somebody else's"):
        subject.write("first", None, entry())
    assert subject.server.held() == held
    subject.server.admin("POST", "/v1/flags/first:archive", {})
    with pytest.raises(BackendChanged, match="was archived"):
        subject.write("first", None, entry())
    assert subject.server.held() == {"flags/first": {**held["flags/first"], "state": "ARCHIVED"}}


def test_a_lost_mark_keeps_no_stop_out(written: Subject) -> None:
    for text in ("a person's words", "Crossfade keeps this flag; {broken", ""):
        written.server.admin("PATCH", "/v1/flags/first?updateMask=description", {"description": text})
        assert same(written.read(), entry())
        assert ("flags", "first") in written.backend.entries(written.settings)
    written.write("first", entry(), None)
    assert (written.rules(), written.server.allocated()) == ([], [])


def test_a_token_that_is_not_taken_any_more_is_renewed_once(written: Subject) -> None:
    written.server.forget_tokens()
    written.write("first", entry(), None)
    assert written.read() is None


def test_a_wrong_secret_is_told_without_it(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{SECRET_ENV}_WRONG", f"{SECRET}-not")
    settings: JsonObject = {**subject.settings, "client_secret_env": f"{SECRET_ENV}_WRONG"}
    with pytest.raises(BackendDenied) as refused:
        subject.backend.read(settings, "flags", "first")
    assert SECRET not in json.dumps(refused.value.as_dict())
    with pytest.raises(BackendDenied):
        subject.backend.probe({**subject.settings, "token_env": ID_ENV})


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of other tests are forgotten before and after."""
    monkeypatch.setattr(api, "_made", api.Api)


TOKENS: list[JsonValue] = [
    {"accessToken": "made-up-token", "expiresIn": "a day"},
    {"accessToken": "made-up-token", "expiresIn": "86400s"},
    {"accessToken": "made-up-token"},
    {"accessToken": "two\nlines", "expiresIn": "60"},
    {"accessToken": "", "expiresIn": "60"},
    [],
]


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("answer", TOKENS)
def test_an_odd_answer_for_a_token_is_a_token_or_told_as_none(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, answer: JsonValue
) -> None:
    monkeypatch.setattr(subject.server, "_token", lambda body: answer)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(BackendDenied) as refused:  # the fake has never given this one
        subject.read()
    knows = isinstance(answer, dict) and answer["accessToken"] == "made-up-token"
    assert ("does not know the token" in refused.value.message) == knows


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("status", [404, 429, 500, 502])
def test_a_token_service_that_fails_and_repeats_the_secret_is_told_without_it(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def failing(method: str, target: str, authorization: str, raw: bytes) -> tuple[int, Any]:
        return status, {"message": f"cannot read {raw.decode()}"}

    monkeypatch.setattr(subject.server, "answer", failing)
    with pytest.raises(BackendFailed) as refused:
        subject.read()
    assert SECRET not in json.dumps(refused.value.as_dict())


UNFIT: dict[str, dict[str, Any]] = {
    "a holdout": {"exclusions": [Exclusion(holdout="quiet", salt="q", share=0.1)]},
    "a null": {"parameters": {"title": ["A", None]}},
    "values of two types": {"parameters": {"title": ["A", 1]}},
    "a long text": {"parameters": {"title": ["A", "x" * 251]}},
    "a long name": {"parameters": {"x" * 33: ["A", "B"]}},
    "deep objects": {"parameters": {"a": [{"b": {"c": {"d": {"e": 1}}}}, {}]}},
    "odd weights": {"weights": [0.33333, 0.66667]},
    "a version": {"audience": [[Condition(attribute="version", type="semver", gte="1.0.0")]]},
    "a range of dates": {"audience": [[Condition(attribute="joined", type="date", gte="2026-01-01")]]},
    "nobody": {"audience": []},
    "a large whole number": {"parameters": {"a": [2**53 + 1, 3]}},
    "a huge whole number": {"parameters": {"a": [10**400, 3]}},
    "a large whole number in an audience": {"audience": [[Condition(attribute="age", type="integer", gte=2**53 + 1)]]},
    "a short key": {"experiment": "abc"},
    "our own key": {"experiment": "crossfade-owner"},
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_confidence_cannot_express_is_refused_before_anything_is_written(what: str) -> None:
    with pytest.raises(Invalid) as refused:
        entry(**{"experiment": "first", **UNFIT[what]})
    assert refused.value.code == "not_expressible"


WRONG: list[tuple[JsonObject, str]] = [
    ({"clients": []}, "/clients"),
    ({"clients": ["website"]}, "/clients/0"),
    ({"region": "mars"}, "/region"),
    ({"client_secret_env": "the secret itself"}, "/client_secret_env"),
    ({"environment": "production"}, "/environment"),
    ({"url": "https://user:password@confidence.example"}, "/url"),
    ({"secret": "x"}, "/secret"),
]


@pytest.mark.parametrize(("change", "at"), WRONG)
def test_a_wrong_setting_is_told_and_never_its_value(change: JsonObject, at: str) -> None:
    ((pointer, message),) = Confidence().problems({"clients": [CLIENT], **change})
    assert pointer == at.removesuffix("/0")
    assert not any(str(each) in message for each in change.values() if each not in ([], "production"))
    assert Confidence().location({"clients": [CLIENT], **change}) is None


def test_regions_clients_and_environments_are_places_of_their_own() -> None:
    places: list[JsonObject] = [
        {"clients": [CLIENT]},
        {"clients": [CLIENT], "region": "us"},
        {"clients": ["clients/other"]},
        {"clients": [CLIENT], "environment": "environments/test"},
    ]
    assert len({Confidence().location(each) for each in places}) == 4


def test_what_was_written_before_a_client_was_added_is_still_listed(written: Subject) -> None:
    more: JsonObject = {**written.settings, "clients": ["clients/made-up-app", CLIENT]}
    assert written.backend.entries(more) == written.backend.entries(more, LAYER) == [("flags", "first")]
    elsewhere: list[JsonObject] = [{"clients": ["clients/made-up-app"]}, {"environment": "environments/staging"}]
    for other in elsewhere:
        assert written.backend.entries({**written.settings, **other}) == []


def test_rules_hold_in_the_environment_of_the_settings_alone(subject: Subject) -> None:
    settings: JsonObject = {**subject.settings, "environment": "environments/test"}
    subject.backend.write(settings, "flags", "first", before=None, after=entry(), fence=1)
    assert same(subject.backend.read(settings, "flags", "first"), entry())
    assert {tuple(each["environments"]) for each in subject.rules()} == {("environments/test",)}
    assert subject.backend.entries(settings) == [("flags", "first")]
    assert subject.backend.entries(subject.settings) == []


class Killed(BaseException):
    """The process that writes is gone."""


@dataclass
class Dying:
    """Lets so many changing calls through; the next is not made, or made and not told of."""

    left: int
    made: bool

    def instead(self, call: Callable[..., Answer]) -> Callable[..., Answer]:
        def called(client: HttpClient, method: str, path: str, **more: Any) -> Answer:
            changes = method != "GET"
            if changes and self.left == 0:
                if self.made:
                    call(client, method, path, **more)
                raise Killed
            self.left -= changes
            return call(client, method, path, **more)

        return called


SMALL: dict[str, Any] = {"ranges": [BucketRange(lo=0, hi=100)]}
CHANGES: dict[str, tuple[JsonObject | None, JsonObject | None]] = {
    "launch": (None, entry(**SMALL)),
    "ramp": (entry(coverage=0.1, **SMALL), entry(coverage=0.5, **SMALL)),
    "other test units": (entry(**SMALL), entry(previews={"control": ["tester-2"]}, **SMALL)),
    "pause": (entry(**SMALL), Confidence().closed(entry(**SMALL))),
    "stop": (entry(**SMALL), None),
}


def dying_writes(subject: Subject, change: str) -> Iterator[tuple[str, JsonObject | None, JsonObject | None]]:
    """A write that dies at each of its calls in turn, on an experiment of its own: (name, before, after)."""
    before, after = (json.dumps(each) for each in CHANGES[change])
    number, ended = 0, False
    while not ended:
        for made in (False, True):
            name = f"exp-{number}-{'made' if made else 'unmade'}"
            one, other = (json.loads(each.replace("first", name)) for each in (before, after))
            if one is not None:
                subject.write(name, None, one)
            with pytest.MonkeyPatch.context() as patch:
                dying = Dying(number, made)
                patch.setattr(HttpClient, "call", dying.instead(HttpClient.call))
                try:
                    subject.write(name, one, other, fence=2)
                    ended = True
                except Killed:
                    pass
            yield name, one, other
        number += 1


@pytest.mark.parametrize("change", CHANGES)
def test_a_write_that_dies_at_any_call_is_completed_by_a_repeat_or_undone(subject: Subject, change: str) -> None:
    number = 0
    for name, before, after in dying_writes(subject, change):
        segments = subject.server.allocated()
        if number % 2 and change != "stop":  # which is never undone
            subject.write(name, after, before, fence=3)
            assert same(subject.read(name), before)
            subject.write(name, before, after, fence=4)
        else:
            subject.write(name, before, after, fence=3)
        assert same(subject.read(name), after)
        left = [each for each in subject.server.allocated() if each.startswith(f"crossfade {name}")]
        assert len(left) == rules_of(after), segments
        number += 1
    assert number > 4


def rules_of(wanted: JsonObject | None) -> int:
    tests: JsonValue = wanted["tests"] if wanted is not None else []
    assert isinstance(tests, list)
    return len(tests) + (wanted is not None and "rule" in wanted)


def test_a_read_takes_a_call_for_the_flag_and_one_for_each_rule(written: Subject) -> None:
    counted: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        call = HttpClient.call

        def counting(client: HttpClient, method: str, path: str, **more: Any) -> Answer:
            counted.append(path)
            return call(client, method, path, **more)

        patch.setattr(HttpClient, "call", counting)
        began = time.monotonic()
        written.read()
    assert len(counted) == 3
    assert time.monotonic() - began < 5

"""What is Unleash's own, beyond the suite over every backend, asked of a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.adapters.http import HttpClient
from crossfade.adapters.http.client import Answer
from crossfade.adapters.unleash import Unleash
from crossfade.adapters.unleash.api import api_of
from crossfade.adapters.unleash.settings import UnleashSettings
from crossfade.core.documents import JsonObject, same
from crossfade.core.errors import BackendChanged, BackendFailed, Invalid
from crossfade.core.model.delivery import Condition, Exclusion
from crossfade.core.model.plan import BucketRange
from crossfade.core.ports.backend import Assigner

from ..assignments import LAYER, of_two
from ..servers.unleash import ENVIRONMENT, FLAGS, UnleashServer
from ..servers.unleash_sdk import Product
from .backends import ALICE, BOB

pytestmark = pytest.mark.backends

LAYER_FLAG = "crossfade.production.home.top"
UNITS = [f"unit-{number}" for number in range(200)]


def entry(experiment: str = "first", title: str = "A", **more: Any) -> JsonObject:
    return Unleash().compile_assignment(of_two(experiment, title, **more))


@dataclass
class Subject:
    server: UnleashServer
    backend: Assigner = field(default_factory=Unleash)

    @property
    def settings(self) -> JsonObject:
        return self.server.settings

    def read(self, name: str = "first") -> JsonObject | None:
        return self.backend.read(self.settings, "flags", name)

    def write(self, name: str, before: JsonObject | None, after: JsonObject | None, fence: int = 1) -> None:
        self.backend.write(self.settings, "flags", name, before=before, after=after, fence=fence)

    def of(self, owner: str) -> Subject:
        return Subject(self.server, Unleash(lambda: owner))

    def entered(self, name: str = "first") -> dict[str, str]:
        """The units that an SDK gives a variant."""
        product = Product(self.server.state())
        found = {unit: product.variant(name, {"user_id": unit}) for unit in UNITS}
        return {unit: variant for unit, variant in found.items() if variant is not None}


@pytest.fixture
def subject(unleash: UnleashServer) -> Subject:
    return Subject(unleash)


@pytest.fixture
def written(subject: Subject) -> Subject:
    subject.write("first", None, entry())
    return subject


def test_every_part_of_an_entry_comes_back_from_whichever_it_was_before(subject: Subject) -> None:
    now: JsonObject | None = None
    audience = [
        [
            Condition(attribute="country", type="string", excluded=["NO"]),
            Condition(attribute="age", type="integer", gte=18),
        ]
    ]
    for after in (entry(), entry(title="B", coverage=0.1), entry(audience=audience, previews={}), None, entry()):
        subject.write("first", now, after)
        assert same(subject.read(), after)
        now = after


def test_a_stop_archives_the_flag_without_its_strategies_and_leaves_the_layer(written: Subject) -> None:
    written.write("first", entry(), None)
    assert written.server.admin("GET", f"{FLAGS}/first").status_code == 404
    assert [each["title"] for each in written.server.strategies(LAYER_FLAG)] == ["slots"]
    written.server.admin("POST", "/api/admin/archive/revive/first")
    revived = written.server.flag("first")
    assert revived["dependencies"] == []  # why no strategy may be left in it
    assert written.server.strategies("first") == []
    assert written.entered() == {}


def test_a_lost_mark_keeps_no_stop_out(written: Subject) -> None:
    for text in ("a person's words", "Crossfade keeps this flag; {broken", ""):
        written.server.admin("PATCH", f"{FLAGS}/first", [{"op": "replace", "path": "/description", "value": text}])
        assert same(written.read(), entry())
        assert ("flags", "first") in written.backend.entries(written.settings)
    written.write("first", entry(), None)
    assert written.entered() == {}


def test_an_owner_that_is_archived_or_damaged_keeps_nobody_out(subject: Subject) -> None:
    alice = subject.of(ALICE)
    alice.write("first", None, entry())
    mark = f"crossfade.owner.{ENVIRONMENT}"
    subject.server.admin("PATCH", f"{FLAGS}/{mark}", [{"op": "replace", "path": "/description", "value": "nonsense"}])
    assert subject.of(BOB).backend.strangers(subject.settings) == {}
    alice.write("second", None, entry("second"))
    assert subject.of(BOB).backend.strangers(subject.settings) == {"flags": ALICE}
    subject.server.admin("DELETE", f"{FLAGS}/{mark}")
    alice.write("second", entry("second"), None)
    assert subject.of(BOB).backend.strangers(subject.settings) == {"flags": ALICE}


class Killed(BaseException):
    """The process that writes is gone."""


@dataclass
class Dying:
    """Lets so many changing calls through; the next is not made, or made and not told of."""

    left: int
    made: bool

    def instead(self, call: Callable[..., Answer]) -> Callable[..., Answer]:
        def called(client: HttpClient, method: str, path: str, **more: Any) -> Answer:
            changes = method != "GET" and more.get("json") != []
            if changes and self.left == 0:
                if self.made:
                    call(client, method, path, **more)
                raise Killed
            self.left -= changes
            return call(client, method, path, **more)

        return called


CHANGES: dict[str, tuple[JsonObject | None, JsonObject | None]] = {
    "launch": (None, entry()),
    "ramp": (entry(coverage=0.1), entry(coverage=0.5)),
    "other test units": (entry(), entry(previews={"control": ["tester-2"]})),
    "stop": (entry(), None),
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
def test_a_write_that_dies_at_any_call_is_completed_by_a_repeat_or_undone_and_never_lets_others_in(
    subject: Subject, change: str
) -> None:
    seeds = 0
    for name, before, after in dying_writes(subject, change):
        allowed = [entered_by(each) for each in (before, after)]
        assert subject.entered(name) in [*allowed, {}]
        if seeds % 2:
            subject.write(name, after, before, fence=3)  # as an undo does
            assert same(subject.read(name), before)
            subject.write(name, before, after, fence=4)
        else:
            subject.write(name, before, after, fence=3)
        assert same(subject.read(name), after)
        assert subject.entered(name) == allowed[1]
        seeds += 1
    assert seeds > 4


def entered_by(wanted: JsonObject | None) -> dict[str, str]:
    """What an SDK says of an entry, by our own rule."""
    if wanted is None:
        return {}
    from crossfade.core.assignment import decide

    strategies: Any = wanted["strategies"]
    main = strategies[-1]
    found = of_two(main["id"], seed=main["groupId"], coverage=main["rollout"] / 100)
    decided = {unit: decide(found, {"user_id": unit}, Unleash().hashing).variant for unit in UNITS}
    return {unit: variant for unit, variant in decided.items() if variant is not None}


BY_HAND: dict[str, Callable[[UnleashServer, JsonObject], object]] = {
    "another rollout": lambda server, main: put_back(server, main, {"rollout": "150"}),
    "no number": lambda server, main: put_back(server, main, {"rollout": "12.5"}),
    "another stickiness": lambda server, main: put_back(server, main, {"stickiness": "random"}),
    "another group": lambda server, main: put_back(server, main, {"groupId": "other"}),
    "a second strategy": lambda server, main: server.admin(
        "POST",
        f"{FLAGS}/first/environments/{ENVIRONMENT}/strategies",
        {"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "user_id", "groupId": "x"}},
    ),
    "no strategy": lambda server, main: server.admin("DELETE", at(main)),
    "turned off": lambda server, main: server.admin("POST", f"{FLAGS}/first/environments/{ENVIRONMENT}/off"),
    "archived": lambda server, main: server.admin("DELETE", f"{FLAGS}/first"),
    "archived and revived": lambda server, main: [
        server.admin("DELETE", f"{FLAGS}/first"),
        server.admin("POST", "/api/admin/archive/revive/first"),
        server.admin("POST", f"{FLAGS}/first/environments/{ENVIRONMENT}/on"),
    ],
    "archived by a patch": lambda server, main: server.admin(
        "PATCH", f"{FLAGS}/first", [{"op": "replace", "path": "/archived", "value": True}]
    ),
    "a segment": lambda server, main: server.admin("PUT", at(main), {**main, "segments": [a_segment(server)]}),
    "another parent": lambda server, main: [
        server.admin("POST", FLAGS, {"name": "other", "type": "release"}),
        server.admin("POST", f"{FLAGS}/first/dependencies", {"feature": "other", "enabled": True}),
    ],
    "other slots": lambda server, main: server.admin(
        "POST", f"{FLAGS}/first/dependencies", {"feature": LAYER_FLAG, "enabled": True, "variants": ["s99"]}
    ),
    "no slots": lambda server, main: server.admin("DELETE", f"{FLAGS}/first/dependencies"),
    "the layer off": lambda server, main: server.admin("POST", f"{FLAGS}/{LAYER_FLAG}/environments/{ENVIRONMENT}/off"),
    "no impressions": lambda server, main: server.admin(
        "PATCH", f"{FLAGS}/first", [{"op": "replace", "path": "/impressionData", "value": False}]
    ),
    "disabled": lambda server, main: server.admin(
        "PATCH", at(main), [{"op": "replace", "path": "/disabled", "value": True}]
    ),
}


def at(strategy: JsonObject) -> str:
    return f"{FLAGS}/first/environments/{ENVIRONMENT}/strategies/{strategy['id']}"


def a_segment(server: UnleashServer) -> JsonValue:
    constraints: JsonValue = [{"contextName": "country", "operator": "IN", "values": ["NL"]}]
    return server.admin("POST", "/api/admin/segments", {"name": "dutch", "constraints": constraints}).json()["id"]


def put_back(server: UnleashServer, main: JsonObject, changed: JsonObject) -> None:
    parameters: Any = main["parameters"]
    body: JsonValue = {**main, "parameters": {**parameters, **changed}}
    answered = server.admin("PUT", at(main), body)
    assert answered.status_code == 200, answered.text


@pytest.mark.parametrize("change", BY_HAND)
def test_what_somebody_changes_by_hand_shows_and_is_mended(written: Subject, change: str) -> None:
    due = written.entered()
    main = next(each for each in written.server.strategies("first") if each["title"] == "first")
    BY_HAND[change](written.server, main)
    now = written.read()
    assert not same(now, entry())
    standing = written.backend.standing(written.settings, "flags", "first", entry())
    assert (standing.actual, standing.due, standing.shadows) == (now, entry(), [])
    with pytest.raises(BackendChanged):
        written.write("first", entry(), entry(title="B"))
    written.write("first", now, entry())
    assert same(written.read(), entry())
    assert written.entered() == due


def test_what_lets_only_test_units_in_is_no_stray_of_its_layer(written: Subject) -> None:
    written.write("draft", None, entry("draft", ranges=[]))
    assert written.backend.entries(written.settings) == [("flags", "draft"), ("flags", "first")]
    assert written.backend.entries(written.settings, LAYER) == [("flags", "first")]
    assert same(written.read("draft"), entry("draft", ranges=[]))


def test_a_flag_of_somebody_else_is_left_alone(subject: Subject) -> None:
    subject.server.admin("POST", FLAGS, {"name": "first", "type": "release", "description": "Ours for years"})
    assert subject.read() is None
    assert subject.backend.entries(subject.settings) == []
    with pytest.raises(BackendChanged) as refused:
        subject.write("first", None, entry())
    assert "somebody else's" in refused.value.message
    subject.write("first", None, None)
    assert subject.server.flag("first")["description"] == "Ours for years"
    assert subject.server.strategies("first") == []


def test_an_archived_flag_of_somebody_else_is_left_where_it_is(subject: Subject) -> None:
    """Unleash keeps its name, and says that it is taken in other words."""
    subject.server.admin("POST", FLAGS, {"name": "first", "type": "release", "description": "Ours for years"})
    subject.server.admin("DELETE", f"{FLAGS}/first")
    held = subject.server.held()
    with pytest.raises(BackendChanged) as refused:
        subject.write("first", None, entry())
    assert "somebody else's" in refused.value.message
    assert subject.server.held() == held


def test_a_strategy_that_is_gone_already_is_taken_out_without_a_fault(written: Subject) -> None:
    api, (test, main) = api_of(UnleashSettings.model_validate(written.settings)), written.server.strategies("first")
    for _ in range(2):
        api.drop_strategy("first", str(main["id"]))
    assert [each["id"] for each in written.server.strategies("first")] == [test["id"]]


def test_no_flag_can_depend_on_an_experiments(written: Subject) -> None:
    """Unleash takes no flag out on which others depend: a stop could not end."""
    written.server.admin("POST", FLAGS, {"name": "child", "type": "release"})
    depends: JsonObject = {"feature": "first", "enabled": True}
    assert written.server.admin("POST", f"{FLAGS}/child/dependencies", depends).status_code >= 400
    written.write("first", entry(), None)


@pytest.mark.parametrize("disabled", [True, False])
def test_a_flag_is_never_turned_on_without_its_strategies(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, disabled: bool
) -> None:
    """Unleash would add one for everybody by itself."""
    call = HttpClient.call

    def robbed(client: HttpClient, method: str, path: str, **more: Any) -> Answer:
        answer = call(client, method, path, **more)
        if method == "POST" and path.endswith("first/environments/development/strategies"):
            for each in subject.server.strategies("first"):
                if disabled:
                    subject.server.admin("PATCH", at(each), [{"op": "replace", "path": "/disabled", "value": True}])
                else:
                    subject.server.admin("DELETE", at(each))
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(HttpClient, "call", robbed)
        with pytest.raises(BackendFailed) as failed:
            subject.write("first", None, entry())
    assert failed.value.retryable
    assert subject.entered() == {}
    subject.write("first", None, entry())
    assert same(subject.read(), entry())


def test_a_repeated_creation_finds_the_strategy_that_is_there(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A strategy that was made by a call without an answer is not made again."""
    with monkeypatch.context() as patch:
        patch.setattr(HttpClient, "call", Dying(3, True).instead(HttpClient.call))
        with pytest.raises(Killed):
            subject.write("first", None, entry())
    subject.write("first", None, entry())
    assert len(subject.server.strategies(LAYER_FLAG)) == 2
    assert len(subject.server.strategies("first")) == 2


REFUSED: dict[str, dict[str, Any]] = {
    "part of a slot": {"ranges": [BucketRange(lo=0, hi=250)]},
    "part of a percent": {"coverage": 0.125},
    "a fine weight": {"weights": [0.33333, 0.66667]},
    "a holdout": {"exclusions": [Exclusion(holdout="quiet", salt="quiet", share=0.1)]},
    "a missing attribute": {"audience": [[Condition(attribute="country", type="string", missing=True)]]},
    "a bound before a release": {"audience": [[Condition(attribute="version", type="semver", gte="2.0.0-rc.1")]]},
    "many values": {
        "audience": [[Condition(attribute="city", type="string", values=[f"city {number}" for number in range(251)])]]
    },
    "many alternatives": {
        "audience": [[Condition(attribute="age", type="integer", values=[number])] for number in range(21)]
    },
    "many test units": {"previews": {"new": [f"tester-{number}" for number in range(251)]}},
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_unleash_cannot_express_is_refused_and_never_left_out(what: str) -> None:
    with pytest.raises(Invalid) as refused:
        entry(**REFUSED[what])
    assert refused.value.code == "not_expressible"
    assert refused.value.next


def test_previews_and_coverage_change_an_entry_as_a_new_compilation_would() -> None:
    backend = Unleash()
    for units in ({}, {"control": ["a"], "new": ["b", "c"]}):
        assert same(backend.with_previews(entry(), units), entry(previews=units))
        assert same(backend.with_previews(entry(), {**units, "unknown": ["d"]}), entry(previews=units))
    assert same(backend.with_coverage(entry(), 0.05), entry(coverage=0.05))
    with pytest.raises(Invalid):
        backend.with_coverage(entry(), 0.005)


WRONG_SETTINGS: list[tuple[JsonObject, list[str]]] = [
    ({}, ["/environment", "/token_env", "/url"]),
    ({"url": "ftp://a", "token_env": "TOKEN", "environment": "x"}, ["/url"]),
    ({"url": "http://secret@a", "token_env": "TOKEN", "environment": "x"}, ["/url"]),
    ({"url": "http://a", "token_env": "*:*.secret", "environment": "x"}, ["/token_env"]),
    ({"url": "http://a", "token_env": "TOKEN", "environment": "x/y", "project": ""}, ["/environment", "/project"]),
    ({"url": "http://a", "token_env": "TOKEN", "environment": "x", "token": "secret"}, ["/token"]),
]


@pytest.mark.parametrize(("settings", "places"), WRONG_SETTINGS)
def test_wrong_settings_are_named_and_never_used(settings: JsonObject, places: list[str]) -> None:
    backend = Unleash()
    problems = backend.problems(settings)
    assert sorted(pointer for pointer, _ in problems) == places
    assert all(message and "secret@" not in message and "*.secret" not in message for _, message in problems)
    with pytest.raises(BackendFailed) as failed:
        backend.read(settings, "flags", "first")
    assert "secret" not in json.dumps(failed.value.as_dict())


def test_an_environment_a_token_or_a_server_that_is_not_there_is_told(
    written: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases: list[tuple[JsonObject, str]] = [
        ({"environment": "elsewhere"}, "no such environment"),
        ({"url": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"token_env": "WRONG_TOKEN"}, "does not know the token"),
        ({"token_env": "NO_TOKEN"}, "not set"),
    ]
    monkeypatch.setenv("WRONG_TOKEN", "*:*.wrong")
    for changed, told in cases:
        with pytest.raises(BackendFailed) as failed:
            written.backend.read({**written.settings, **changed}, "flags", "first")
        assert told in failed.value.message
    assert Unleash().location(written.settings) != Unleash().location({**written.settings, "environment": "production"})

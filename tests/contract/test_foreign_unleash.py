"""What others run in Unleash, in our own words: everybody whom it can reach, and a line for all that has no word. Asked
of a real server, and of its SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.adapters.unleash import Unleash
from crossfade.core.documents import JsonObject
from crossfade.core.ports.backend import Foreign, tells_foreign

from ..servers.unleash import ENVIRONMENT, FLAGS, UnleashServer
from ..servers.unleash_sdk import Product
from .backends import an_assignment

pytestmark = pytest.mark.backends

GUIDED: JsonObject = {"guide_first": True}
DUTCH: JsonObject = {"contextName": "country", "operator": "IN", "values": ["NL", "BE"]}
OFTEN: JsonObject = {"contextName": "visits", "operator": "NUM_GTE", "value": "3"}


def told(server: UnleashServer) -> list[Foreign]:
    backend = Unleash()
    assert tells_foreign(backend)
    return backend.foreign(server.settings)


def strategy(rollout: str = "50", *constraints: JsonObject, **more: Any) -> JsonObject:
    parameters: JsonObject = {"rollout": rollout, "stickiness": "visitor_id", "groupId": "theirs"}
    return {"name": "flexibleRollout", "parameters": parameters, "constraints": list[JsonValue](constraints), **more}


def split(*payloads: JsonValue) -> list[JsonValue]:
    """Variants of one weight each, with JSON in all."""
    found: list[JsonValue] = []
    for number, payload in enumerate(payloads):
        last = number == len(payloads) - 1
        weight = 1_000 - (len(payloads) - 1) * (1_000 // len(payloads)) if last else 1_000 // len(payloads)
        held: JsonObject = {"type": "json", "value": json.dumps(payload)}
        kind = "variable" if last else "fix"
        found.append(
            {"name": f"v{number}", "weight": weight, "weightType": kind, "stickiness": "visitor_id", "payload": held}
        )
    return found


def others(server: UnleashServer, name: str, *strategies: JsonObject, on: bool = True) -> None:
    """A flag of somebody else."""
    did(server, "POST", FLAGS, {"name": name, "type": "release"})
    for each in strategies:
        did(server, "POST", f"{FLAGS}/{name}/environments/{ENVIRONMENT}/strategies", each)
    if on:
        did(server, "POST", f"{FLAGS}/{name}/environments/{ENVIRONMENT}/on")


def did(server: UnleashServer, method: str, path: str, body: JsonValue = None) -> Any:
    answered = server.admin(method, path, body)
    assert answered.status_code < 300, answered.text
    return answered.json() if answered.content else None


def test_an_experiment_is_told_with_what_it_sets_its_audience_and_its_share(unleash: UnleashServer) -> None:
    others(unleash, "winter", strategy("40", DUTCH, OFTEN, variants=split(GUIDED, {"rows": 3})))
    audience: JsonObject = {"country": ["NL", "BE"], "visits": {"gte": 3}}
    assert told(unleash) == [Foreign("winter", None, ["guide_first", "rows"], audience, 0.4, None, [], texts=True)]


def test_a_segment_is_part_of_the_audience(unleash: UnleashServer) -> None:
    made = did(unleash, "POST", "/api/admin/segments", {"name": "often", "constraints": [OFTEN]})
    others(unleash, "gallery.guide_first", strategy("40", DUTCH, segments=[made["id"]]))
    [found] = told(unleash)
    assert found.audience == {"country": ["NL", "BE"], "visits": {"gte": 3}}
    assert found.unread == []


def test_the_name_or_a_tag_says_the_surface(unleash: UnleashServer) -> None:
    others(unleash, "gallery.guide_first", strategy("40"))
    others(unleash, "winter", strategy("100", variants=split(GUIDED, {})))
    tag: JsonObject = {"name": "surface", "description": "A surface of Crossfade's catalogue"}
    if unleash.admin("GET", "/api/admin/tag-types/surface").status_code == 404:
        did(unleash, "POST", "/api/admin/tag-types", tag)
    did(unleash, "POST", "/api/admin/features/winter/tags", {"type": "surface", "value": "gallery"})
    named, tagged = told(unleash)
    assert (named.surface, named.touched, named.share) == ("gallery", ["guide_first"], 0.4)
    assert (tagged.surface, tagged.touched, tagged.share) == ("gallery", ["guide_first"], 1.0)


def test_what_depends_on_part_of_another_flag_has_their_shares_and_audiences_together(unleash: UnleashServer) -> None:
    others(unleash, "layer", strategy("50", DUTCH, variants=split({}, {}, {}, {})))
    others(unleash, "winter", strategy("40", OFTEN, variants=split(GUIDED, {})))
    depends: JsonObject = {"feature": "layer", "enabled": True, "variants": ["v1", "v2", "v3"]}
    did(unleash, "POST", f"{FLAGS}/winter/dependencies", depends)
    _, found = told(unleash)
    assert (found.key, found.share) == ("winter", 0.15)
    assert found.audience == {"visits": {"gte": 3}, "country": ["NL", "BE"]}
    did(unleash, "POST", f"{FLAGS}/layer/environments/{ENVIRONMENT}/off")
    assert told(unleash) == []  # nobody gets through
    did(unleash, "POST", f"{FLAGS}/winter/dependencies", {"feature": "layer", "enabled": False})
    [found] = told(unleash)
    assert (found.share, found.unread) == (None, ["that layer is off has no word here; everybody counts as meeting it"])


def test_several_strategies_reach_whom_any_of_them_reaches(unleash: UnleashServer) -> None:
    others(unleash, "gallery.guide_first", strategy("40", DUTCH), strategy("20", OFTEN))
    [found] = told(unleash)
    assert found.audience == {"any": [{"country": ["NL", "BE"]}, {"visits": {"gte": 3}}]}
    assert (found.share, found.unread) == (
        None,
        ["several strategies let units in, so that its share cannot be told"],
    )


def test_nothing_is_dropped_without_a_word(unleash: UnleashServer) -> None:
    pattern: JsonObject = {"contextName": "city", "operator": "REGEX", "value": "^A"}
    others(unleash, "beta", strategy("40", pattern))
    others(unleash, "gallery.rows", {"name": "remoteAddress", "parameters": {"IPs": "10.0.0.1"}}, strategy("12.5"))
    beta, rows = told(unleash)
    assert (beta.surface, beta.audience) == (None, {})
    assert beta.unread == [
        'the constraint {"contextName":"city","operator":"REGEX","value":"^A"} has no word here; everybody counts as '
        "meeting it",
        "neither its name, as <surface>.<parameter>, nor a JSON payload says what it sets",
    ]
    assert (rows.audience, rows.share) == ({}, None)
    assert rows.unread == [
        "its share cannot be told from the strategy remoteAddress and its parameters",
        "its share cannot be told from the strategy flexibleRollout and its parameters",
    ]


def test_what_is_ours_is_nobody_elses(unleash: UnleashServer) -> None:
    backend = Unleash(lambda: "a11ce000-0000-4000-8000-000000000001")
    entry = backend.compile_assignment(an_assignment("first", "A"))
    backend.write(unleash.settings, "flags", "first", before=None, after=entry, fence=1)
    assert told(unleash) == []
    did(unleash, "PATCH", f"{FLAGS}/first", [{"op": "replace", "path": "/description", "value": "lost"}])
    assert told(unleash) == []


@pytest.mark.parametrize(
    ("strategies", "on", "met"),
    [
        ([strategy("50")], False, 0),
        ([strategy("0", variants=split({}, {}))], True, 0),
        ([strategy("50", disabled=True)], True, 20),  # Unleash adds one for everybody
        ([strategy("100")], True, 20),
        ([strategy("20", DUTCH), strategy("100")], True, 20),
        ([{"name": "default"}], True, 20),
    ],
)
def test_what_lets_nobody_in_or_everybody_alike_is_no_neighbour(
    unleash: UnleashServer, strategies: list[JsonObject], on: bool, met: int
) -> None:
    others(unleash, "gallery.guide_first", *strategies, on=on)
    assert told(unleash) == []
    product = Product(unleash.state())
    assert sum(product.lets_in("gallery.guide_first", {"visitor_id": f"{number}"}) for number in range(20)) == met

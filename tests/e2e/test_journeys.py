"""From a hypothesis to a running experiment in at most five calls, whatever the catalogue is about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client

from crossfade.adapters.catalogue_yaml import YamlCatalogue
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.services import Services
from crossfade.core.documents import JsonObject
from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from ..postgresql import another_store
from .hypotheses import GROCERY, STREAMING
from .journey import MOST_BYTES, MOST_CALLS, Conversation, Hypothesis, Outcome, Person, Product, folded, launch, planned

ROOT = Path(__file__).resolve().parents[2]
UNITS = [f"unit-{number}" for number in range(400)]


@dataclass(frozen=True)
class Bench:
    """A catalogue, and where its backends deliver below a home; `uncopied` are surfaces with no parameters document."""

    catalogue: Path
    payload: str
    parameters: str
    uncopied: frozenset[str] = frozenset()


BENCHES = {
    "streaming": Bench(
        ROOT / "examples" / "streaming", "delivery/production/growthbook.json", "delivery/production/parameters"
    ),
    "grocery": Bench(ROOT / "tests" / "catalogues" / "grocery", "out/rules.json", "out/copy", frozenset({"basket"})),
}
EVERY = [("streaming", said) for said in STREAMING] + [("grocery", said) for said in GROCERY]
every_hypothesis = pytest.mark.parametrize(
    ("bench", "said"), [pytest.param(BENCHES[name], said, id=said.name) for name, said in EVERY]
)


class OctoberClock:
    """A Monday more than six weeks before the next blackout of either catalogue."""

    def now(self) -> datetime:
        return datetime(2026, 10, 5, 9, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


class Homes(Services):
    """What the one server of these tests works on: making a server takes longer than most journeys do."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        super().__init__(self._in_this_home)

    def _in_this_home(self) -> Crossfade:
        assert self._settings is not None
        return build(self._settings, "mcp:test", OctoberClock())

    def move(self, home: Path, bench: Bench) -> None:
        self._settings = Settings(home=home, catalogue=bench.catalogue)
        super().__init__(self._in_this_home)


HOMES = Homes()
SERVER = CrossfadeServer(HOMES)


def server_in(home: Path, bench: Bench) -> CrossfadeServer:
    HOMES.move(home, bench)
    return SERVER


async def launched(
    home: Path, bench: Bench, said: Hypothesis, mode: Literal["auto", "legacy"] = "auto"
) -> tuple[Conversation, Outcome, Person, str]:
    """(the conversation, where it ended, whom it asked, the protocol version it was held in)."""
    person = Person("accept", approve=True)
    async with Client(server_in(home, bench), elicitation_callback=person, mode=mode) as client:
        talk = Conversation(client)
        outcome = await launch(talk, said)
        return talk, outcome, person, client.protocol_version


def assert_users_meet_both(home: Path, bench: Bench, said: Hypothesis, outcome: Outcome) -> None:
    """Units of the audience get production or the treatment, by variant; everybody else gets production."""
    payload: dict[str, Any] = json.loads((home / bench.payload).read_bytes())
    features = {
        name: feature
        for name, feature in payload["features"].items()
        if any(rule["key"] == outcome.key for rule in feature.get("rules", []))
    }
    assert len(features) == len(outcome.treatment)
    for name, feature in features.items():
        parameter = name.removeprefix(f"{outcome.surface}.")
        production, wanted = feature["defaultValue"], outcome.treatment[folded(parameter)]
        product = Product(payload)  # one for each feature: the SDK tells an experiment once a unit
        assert production != wanted
        assert product.values(name, said.listener, UNITS) == {
            None: [production],
            (outcome.key, "control"): [production],
            (outcome.key, variant_key(said)): [wanted],
        }
        if said.audience:
            assert product.values(name, {}, UNITS[:100]) == {None: [production]}
        if outcome.surface not in bench.uncopied:
            copied = copied_by(home, bench, outcome)
            assert copied["control"][parameter] == production
            assert copied[variant_key(said)][parameter] == wanted


def copied_by(home: Path, bench: Bench, outcome: Outcome) -> dict[str, JsonObject]:
    """variant -> parameter -> value of the experiment in the surface's parameters document."""
    document = json.loads((home / bench.parameters / f"{outcome.surface}.json").read_bytes())
    return document["experiments"][outcome.key]["variants"]


def variant_key(said: Hypothesis) -> str:
    return folded(said.variant).replace(" ", "-")


@every_hypothesis
async def test_a_hypothesis_runs_after_five_calls(bench: Bench, said: Hypothesis, tmp_path: Path) -> None:
    talk, outcome, person, _ = await launched(tmp_path, bench, said)
    assert (outcome.applied["status"], outcome.applied["state"]) == ("applied", "running")
    assert outcome.surface == said.surface
    assert len(talk.calls) <= MOST_CALLS
    assert talk.bytes <= MOST_BYTES, talk.transcript
    assert ("update_experiment" in talk.calls) <= said.slips
    assert ["opens traffic" in asked for asked in person.asked] == [True]
    assert_users_meet_both(tmp_path, bench, said, outcome)


@pytest.mark.parametrize("said", [STREAMING[0], GROCERY[-1]], ids=lambda said: said.name)
async def test_a_hypothesis_runs_for_clients_of_the_handshake_era(said: Hypothesis, tmp_path: Path) -> None:
    bench = BENCHES["streaming" if said in STREAMING else "grocery"]
    talk, outcome, person, version = await launched(tmp_path, bench, said, mode="legacy")
    assert version < "2026"
    assert outcome.applied["status"] == "applied"
    assert len(talk.calls) <= MOST_CALLS
    assert len(person.asked) == 1
    assert_users_meet_both(tmp_path, bench, said, outcome)


async def test_both_eras_end_in_one_payload(tmp_path: Path) -> None:
    said, bench = STREAMING[0], BENCHES["streaming"]
    payloads: list[dict[str, Any]] = []
    versions: list[str] = []
    for mode in ("auto", "legacy"):
        with another_store():
            _, _, _, version = await launched(tmp_path / mode, bench, said, mode=mode)
        payload: dict[str, Any] = json.loads((tmp_path / mode / bench.payload).read_bytes())
        del payload["crossfade"]["owner"]  # each store has a name of its own
        payloads.append(payload)
        versions.append(version)
    assert versions[0] != versions[1]
    assert payloads[0] == payloads[1]


@pytest.mark.parametrize(
    ("person", "status", "asked"),
    [
        (Person("decline"), "declined", 1),
        (Person("accept", approve=False), "declined", 1),
        (Person("cancel"), "awaiting_approval", 2),  # closing a form is no answer: the next call asks again
    ],
    ids=["declined", "answered with no", "closed"],
)
async def test_without_a_yes_nothing_changes_anywhere(person: Person, status: str, asked: int, tmp_path: Path) -> None:
    said, bench = STREAMING[0], BENCHES["streaming"]
    async with Client(server_in(tmp_path, bench), elicitation_callback=person) as client:
        talk = Conversation(client)
        found, call = await planned(talk, said)
        applied = await talk.paste(call)
        again = await talk.paste(call)
        draft = await talk.call("get_experiment", {"key": applied["key"]})
        now = await talk.call("find_surfaces", {"query": said.words})
    assert applied["status"] == again["status"] == status
    assert len(person.asked) == asked
    assert draft["state"] == applied["state"] == "draft"
    assert "buckets" not in draft
    assert "delivered" not in draft
    assert now["best"]["layers"] == found["layers"]
    assert not (tmp_path / bench.payload).exists()
    assert not (tmp_path / bench.parameters).exists()


def test_every_surface_of_both_catalogues_has_a_hypothesis() -> None:
    for name, hypotheses, least in (("streaming", STREAMING, 20), ("grocery", GROCERY, 6)):
        catalogue = YamlCatalogue(BENCHES[name].catalogue).current()
        assert {said.surface for said in hypotheses} == set(catalogue.surfaces)
        assert len(hypotheses) >= least


def test_hypotheses_have_names_of_their_own() -> None:
    names = [said.name for _, said in EVERY]
    assert len(set(names)) == len(names)

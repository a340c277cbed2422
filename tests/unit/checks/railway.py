"""A small catalogue, a sound spec on it, and the world around them: every example is one step away from here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

from pydantic import JsonValue

from crossfade.core.checks.all_checks import LAUNCH_CHECKS, run_checks
from crossfade.core.checks.delivery import RUN_CHECKS
from crossfade.core.checks.engine import Case, findings_of, worst_first
from crossfade.core.checks.flight import FLIGHT_CHECKS
from crossfade.core.checks.shape import read_spec, unknown_place
from crossfade.core.checks.trial import TRIAL_CHECKS
from crossfade.core.documents import JsonObject, canonical, patch_object
from crossfade.core.model.catalogue import Catalogue
from crossfade.core.model.experiment import Spec, State
from crossfade.core.model.finding import Finding
from crossfade.core.model.plan import Place
from crossfade.core.planning.drift import Delivery
from crossfade.core.planning.dry_run import DryRun
from crossfade.core.planning.memory import Precedent
from crossfade.core.planning.neighbours import audiences_met
from crossfade.core.ports.capabilities import Capabilities
from crossfade.core.ports.store import HeldRange, LiveGroup, Member, ReleasedRange

KEY = "board-by-platform"
TODAY = date(2026, 10, 5)
LAYER = "live/departures/list"

ENTRIES: JsonObject = {
    "units": {"rider": "rider_id", "ticket": "ticket_id"},
    "attributes": {
        "rider_id": {"type": "string", "description": "Id of the account.", "open": True, "immutable": True},
        "ticket_id": {"type": "string", "description": "Id of the ticket.", "open": True, "immutable": True},
        "home_region": {
            "type": "string",
            "description": "Region of the home station.",
            "immutable": True,
            "shares": {"coast": 0.4, "hills": 0.35, "capital": 0.25},
        },
        "nationality": {
            "type": "string",
            "description": "Country of the passport.",
            "open": True,
            "immutable": True,
            "shares": {"CH": 0.5, "AT": 0.2},
        },
        "commutes": {"type": "boolean", "description": "Has a season ticket.", "shares": {"true": 0.3, "false": 0.7}},
        "trips": {"type": "integer", "description": "Trips of a month.", "quantiles": {"0": 0, "4": 0.5, "60": 1}},
        "client": {"type": "semver", "description": "Version of the app.", "open": True, "shares": {"3.1.0": 0.8}},
    },
    "metrics": {
        "tickets_sold": {
            "name": "Tickets sold",
            "description": "Share of riders who buy a ticket in the week.",
            "kind": "proportion",
            "unit": "rider",
            "better": "up",
            "baseline": {"mean": 0.2},
            "mde": 0.02,
            "margin": 0.02,
            "owner": "sales",
            "source": {"table": "sales.tickets", "unit": "rider_id", "time": "sold_at"},
        },
        "fare_income": {
            "name": "Fare income",
            "description": "Fares for each rider and week.",
            "kind": "mean",
            "unit": "rider",
            "better": "up",
            "baseline": {"mean": 12, "variance": 80},
            "mde": 0.02,
            "owner": "sales",
            "source": {"table": "sales.tickets", "unit": "rider_id", "time": "sold_at", "value": "fare"},
        },
        "missed_trains": {
            "name": "Missed trains",
            "description": "Share of riders whose train left without them.",
            "kind": "proportion",
            "unit": "rider",
            "better": "down",
            "baseline": {"mean": 0.08},
            "mde": 0.04,
            "window_days": 28,
            "owner": "service",
            "source": {"table": "service.gates", "unit": "rider_id", "time": "seen_at"},
        },
        "broken_pages": {
            "name": "Broken pages",
            "description": "Share of riders who saw an error.",
            "kind": "proportion",
            "unit": "rider",
            "better": "down",
            "baseline": {"mean": 0.03},
            "margin": 0.08,
            "owner": "platform",
            "source": {"table": "web.errors", "unit": "rider_id", "time": "seen_at"},
        },
        "thanks_received": {
            "name": "Thanks",
            "description": "Letters of thanks for each rider and week.",
            "kind": "count",
            "unit": "rider",
            "better": "up",
            "baseline": {"mean": 0.01, "variance": 0.02},
            "owner": "service",
            "source": {"table": "service.letters", "unit": "rider_id", "time": "read_at"},
        },
        "seats_found": {
            "name": "Seats found",
            "description": "Share of riders who sat.",
            "kind": "proportion",
            "unit": "rider",
            "better": "up",
            "baseline": {"mean": 0.8},
            "mde": 0.01,
            "owner": "service",
            "source": {"table": "service.seats", "unit": "rider_id", "time": "seen_at"},
        },
        "ticket_returns": {
            "name": "Returned tickets",
            "description": "Share of tickets that are given back.",
            "kind": "proportion",
            "unit": "ticket",
            "better": "down",
            "baseline": {"mean": 0.05},
            "margin": 0.05,
            "owner": "sales",
            "source": {"table": "sales.returns", "unit": "ticket_id", "time": "returned_at"},
        },
        "counter_sales": {
            "name": "Sales at the counter (old)",
            "description": "Tickets sold by people to people.",
            "kind": "proportion",
            "unit": "rider",
            "better": "up",
            "baseline": {"mean": 0.1},
            "owner": "sales",
            "status": "deprecated",
            "replaced_by": "fare_income",
            "source": {"table": "sales.counter", "unit": "rider_id", "time": "sold_at"},
        },
    },
    "surfaces": {
        "departures": {
            "name": "Departures",
            "description": "The board of departing trains.",
            "owner": "boards",
            "unit": "rider",
            "accrual": {"1": 200_000, "7": 800_000, "14": 1_200_000, "28": 1_800_000},
            "layers": {"list": {"description": "What is listed."}, "looks": {"description": "How it looks."}},
            "parameters": {
                "rows": {
                    "description": "Rows of the board.",
                    "layer": "list",
                    "schema": {"type": "integer", "minimum": 3, "maximum": 12},
                    "initial": 6,
                },
                "columns_shown": {
                    "description": "Columns from left to right.",
                    "layer": "list",
                    "schema": {
                        "type": "array",
                        "items": {"enum": ["time", "platform", "destination", "delay", "via"]},
                        "minItems": 3,
                        "uniqueItems": True,
                    },
                    "initial": ["time", "destination", "platform", "delay"],
                },
                "refresh": {
                    "description": "How the board is kept up to date.",
                    "layer": "list",
                    "schema": {
                        "type": "object",
                        "properties": {"seconds": {"enum": [10, 30, 60]}, "by": {"enum": ["poll", "push"]}},
                        "required": ["seconds", "by"],
                        "additionalProperties": False,
                    },
                    "initial": {"seconds": 30, "by": "poll"},
                },
                "night_colours": {
                    "description": "Dark board at night.",
                    "layer": "looks",
                    "schema": {"type": "boolean"},
                    "initial": False,
                },
            },
            "required_metrics": {"broken_pages": {"role": "guardrail", "margin": 0.1}},
            "suggested_metrics": ["tickets_sold", "fare_income"],
            "policy": {"max_margin": 0.12, "days": 14, "allocation": 0.5},
            "max_live": 2,
            "blackouts": [{"start": "2026-11-16", "end": "2026-11-20", "why": "New timetable"}],
        },
    },
    "environments": {
        "live": {
            "backends": {"rules": {"kind": "growthbook_file", "settings": {"path": "/srv/rules.json"}}},
            "default": {"assigner": "rules"},
        },
    },
    "default_environment": "live",
}

SPEC: JsonObject = {
    "name": "Platform next to the time",
    "hypothesis": {
        "change": "The platform stands next to the time",
        "metric": "tickets_sold",
        "direction": "increase",
        "because": "Riders who find their train come back",
    },
    "surface": "departures",
    "layer": "list",
    "unit": "rider",
    "environment": "live",
    "audience": {},
    "allocation": 0.6,
    "variants": {
        "control": {"weight": 0.5, "control": True, "parameters": {}},
        "platform-second": {
            "weight": 0.5,
            "control": False,
            "parameters": {"columns_shown": ["time", "platform", "destination", "delay"]},
        },
    },
    "metrics": {
        "tickets_sold": {"role": "success", "mde": 0.02},
        "broken_pages": {"role": "guardrail", "margin": 0.1},
    },
    "design": {"kind": "fixed", "alpha": 0.05, "power": 0.8, "days": 14},
    "schedule": {},
    "decision": {"success": "any", "guardrails": "all"},
    "stop": ["srm", "guardrail"],
    "alerts": ["boards"],
    "owner": "boards",
}


def catalogue_with(changes: JsonObject) -> Catalogue:
    """The railway's catalogue under a merge patch."""
    return _catalogue(canonical(patch_object(ENTRIES, changes)))


@cache
def _catalogue(text: str) -> Catalogue:
    return Catalogue.model_validate_json(text)


@dataclass(frozen=True)
class Neighbour:
    """A live experiment, as a group of its own, with its audience."""

    group: LiveGroup
    audience: str


@dataclass(frozen=True)
class World:
    """What surrounds a spec while it is checked; `catalogue` is a merge patch on the railway's."""

    catalogue: JsonObject = field(default_factory=dict[str, JsonValue])
    today: date = TODAY
    live: tuple[Neighbour, ...] = ()
    held: tuple[HeldRange, ...] = ()
    first: bool = False
    agreed: frozenset[str] = frozenset()
    released: tuple[ReleasedRange, ...] = ()
    precedents: tuple[Precedent, ...] = ()
    trial: DryRun | None = None
    strays: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    owners: tuple[str, ...] = ()
    production: JsonObject = field(default_factory=dict[str, JsonValue])
    moved: tuple[float, float] | None = None
    swept: bool = True
    late: tuple[str, ...] = ()
    capabilities: Capabilities | None = None

    def case(self, spec: Spec) -> Case:
        catalogue = catalogue_with(self.catalogue)
        surface = catalogue.surfaces[spec.surface]
        production: JsonObject = {name: parameter.initial for name, parameter in surface.parameters.items()}
        return Case(
            KEY,
            spec,
            catalogue,
            production | self.production,
            self.today,
            live=[each.group for each in self.live if audiences_met(spec, catalogue, [each.audience])],
            live_here=len(self.live),
            held=list(self.held),
            first=self.first,
            agreed=self.agreed,
            released=list(self.released),
            precedents=list(self.precedents),
            trial=self.trial,
            moved=self.moved,
            swept=self.swept,
            late=self.late,
            capabilities=self.capabilities,
            strays={key: f"crossfade stop {key}" for key in self.strays},
            elsewhere=dict.fromkeys(self.elsewhere, "flags"),
            deliveries=self.deliveries,
            owners=dict.fromkeys(self.owners, "0b5c"),
        )


QUIET = World()
"""Nothing else runs, and no blackout is near."""


def findings_in(document: JsonObject, world: World) -> list[Finding]:
    """What a plan of a launch finds, those of a launch only included, and what is found in flight."""
    spec = read_spec(document, catalogue_with(world.catalogue))
    if not isinstance(spec, Spec):
        return spec
    lost = unknown_place(spec, catalogue_with(world.catalogue))
    if lost:
        return lost
    case = world.case(spec)
    more = (*LAUNCH_CHECKS, *TRIAL_CHECKS, *RUN_CHECKS, *FLIGHT_CHECKS)
    return worst_first([*run_checks(case), *findings_of(more, case)])


def neighbour(
    key: str,
    layer: str = "looks",
    audience: JsonObject | None = None,
    *,
    surface: str = "departures",
    sets: str = "night_colours",
    until: date | None = None,
) -> Neighbour:
    """A running experiment of somebody else, on the board unless another surface is named."""
    member = Member(key=key, owner="signals", until=until)
    group = LiveGroup(surface=surface, layer=layer, touched=[sets], count=1, members=[member])
    return Neighbour(group, canonical(audience or {}))


def released(key: str, lo: int, hi: int, day: date) -> ReleasedRange:
    return ReleasedRange(lo=lo, hi=hi, key=key, day=day)


def held(key: str, lo: int, hi: int, until: date | None = None) -> HeldRange:
    return HeldRange(layer=LAYER, lo=lo, hi=hi, key=key, until=until)


def precedent(
    changes: JsonObject, state: State = "stopped", days: int | None = 14, ended: date | None = None
) -> Precedent:
    """An earlier experiment: the sound spec under a merge patch."""
    spec = read_spec(patch_object(SPEC, changes))
    assert isinstance(spec, Spec)
    return Precedent(key="platform-first", state=state, spec=spec, days=days, ended=ended)


def delivery(
    desired: JsonObject | None, actual: JsonObject | None, *, shadows: tuple[str, ...] = (), failure: str | None = None
) -> Delivery:
    """One document of a backend, as it has to be and as it is."""
    place = Place(backend="boards", kind="file", settings={}, document="payload")
    return Delivery(place, True, desired, actual, list(shadows), failure)


def tried(**changes: Any) -> DryRun:
    """A trial in which everything went as it should, but for what is named."""
    return replace(DryRun({"control": 3_000, "platform-second": 3_000}, 1.0, 1.0, [], []), **changes)

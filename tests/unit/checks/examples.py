"""For every check a spec that it finds fault with, and one close by that it lets pass."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from pydantic import JsonValue

from crossfade.core.documents import JsonObject, pointer
from crossfade.core.model.finding import Severity
from crossfade.core.ports.capabilities import ALL_AUDIENCES, Capabilities

from .railway import KEY, QUIET, World, delivery, held, neighbour, precedent, released, tried


@dataclass(frozen=True)
class Example:
    """Patches on the sound spec: `fault` breaks it at `at`, `near` does something similar that is sound.

    `cured_by` says which fixes of the finding there are, by their effects; none means that a person has to decide.
    """

    code: str
    severity: Severity
    at: str
    fault: JsonObject
    near: JsonObject = field(default_factory=dict[str, JsonValue])
    world: World = QUIET
    near_world: World | None = None
    cured_by: tuple[str, ...] = ()
    name: str = ""

    @property
    def id(self) -> str:
        return f"{self.code}-{self.name}" if self.name else self.code


TREATMENT = pointer("variants", "platform-second")
PARAMETERS = TREATMENT + "/parameters"


def variants(**changes: JsonValue) -> JsonObject:
    return {"variants": {name.replace("_", "-"): change for name, change in changes.items()}}


def parameters(**values: JsonValue) -> JsonObject:
    return variants(platform_second={"parameters": dict(values)})


RISKY = World(catalogue={"surfaces": {"departures": {"policy": {"risky": True}}}})
SHAPE = (
    Example(
        "spec.unknown_field",
        "block",
        "/allocatoin",
        {"allocatoin": 0.6, "allocation": None},
        cured_by=("rename it to allocation",),
    ),
    Example(
        "spec.unknown_field",
        "block",
        "/metrics/tickets_sold/minimum_effect",
        {"metrics": {"tickets_sold": {"minimum_effect": 0.02}}},
        cured_by=("leave it out",),
        name="nested",
    ),
    Example("spec.missing_field", "block", "/name", {"name": None}),
    Example(
        "spec.derived_field",
        "block",
        "/design/power",
        {"design": {"power": None}},
        cured_by=("power 0.8, the surface's",),
    ),
    Example(
        "spec.derived_field",
        "block",
        "/design/days",
        {"design": {"days": None, "Days": 21}},
        cured_by=("rename it to days",),
        name="misspelt",
    ),
    Example(
        "spec.derived_field",
        "block",
        "/surface",
        {"surface": None},
        cured_by=("use departures, which alone has its parameters",),
        name="surface",
    ),
    Example(
        "spec.derived_field",
        "block",
        "/layer",
        {"layer": None},
        cured_by=("use list, its parameters' layer",),
        name="layer",
    ),
    Example(
        "spec.derived_field",
        "block",
        TREATMENT + "/weight",
        variants(control={"weight": 0.6}, platform_second={"weight": None}),
        cured_by=("weigh it 0.4, what the others leave",),
        name="weight",
    ),
    Example(
        "spec.derived_field",
        "block",
        "/hypothesis/direction",
        {"hypothesis": {"direction": None}},
        cured_by=("predict increase, as tickets_sold is to move",),
        name="direction",
    ),
    Example(
        "spec.derived_field",
        "block",
        "/metrics/broken_pages/role",
        {"metrics": {"broken_pages": {"role": None}}},
        cured_by=("make it guardrail, as its number says",),
        name="role",
    ),
    Example(
        "spec.derived_field",
        "block",
        "/metrics/broken_pages/role",
        {"metrics": {"broken_pages": {"role": None, "mde": 0.01}}},
        name="role-with-both-numbers",
    ),
    Example("spec.unreadable_value", "block", "/hypothesis/change", {"hypothesis": {"change": 7}}),
    Example("spec.unreadable_value", "block", "/variants", {"variants": "two"}, name="no-object"),
    Example(
        "spec.wrong_value",
        "block",
        "/links/Analysis Plan",
        {"links": {"Analysis Plan": "https://wiki.invalid/plan"}},
        {"links": {"analysis-plan": "https://wiki.invalid/plan"}},
        cured_by=("rename it to analysis-plan",),
        name="key",
    ),
    Example(
        "spec.wrong_value",
        "block",
        "/environment",
        {"environment": 7},
        cured_by=("use live, the default",),
        name="number",
    ),
    Example(
        "spec.wrong_value", "block", "/surface", {"surface": "Departures"}, cured_by=("use departures",), name="capital"
    ),
    Example(
        "spec.wrong_value",
        "block",
        "/audience",
        {"audience": [{"commutes": True}]},
        cured_by=("use an object itself",),
        name="audience-in-a-list",
    ),
    Example("spec.unreadable_value", "block", "/audience", {"audience": ["north", 1]}, name="audience-list"),
    Example("spec.unreadable_value", "block", "/audience", {"audience": 7}, name="audience-number"),
    Example("spec.wrong_value", "block", "/design/days", {"design": {"days": "two weeks"}}, {"design": {"days": 21}}),
    Example(
        "spec.wrong_value",
        "block",
        "/hypothesis/direction",
        {"hypothesis": {"direction": "increse"}},
        cured_by=("use increase",),
        name="spelling",
    ),
    Example("surface.known", "block", "/surface", {"surface": "departure"}, cured_by=("use departures",)),
    Example(
        "surface.known",
        "block",
        "/surface",
        {"surface": "tickets"},
        cured_by=("use departures, which alone has its parameters",),
        name="of-nowhere",
    ),
    Example("environment.known", "block", "/environment", {"environment": "lives"}, cured_by=("use live",)),
)

COLOURS: JsonObject = {f"c{number}": 0.1 for number in range(10)}
COLOURFUL = World(
    catalogue={
        "attributes": {
            f"a{number:02}": {"type": "string", "description": "Of a lamp.", "immutable": True, "shares": COLOURS}
            for number in range(11)
        }
    }
)
SCATTERED: list[JsonValue] = [
    {f"a{place:02}": {"not": f"c{(7 * n + n * place) % 10}"} for place in range(11)} for n in range(10)
]
"""Alternatives that each leave out another value of every attribute, so that units can be in any set of them."""
ANNOUNCEMENTS: JsonObject = {
    "surfaces": {
        "announcements": {
            "name": "Announcements",
            "description": "What is said on the platforms.",
            "owner": "boards",
            "unit": "rider",
            "accrual": {"1": 200_000, "7": 800_000, "14": 1_200_000, "28": 1_800_000},
            "layers": {"speech": {"description": "How it is said."}},
            "parameters": {
                "voice": {
                    "description": "Who speaks.",
                    "layer": "speech",
                    "schema": {"enum": ["calm", "brisk"]},
                    "initial": "brisk",
                }
            },
            "policy": {"max_margin": 0.12, "days": 14, "allocation": 0.5},
        }
    }
}

VARIANTS = (
    Example("variants.treatment_present", "block", "/variants", {"variants": {"platform-second": None}}),
    Example(
        "variants.count",
        "block",
        "/variants",
        {"variants": {"control": None}},
        cured_by=("add a control with the production values, split 50/50",),
        name="without-control",
    ),
    Example(
        "variants.one_control",
        "block",
        "/variants",
        variants(platform_second={"control": True}),
        cured_by=("make control the only control",),
        name="two",
    ),
    Example(
        "variants.one_control",
        "block",
        "/variants",
        variants(control={"weight": 0.3}, holdback={"weight": 0.2, "control": True}),
        cured_by=("make control the only control and drop holdback, the same",),
        name="the-same-twice",
    ),
    Example(
        "variants.one_control",
        "block",
        "/variants",
        variants(control={"control": False}),
        cured_by=("make control the only control",),
        name="none",
    ),
    Example(
        "weights.positive",
        "block",
        TREATMENT + "/weight",
        variants(control={"weight": 1.0}, platform_second={"weight": 0.0}),
        cured_by=("equal weights",),
    ),
    Example(
        "weights.sum_to_one",
        "block",
        "/variants",
        variants(control={"weight": 0.9}, platform_second={"weight": 0.9}),
        variants(control={"weight": 0.6}, platform_second={"weight": 0.4}),
        cured_by=("scale to 0.5 + 0.5",),
        name="0.9+0.9",
    ),
    Example(
        "weights.sum_to_one",
        "block",
        "/variants",
        variants(control={"weight": 60}, platform_second={"weight": 40}),
        cured_by=("scale to 0.6 + 0.4", "equal weights"),
        name="percent",
    ),
    Example(
        "weights.sum_to_one",
        "block",
        "/variants",
        variants(control={"weight": 50}, platform_second={"weight": 0.4}),
        cured_by=("weigh control 0.6, what the others leave", "equal weights"),
        name="one-of-another-scale",
    ),
    Example(
        "weights.sum_to_one",
        "block",
        "/variants",
        variants(control={"weight": 1.0}, platform_second={"weight": 0.000001}),
        cured_by=("weigh control 0.999999, what the others leave", "equal weights"),
        name="whole",
    ),
    Example(
        "weights.sum_to_one",
        "block",
        "/variants",
        variants(control={"weight": 1.0}, platform_second={"weight": 1e-9}),
        cured_by=("equal weights",),
        name="whole-beside-next-to-nothing",
    ),
    Example(
        "weights.positive",
        "block",
        TREATMENT + "/weight",
        variants(control={"weight": 0.6}, platform_second={"weight": 0.0}),
        cured_by=("weigh platform-second 0.4, what the others leave", "equal weights"),
        name="one",
    ),
    Example(
        "payload.known_parameters",
        "block",
        PARAMETERS + "/row",
        parameters(row=8),
        parameters(rows=8),
        cured_by=("rename it to rows",),
    ),
    Example(
        "payload.known_parameters",
        "block",
        PARAMETERS.replace("second", "last") + "/order",
        variants(
            control={"weight": 0.4},
            platform_second={"weight": 0.3},
            platform_last={"weight": 0.3, "parameters": {"order": ["time", "destination", "platform"]}},
        ),
        cured_by=("rename it to columns_shown, which alone can have this value",),
        name="of-nowhere",
    ),
    Example(
        "payload.known_parameters",
        "block",
        PARAMETERS + "/voice",
        {"layer": "speech", **parameters(voice="calm", columns_shown=None)},
        world=World(catalogue=ANNOUNCEMENTS),
        cured_by=("use the surface announcements, which alone has its layer and parameters",),
        name="of-another-surface",
    ),
    Example(
        "payload.schema",
        "block",
        PARAMETERS + "/columns_shown/1",
        parameters(columns_shown=["time", "Platfrom", "destination", "delay"]),
        parameters(columns_shown=["platform", "time", "destination", "delay"]),
        cured_by=("use platform",),
        name="spelling",
    ),
    Example(
        "payload.schema",
        "block",
        PARAMETERS + "/columns_shown",
        parameters(columns_shown=["platform"]),
        parameters(columns_shown=["platform", "time", "destination"]),
        cured_by=("follow with the rest of production",),
        name="too-short",
    ),
    Example(
        "payload.schema",
        "block",
        PARAMETERS + "/rows",
        parameters(rows=20),
        parameters(rows=12),
        cured_by=("use 12",),
        name="above-the-maximum",
    ),
    Example("payload.schema", "block", PARAMETERS + "/rows", parameters(rows="8"), cured_by=("use 8",), name="text"),
    Example(
        "payload.schema",
        "block",
        PARAMETERS + "/refresh/seconds",
        parameters(refresh={"seconds": "10", "by": "poll"}),
        parameters(refresh={"seconds": 10, "by": "poll"}),
        cured_by=("use 10",),
        name="number-as-text",
    ),
    Example(
        "payload.schema",
        "block",
        PARAMETERS + "/refresh",
        parameters(refresh={"by": "push"}),
        parameters(refresh={"by": "push", "seconds": 60}),
        cured_by=("keep the other fields of production",),
        name="part-of-an-object",
    ),
    Example(
        "payload.schema",
        "block",
        PARAMETERS + "/refresh/seconds",
        parameters(refresh={"seconds": 6_000, "by": "poll"}),
        parameters(refresh={"seconds": 60, "by": "poll"}),
        cured_by=("use 60",),
        name="point-moved",
    ),
    Example(
        "payload.schema",
        "block",
        PARAMETERS + "/refresh/seconds",
        parameters(refresh={"seconds": 20, "by": "poll"}),
        name="between-two-values",
    ),
    Example(
        "payload.schema",
        "block",
        PARAMETERS + "/columns_shown",
        parameters(columns_shown={"0": "platform", "1": "time", "2": "delay"}),
        cured_by=('use ["platform","time","delay"]',),
        name="numbered-items",
    ),
    Example(
        "payload.differs",
        "block",
        PARAMETERS,
        parameters(columns_shown=None),
        {**parameters(columns_shown=None), "tags": ["a-a"]},
        cured_by=("declare an A/A test",),
    ),
    Example(
        "payload.treatments_differ",
        "block",
        TREATMENT.replace("second", "again") + "/parameters",
        variants(
            control={"weight": 0.4},
            platform_second={"weight": 0.3},
            platform_again={
                "weight": 0.3,
                "parameters": {"columns_shown": ["time", "platform", "destination", "delay"]},
            },
        ),
        cured_by=("keep platform-second and drop platform-again, which shows the same",),
    ),
    Example(
        "control.production",
        "warn",
        "/variants/control/parameters/rows",
        variants(control={"parameters": {"rows": 5}}),
        variants(control={"parameters": {"rows": 6}}),
        cured_by=("use the production value",),
    ),
    Example("layer.single", "block", "/layer", {"layer": "looks"}, cured_by=("use the layer list",), name="other"),
    Example(
        "layer.single",
        "block",
        "/variants",
        parameters(night_colours=True),
        {"layer": "looks", **parameters(night_colours=True, columns_shown=None)},
        cured_by=("vary only what lies in list: drop night_colours",),
        name="several",
    ),
)

FREE_TEXT: JsonObject = {
    "description": "Below the board.",
    "layer": "list",
    "schema": {"type": "string"},
    "initial": "",
}
COAST_IS_KEPT_OUT: JsonObject = {
    "surfaces": {"departures": {"restricted": [{"audience": "home_region = coast", "why": "Another company runs it."}]}}
}
ONLY_COMMUTERS_SEE_COLUMNS: JsonObject = {
    "surfaces": {"departures": {"parameters": {"columns_shown": {"requires": {"commutes": True}}}}}
}

PICTURES: JsonObject = {
    "content": {
        "lake": {"description": "A lake in winter.", "markets": ["CH"], "locales": ["coast"]},
        "train": {"description": "A red train.", "expires": "2026-10-17"},
        "night": {"description": "A night train.", "status": "draft"},
    },
    "content_attributes": {"market": "nationality", "locale": "home_region"},
    "surfaces": {
        "departures": {
            "parameters": {
                "picture": {
                    "description": "Above the board.",
                    "layer": "list",
                    "schema": {"type": "string"},
                    "initial": "train",
                    "content": True,
                }
            }
        }
    },
}
SWISS_COAST: JsonObject = {"audience": {"nationality": "CH", "home_region": "coast"}}

CONTENT = (
    Example(
        "content.exists",
        "block",
        PARAMETERS + "/picture",
        parameters(picture="trains"),
        {**parameters(picture="train"), "design": {"days": 7}, "allocation": 1.0},
        world=World(catalogue=PICTURES),
        cured_by=("use train",),
    ),
    Example(
        "content.ready",
        "block",
        PARAMETERS + "/picture",
        parameters(picture="night"),
        {**parameters(picture="lake"), **SWISS_COAST},
        world=World(catalogue=PICTURES),
    ),
    Example(
        "content.markets",
        "block",
        PARAMETERS + "/picture",
        {**parameters(picture="lake"), "audience": {"home_region": "coast"}},
        {**parameters(picture="lake"), **SWISS_COAST},
        world=World(catalogue=PICTURES),
        cured_by=("ask for nationality in CH",),
    ),
    Example(
        "content.locales",
        "block",
        PARAMETERS + "/picture",
        {**parameters(picture="lake"), "audience": {"nationality": "CH"}},
        {**parameters(picture="lake"), **SWISS_COAST},
        world=World(catalogue=PICTURES),
        cured_by=("ask for home_region in coast",),
    ),
    Example(
        "content.outlives_run",
        "block_unless_overridden",
        PARAMETERS + "/picture",
        parameters(picture="train"),
        {**parameters(picture="train"), "design": {"days": 7}, "allocation": 1.0},
        world=World(catalogue=PICTURES),
        cured_by=("run 7 days and end before it",),
    ),
    Example(
        "payload.personal_data",
        "block",
        PARAMETERS + "/picture",
        parameters(picture="Ask maria.rossi@example.com"),
        parameters(picture="Ask help@example.com"),
        world=World(catalogue={"surfaces": {"departures": {"parameters": {"picture": FREE_TEXT}}}}),
    ),
    Example(
        "payload.small",
        "warn",
        PARAMETERS,
        parameters(picture="x" * 4_100),
        parameters(picture="x" * 4_000),
        world=World(catalogue={"surfaces": {"departures": {"parameters": {"picture": FREE_TEXT}}}}),
    ),
)

ELIGIBILITY = (
    Example(
        "audience.attributes_known",
        "block",
        "/audience/tripps",
        {"audience": {"tripps": {"gte": 0}}},
        {"audience": {"trips": {"gte": 0}}},
        cured_by=("use trips",),
    ),
    Example(
        "audience.values_known",
        "block",
        "/audience/home_region/1",
        {"audience": {"home_region": ["hills", "Coast"]}},
        {"audience": {"home_region": ["hills", "coast"]}},
        cured_by=("use coast",),
    ),
    Example(
        "audience.values_known",
        "block",
        "/audience/nationality/0",
        {"audience": {"nationality": ["ch", "AT"]}},
        {"audience": {"nationality": ["CH", "AT"]}},
        cured_by=("use CH",),
        name="case-of-an-open-attribute",
    ),
    Example(
        "audience.values_known", "block", "/audience/commutes", {"audience": {"commutes": "sometimes"}}, name="type"
    ),
    Example(
        "audience.values_known",
        "block",
        "/audience/trips/not/1",
        {"audience": {"trips": {"not": ["CH", "AT"]}}},
        {"audience": {"nationality": {"not": ["CH", "AT"]}}},
        cured_by=("use nationality",),
        name="of-another-attribute",
    ),
    Example(
        "audience.values_known",
        "block",
        "/audience/trips/gte",
        {"audience": {"trips": {"gte": [1]}}},
        cured_by=("read it as it was meant",),
        name="bound-in-a-list",
    ),
    Example(
        "audience.attributes_known",
        "block",
        "/audience/passport",
        {"audience": {"passport": ["CH", "AT"]}},
        {"audience": {"nationality": ["CH", "AT"]}},
        cured_by=("use nationality",),
        name="by-its-values",
    ),
    Example(
        "audience.readable",
        "block",
        "/audience/trips",
        {"audience": {"trips": {}}},
        cured_by=("leave it out",),
        name="empty",
    ),
    Example(
        "audience.readable",
        "block",
        "/audience/any/1/trips",
        {"audience": {"any": [{"commutes": True}, {"trips": {}}]}},
        name="empty-alternative",
    ),
    Example(
        "audience.readable",
        "block",
        "/audience/home_region",
        {"audience": {"home_region": {"0": "coast", "1": "hills"}}},
        {"audience": {"home_region": ["coast", "hills"]}},
        cured_by=("read it as it was meant",),
        name="numbered-values",
    ),
    Example(
        "audience.readable",
        "block",
        "/audience/trips/less_than",
        {"audience": {"trips": {"less_than": 30}}},
    ),
    Example(
        "audience.readable",
        "block",
        "/audience/trips/<",
        {"audience": {"trips": {"<": 30}}},
        {"audience": {"trips": {"lt": 30}}},
        cured_by=("use lt",),
        name="operator",
    ),
    Example(
        "audience.satisfiable",
        "block",
        "/audience/trips",
        {"audience": {"trips": {"gte": 20, "lt": 20}}},
        {"audience": {"trips": {"gte": 0, "lt": 40}}},
        cured_by=("drop the condition on trips",),
    ),
    Example(
        "audience.satisfiable",
        "block",
        "/audience/trips",
        {"audience": {"trips": {"gte": 40, "lt": 1}}},
        {"audience": {"trips": {"gte": 1, "lt": 40}}},
        cured_by=("ask for trips gte 1, lt 40", "drop the condition on trips"),
        name="the-other-way-round",
    ),
    Example(
        "audience.satisfiable",
        "block",
        "/audience/trips",
        {"audience": {"trips": {"gte": 1, "lt": -40}}},
        {"audience": {"trips": {"gte": 1, "lt": 40}}},
        cured_by=("ask for trips gte 1, lt 40", "drop the condition on trips"),
        name="sign",
    ),
    Example(
        "allocation.share",
        "block",
        "/allocation",
        {"allocation": 60},
        {"allocation": 1.0},
        cured_by=("read it as 60 %",),
        name="percent",
    ),
    Example(
        "allocation.share", "block", "/allocation", {"allocation": 1.5}, cured_by=("read it as 1.5 %",), name="1.5"
    ),
    Example(
        "allocation.share",
        "block",
        "/allocation",
        {"allocation": 400},
        cured_by=("enter 100 % of units",),
        name="count",
    ),
    Example(
        "allocation.share",
        "block",
        "/allocation",
        {"allocation": 0},
        cured_by=("enter 50 % of units, the surface's usual",),
        name="zero",
    ),
    Example(
        "allocation.available",
        "block",
        "/allocation",
        {},
        world=World(held=(held("other", 0, 5_500),)),
        near_world=World(held=(held("other", 0, 4_000), held(KEY, 4_000, 10_000))),
        cured_by=("enter 45 % of units instead of 60 %, all that is free",),
    ),
    Example(
        "allocation.available", "block", "/allocation", {}, world=World(held=(held("other", 0, 10_000),)), name="full"
    ),
    Example(
        "schedule.start_not_past",
        "block",
        "/schedule/start",
        {"schedule": {"start": "2026-10-04"}},
        {"schedule": {"start": "2026-10-05"}},
        cured_by=("start on launch",),
    ),
    Example(
        "blackout.window",
        "block_unless_overridden",
        "/schedule",
        {"design": {"days": 21}},
        {"design": {"days": 21}},
        world=World(today=date(2026, 11, 2)),
        near_world=World(today=date(2026, 10, 26)),
        cured_by=("run 14 days instead of 21, to end before it", "start 2026-11-21"),
    ),
    Example(
        "audience.values_familiar",
        "warn",
        "/audience/nationality",
        {"audience": {"nationality": ["CH", "Swiss"]}},
        {"audience": {"nationality": ["CH", "AT"]}},
    ),
    Example(
        "audience.values_familiar",
        "warn",
        "/audience/nationality",
        {"audience": {"nationality": {"not": "Swiss"}}},
        {"audience": {"nationality": {"not": "CH"}}},
        name="excluded",
    ),
    Example(
        "audience.stable",
        "warn",
        "/audience/trips",
        {"audience": {"trips": {"gte": 1}}},
        {"audience": {"home_region": {"not": "hills"}}},
    ),
    Example(
        "audience.readable",
        "block",
        "/audience",
        {"audience": "trips > 3 and and commutes"},
        {"audience": "trips > 3 and commutes"},
        name="text",
    ),
    Example(
        "audience.satisfiable",
        "block",
        "/audience",
        {"audience": "(trips < 3 or commutes) and not (trips < 3) and not commutes"},
        {"audience": "(trips < 3 or commutes) and not (trips < 3)"},
        name="text",
    ),
    Example(
        "audience.allowed",
        "block",
        "/audience",
        {"audience": {"home_region": ["coast", "hills"]}},
        {"audience": {"home_region": "hills"}},
        world=World(catalogue=COAST_IS_KEPT_OUT),
        cured_by=("keep out home_region = coast",),
    ),
    Example(
        "audience.client_supported",
        "block",
        "/audience",
        {"audience": {}},
        {"audience": {"commutes": True}},
        world=World(catalogue=ONLY_COMMUTERS_SEE_COLUMNS),
        cured_by=("ask for commutes = true",),
    ),
    Example(
        "audience.alternatives",
        "warn",
        "/audience/any/1",
        {"audience": {"any": [{"commutes": True}, {"trips": {"gt": 9, "lt": 10}}]}},
        {"audience": {"any": [{"commutes": True}, {"trips": {"gt": 9, "lt": 11}}]}},
    ),
    Example(
        "audience.attributes_common",
        "warn",
        "/audience/commutes",
        {"audience": {"commutes": True}},
        {"audience": {"any": [{"commutes": True}, {"commutes": {"exists": False}}]}},
        world=World(catalogue={"attributes": {"commutes": {"present": 0.79}}}),
    ),
    Example(
        "audience.share_known",
        "info",
        "/audience",
        {"audience": {"commutes": True}},
        {"audience": {"commutes": {"exists": True}}},
        world=World(catalogue={"attributes": {"commutes": {"shares": None}}}),
    ),
    Example(
        "audience.share_known",
        "info",
        "/audience",
        {"audience": {"any": SCATTERED}},
        {"audience": {"any": SCATTERED[:3]}},
        world=COLOURFUL,
        near_world=COLOURFUL,
        name="alternatives",
    ),
    Example(
        "layer.neighbours",
        "info",
        "/layer",
        {"audience": {"home_region": ["coast", "hills"]}},
        {"audience": {"home_region": ["coast", "hills"]}},
        world=World(live=(neighbour("night-board", audience={"home_region": "hills"}),)),
        near_world=World(live=(neighbour("capital-board", audience={"home_region": "capital"}),)),
    ),
)

METRICS = (
    Example(
        "metrics.known",
        "block",
        "/metrics/Broken-Pages",
        {"metrics": {"Broken-Pages": {"role": "guardrail", "margin": 0.01}}},
        cured_by=("leave it out, broken_pages is there",),
        name="stricter-twin",
    ),
    Example(
        "metrics.known",
        "block",
        "/metrics/ticket_sold",
        {
            "metrics": {"tickets_sold": None, "ticket_sold": {"role": "success", "mde": 0.02}},
            "hypothesis": {"metric": "ticket_sold"},
        },
        cured_by=("use tickets_sold",),
        name="spelling",
    ),
    Example(
        "metrics.known",
        "block",
        "/metrics/ticket_sold",
        {
            "metrics": {"tickets_sold": None, "ticket_sold": {"role": "success"}},
            "hypothesis": {"metric": "ticket_sold"},
        },
        cured_by=("use tickets_sold",),
        name="spelling-without-effect",
    ),
    Example(
        "metrics.known",
        "block",
        "/metrics/seats_lost",
        {
            "metrics": {"tickets_sold": None, "seats_lost": {"role": "success", "mde": 0.02}},
            "hypothesis": {"metric": "seats_lost"},
        },
        name="another-name-is-another-question",
    ),
    Example(
        "metrics.known",
        "block",
        "/metrics/counter_sales",
        {
            "metrics": {"tickets_sold": None, "counter_sales": {"role": "success", "mde": 0.02}},
            "hypothesis": {"metric": "counter_sales"},
        },
        {
            "metrics": {"tickets_sold": None, "fare_income": {"role": "success", "mde": 0.02}},
            "hypothesis": {"metric": "fare_income"},
        },
        cured_by=("use fare_income",),
        name="deprecated",
    ),
    Example(
        "metrics.success_present",
        "block",
        "/metrics",
        {"metrics": {"tickets_sold": None}},
        cured_by=("tickets_sold, to detect +2.00%",),
    ),
    Example(
        "metrics.required_present",
        "block",
        "/metrics/broken_pages",
        {"metrics": {"broken_pages": None}},
        cured_by=("add it as guardrail",),
        name="missing",
    ),
    Example(
        "metrics.required_present",
        "block",
        "/metrics/broken_pages/role",
        {"metrics": {"broken_pages": {"role": "quality"}}},
        cured_by=("make it guardrail",),
        name="role",
    ),
    Example(
        "metrics.guardrail_present",
        "block_unless_overridden",
        "/metrics",
        {"metrics": {"broken_pages": None}},
        {"metrics": {"broken_pages": None, "ticket_returns": {"role": "guardrail", "margin": 0.1}}},
        world=World(catalogue={"surfaces": {"departures": {"required_metrics": None}}}),
    ),
    Example(
        "metrics.effect_present",
        "block",
        "/metrics/tickets_sold/mde",
        {"metrics": {"tickets_sold": {"mde": None}}},
        cured_by=("the metric's usual effect, +2.00%",),
    ),
    Example(
        "metrics.effect_improves",
        "block",
        "/metrics/tickets_sold/mde",
        {"metrics": {"tickets_sold": {"mde": -0.02}}, "hypothesis": {"direction": "decrease"}},
        {
            "metrics": {"tickets_sold": None, "missed_trains": {"role": "success", "mde": -0.05}},
            "hypothesis": {"metric": "missed_trains", "direction": "decrease"},
            "design": {"days": 28},
        },
        cured_by=("expect +2.00%",),
    ),
    Example(
        "hypothesis.direction",
        "block",
        "/hypothesis/direction",
        {"hypothesis": {"direction": "decrease"}},
        cured_by=("predict increase",),
    ),
    Example(
        "metrics.margin_present",
        "block",
        "/metrics/broken_pages/margin",
        {"metrics": {"broken_pages": {"margin": None}}},
        cured_by=("10.00%",),
    ),
    Example(
        "metrics.margin_present",
        "block",
        "/metrics/missed_trains/margin",
        {"metrics": {"missed_trains": {"role": "guardrail"}}, "design": {"days": 28}},
        {"metrics": {"missed_trains": {"role": "guardrail", "margin": 0.12}}, "design": {"days": 28}},
        world=World(catalogue={"metrics": {"missed_trains": {"margin": 0.3}}}),
        near_world=World(catalogue={"metrics": {"missed_trains": {"margin": 0.3}}}),
        cured_by=("12.00%",),
        name="metric wider than the surface allows",
    ),
    Example(
        "metrics.window",
        "block",
        "/design/days",
        {"metrics": {"missed_trains": {"role": "quality"}}},
        {"metrics": {"missed_trains": {"role": "quality"}}, "design": {"days": 28}},
        cured_by=("run 28 days instead of 14",),
    ),
    Example(
        "metrics.margin_policy",
        "block_unless_overridden",
        "/metrics/broken_pages/margin",
        {"metrics": {"broken_pages": {"margin": 0.11}}},
        {"metrics": {"broken_pages": {"margin": 0.09}}},
        cured_by=("10.00%",),
    ),
    Example(
        "metrics.effect_possible",
        "block",
        "/metrics/seats_found/mde",
        {"metrics": {"seats_found": {"role": "success", "mde": 0.4}}},
        {"metrics": {"seats_found": {"role": "success", "mde": 0.1}}},
        cured_by=("the metric's usual effect, +1.00%",),
    ),
    Example(
        "metrics.effect_plausible",
        "block_unless_overridden",
        "/metrics/tickets_sold/mde",
        {"metrics": {"tickets_sold": {"mde": 2}}},
        {"metrics": {"tickets_sold": {"mde": 0.5}}},
        cured_by=("+2.00%", "+50%, the most"),
    ),
    Example(
        "metrics.few",
        "warn",
        "/metrics",
        {
            "metrics": {
                "fare_income": {"role": "success", "mde": 0.02},
                "thanks_received": {"role": "success", "mde": 0.2},
            },
            "design": {"days": 28},
        },
        {"metrics": {"fare_income": {"role": "success", "mde": 0.02}}, "design": {"days": 28}},
    ),
    Example(
        "metrics.unit",
        "block",
        "/metrics/ticket_returns",
        {"metrics": {"ticket_returns": {"role": "quality"}}},
        {"metrics": {"fare_income": {"role": "quality"}}},
        cured_by=("leave it out",),
    ),
    Example(
        "metrics.effect_usual",
        "warn",
        "/metrics/tickets_sold/mde",
        {"metrics": {"tickets_sold": {"mde": 0.12}}},
        {"metrics": {"tickets_sold": {"mde": 0.1}}},
        cured_by=("the usual effect, +2.00%",),
    ),
)

INCOME: JsonObject = {"metrics": {"fare_income": {"role": "success", "mde": 0.02}}, "design": {"days": 28}}
"""A second success metric, in a run that is long enough for it."""


def baseline(metric: str, **fields: JsonValue) -> World:
    return World({"metrics": {metric: {"baseline": dict(fields)}}})


FARE_A_TICKET = World(
    {
        "metrics": {
            "fare_income": {
                "kind": "ratio",
                "denominator_metric": "thanks_received",
                "source": {"denominator": "tickets"},
            }
        }
    }
)

BASELINES = (
    Example(
        "metrics.history",
        "block_unless_overridden",
        "/metrics/thanks_received",
        {"metrics": {"thanks_received": {"role": "success", "mde": 0.1}}},
        {"metrics": {"thanks_received": {"role": "quality"}}},
        world=baseline("thanks_received", variance=None),
    ),
    Example(
        "metrics.baseline_nonzero",
        "block",
        "/metrics/fare_income",
        INCOME,
        INCOME,
        world=baseline("fare_income", mean=-0.08),
        near_world=baseline("fare_income", mean=-0.2),
    ),
    Example(
        "metrics.baseline_fresh",
        "warn",
        "/metrics",
        {},
        world=baseline("tickets_sold", measured="2026-07-06"),
        near_world=baseline("tickets_sold", measured="2026-07-07"),
    ),
    Example(
        "metrics.skew_covered",
        "warn",
        "/metrics/fare_income",
        INCOME,
        INCOME,
        world=baseline("fare_income", skew=45),
        near_world=baseline("fare_income", skew=35),
        cured_by=("enter 0.8 of the units",),
    ),
    Example(
        "metrics.skew_covered",
        "warn",
        "/metrics/fare_income",
        {**INCOME, "design": {"days": 28, "kind": "group_sequential", "looks": [0.5, 1]}},
        INCOME,
        world=baseline("fare_income", skew=35),
        near_world=baseline("fare_income", skew=35),
        cured_by=("enter 0.97 of the units",),
        name="at-the-first-look",
    ),
    Example(
        "metrics.rate_observable",
        "warn",
        "/metrics/broken_pages",
        {},
        world=baseline("broken_pages", mean=0.0008),
        near_world=baseline("broken_pages", mean=0.0015),
        cured_by=("enter 0.74 of the units",),
    ),
    Example(
        "metrics.rate_observable",
        "warn",
        "/metrics/broken_pages",
        {},
        world=baseline("broken_pages", mean=0.0002),
        name="not-even-by-everybody",
    ),
    Example(
        "metrics.denominator_watched",
        "warn",
        "/metrics/fare_income",
        INCOME,
        {
            **INCOME,
            "metrics": {"fare_income": {"role": "success", "mde": 0.02}, "thanks_received": {"role": "quality"}},
        },
        world=FARE_A_TICKET,
        near_world=FARE_A_TICKET,
        cured_by=("watch thanks_received",),
    ),
)


def sequential(*looks: float, **design: JsonValue) -> JsonObject:
    return {"design": {"kind": "group_sequential", "looks": list[JsonValue](looks), **design}}


EACH_WEEK = "look at the end of each week: 0.6667, 1"

SEQUENTIAL = (
    Example(
        "design.looks_used",
        "block",
        "/design/kind",
        {"design": {"looks": [0.7, 1]}},
        sequential(0.7, 1),
        cured_by=("make it group sequential", "read it once, at the end"),
    ),
    Example(
        "design.looks_used",
        "block",
        "/design/kind",
        {"design": {"spending": "pocock"}},
        sequential(0.7, 1, spending="pocock"),
        cured_by=("read it once, at the end",),
        name="spending",
    ),
    Example(
        "design.looks",
        "block",
        "/design/looks",
        sequential(0.9, 0.7, 1),
        sequential(0.7, 0.9, 1),
        cured_by=("look at 0.7, 0.9, 1",),
        name="order",
    ),
    Example(
        "design.looks",
        "block",
        "/design/looks",
        sequential(70, 100),
        cured_by=("read them as per cent: 0.7, 1",),
        name="per-cent",
    ),
    Example(
        "design.looks",
        "block",
        "/design/looks",
        sequential(*(number / 100 for number in range(30, 101))),
        cured_by=(EACH_WEEK,),
        name="too-many",
    ),
    Example("design.maximum", "block", "/design/looks", sequential(), cured_by=(EACH_WEEK,), name="no-looks"),
    Example(
        "design.maximum",
        "block",
        "/design/looks",
        sequential(0.7, 0.9),
        sequential(0.7, 0.9, 1),
        cured_by=("end at 1", EACH_WEEK),
        name="open-end",
    ),
    Example(
        "design.sequential_metric",
        "block",
        "/design/looks",
        sequential(0.5, 1),
        sequential(0.67, 1),
        cured_by=(EACH_WEEK, "read it once, at the end"),
    ),
    Example(
        "design.sequential_metric",
        "block",
        "/design/looks",
        {**sequential(0.5, 1, days=28), "metrics": {"fare_income": {"role": "guardrail", "margin": 0.02}}},
        world=World({"metrics": {"fare_income": {"window_days": 25}}}),
        cured_by=("run 35 days and look at 0.8776, 1", "read it once, at the end"),
        name="too-short-for-two",
    ),
    Example(
        "design.correction",
        "block",
        "/design/correction",
        {**INCOME, "design": {"days": 28, "correction": "none"}},
        {"design": {"correction": "none"}},
        cured_by=("bonferroni",),
        name="none",
    ),
    Example(
        "design.correction",
        "block",
        "/design/correction",
        {**INCOME, **sequential(0.7, 1, days=28, correction="holm")},
        {**INCOME, "design": {"days": 28, "correction": "holm"}},
        cured_by=("bonferroni",),
        name="holm-at-looks",
    ),
)

STATISTICS = (
    Example(
        "design.policy",
        "block_unless_overridden",
        "/design/alpha",
        {"design": {"alpha": 0.1}},
        {"design": {"alpha": 0.04}},
        cured_by=("alpha 0.05",),
        name="alpha",
    ),
    Example(
        "design.policy",
        "block_unless_overridden",
        "/design/power",
        {"design": {"power": 0.6}},
        {"design": {"power": 0.85}},
        cured_by=("power 0.8",),
        name="power",
    ),
    Example(
        "duration.possible",
        "block",
        "/design/days",
        {"design": {"days": 365}},
        {"design": {"days": 180}},
        world=World(catalogue={"surfaces": {"departures": {"blackouts": None}}}),
        near_world=World(catalogue={"surfaces": {"departures": {"blackouts": None}}}),
        cured_by=("run 28 days instead of 365",),
    ),
    Example(
        "duration.minimum",
        "block_unless_overridden",
        "/design/days",
        {"design": {"days": 3}},
        {"design": {"days": 7}, "allocation": 0.9},
        cured_by=("run 7 days instead of 3",),
        name="short",
    ),
    Example(
        "duration.minimum",
        "block_unless_overridden",
        "/design/days",
        {"design": {"days": 0}},
        cured_by=("run 7 days instead of 0",),
        name="zero",
    ),
    Example(
        "power.sufficient",
        "block_unless_overridden",
        "/design",
        {"allocation": 0.2},
        {"allocation": 0.4},
        cured_by=(
            "enter 36 % of units instead of 20 %: power 0.91 to ship",
            "run 42 days instead of 14: power 0.92 to ship",
            "settle for detecting +2.67% on tickets_sold",
        ),
    ),
    Example(
        "power.sufficient",
        "block_unless_overridden",
        "/design",
        sequential(0.7, 1) | {"allocation": 0.35},
        sequential(0.7, 1) | {"allocation": 0.4},
        cured_by=(
            "enter 37 % of units instead of 35 %: power 0.90 to ship",
            "run 21 days instead of 14: power 0.95 to ship",
            "settle for detecting +2.05% on tickets_sold",
        ),
        name="sequential",
    ),
    Example("design.aa_first", "info", "/surface", {}, {"tags": ["a-a"]}, World(first=True), World(first=True)),
    Example(
        "duration.whole_weeks",
        "warn",
        "/design/days",
        {"design": {"days": 17}},
        {"design": {"days": 21}},
        cured_by=("run 21 days instead of 17",),
    ),
    Example(
        "duration.long",
        "warn",
        "/design/days",
        {"design": {"days": 35}},
        {"design": {"days": 28}},
    ),
)

MUST_AGREE: JsonObject = {"surfaces": {"departures": {"required_reviewers": ["signals", "safety"]}}}

INTENT = (
    Example(
        "hypothesis.complete",
        "block",
        "/hypothesis/because",
        {"hypothesis": {"because": "better"}},
        {"hypothesis": {"because": "Nobody turns back"}},
    ),
    Example(
        "hypothesis.falsifiable",
        "warn",
        "/hypothesis/because",
        {"hypothesis": {"because": "The platform stands next to the time"}},
        {"hypothesis": {"because": "The platform next to the time saves riders a second look"}},
        name="restated",
    ),
    Example(
        "hypothesis.falsifiable",
        "warn",
        "/hypothesis/because",
        {"hypothesis": {"because": "We want to see what happens to sales"}},
        {"hypothesis": {"because": "Riders see what is next"}},
        name="any-outcome",
    ),
    Example(
        "decision.rule",
        "block",
        "/decision",
        {"decision": None},
        {"decision": {"success": "all"}},
        cured_by=("ship if any success superior, all guardrails non-inferior",),
    ),
    Example(
        "links.required",
        "warn",
        "/links/design",
        {"links": {"ticket": "https://example.com/1"}},
        {"links": {"design": "https://example.com/2"}},
        world=World(catalogue={"surfaces": {"departures": {"required_links": ["design"]}}}),
        near_world=World(catalogue={"surfaces": {"departures": {"required_links": ["design"]}}}),
    ),
    Example(
        "review.pending",
        "block",
        "/surface",
        {},
        world=World(MUST_AGREE, agreed=frozenset({"safety"})),
        near_world=World(MUST_AGREE, agreed=frozenset({"signals", "safety"})),
    ),
    Example(
        "hypothesis.metric_is_success",
        "block",
        "/hypothesis/metric",
        {"hypothesis": {"metric": "fare_income"}},
        cured_by=("name tickets_sold",),
    ),
    Example("owner.named", "block", "/owner", {"owner": " "}, cured_by=("the surface's team, boards",)),
    Example(
        "review.suggested",
        "info",
        "/surface",
        {},
        world=World(catalogue={"surfaces": {"departures": {"reviewers": ["signals"]}}}),
        near_world=QUIET,
    ),
)

OPERATIONS = (
    Example(
        "operations.stop_rule",
        "block",
        "/stop",
        {"stop": None},
        {"stop": ["srm"]},
        cured_by=("pause on srm and guardrail",),
    ),
    Example(
        "operations.alerts",
        "warn",
        "/alerts",
        {"alerts": []},
        {"alerts": ["#boards"]},
        cured_by=("tell boards",),
    ),
    Example("unit.surface", "block", "/unit", {"unit": "ticket"}, cured_by=("use rider",)),
    Example(
        "surface.cap",
        "block_unless_overridden",
        "/surface",
        {},
        world=World(live=(neighbour("one"), neighbour("two"))),
        near_world=World(live=(neighbour("one"),)),
    ),
    Example(
        "ramp.coverage",
        "block",
        "/ramp",
        {"ramp": [{"coverage": 0.5, "hours": 24}, {"coverage": 0.1, "hours": 24}]},
        {"ramp": [{"coverage": 0.1, "hours": 24}, {"coverage": 0.5}]},
        world=RISKY,
        near_world=RISKY,
        cured_by=("let in 10 %, 50 %, then everybody",),
        name="order",
    ),
    Example(
        "ramp.coverage",
        "block",
        "/ramp/0/coverage",
        {"ramp": [{"coverage": 5, "hours": 24}, {"coverage": 25, "hours": 24}, {"coverage": 100}]},
        {"ramp": [{"coverage": 0.05, "hours": 24}, {"coverage": 0.25, "hours": 24}]},
        world=RISKY,
        near_world=RISKY,
        cured_by=("let in 5 %, 25 %, then everybody",),
        name="percent",
    ),
    Example(
        "ramp.coverage",
        "block",
        "/ramp/0/coverage",
        {"ramp": [{"coverage": 1}]},
        world=RISKY,
        near_world=RISKY,
        cured_by=("let everybody in at once",),
        name="whole",
    ),
    Example(
        "ramp.coverage",
        "block",
        "/ramp",
        {"ramp": [{"coverage": step / 10} for step in range(1, 10)]},
        {"ramp": [{"coverage": step / 10} for step in range(1, 9)]},
        world=RISKY,
        near_world=RISKY,
        name="many",
    ),
    Example(
        "ramp.stages",
        "block",
        "/ramp/0",
        {"ramp": [{"coverage": 0.1, "hours": 12, "days": 1}]},
        {"ramp": [{"coverage": 0.1, "days": 1}]},
        world=RISKY,
        near_world=RISKY,
        cured_by=("36 hours",),
        name="both",
    ),
    Example(
        "ramp.stages",
        "block",
        "/ramp/1",
        {"ramp": [{"coverage": 0.1}, {"coverage": 0.5, "hours": 0}]},
        {"ramp": [{"coverage": 0.1}, {"coverage": 0.5, "hours": 1}]},
        world=RISKY,
        near_world=RISKY,
        cured_by=("24 hours",),
        name="none",
    ),
    Example(
        "ramp.length",
        "block",
        "/ramp",
        {"ramp": [{"coverage": 0.1, "days": 7}, {"coverage": 0.5, "hours": 168}]},
        {"ramp": [{"coverage": 0.1, "days": 1}, {"coverage": 0.5, "hours": 168}]},
        world=RISKY,
        near_world=RISKY,
        cured_by=("let everybody in at once",),
    ),
    Example(
        "ramp.risky",
        "warn",
        "/ramp",
        {},
        {"ramp": [{"coverage": 0.2}]},
        world=RISKY,
        near_world=RISKY,
        cured_by=("let in 10 %, 50 %, then everybody, 24 hours each",),
    ),
    Example(
        "spec.unknown_field",
        "block",
        "/ramp/0/day",
        {"ramp": [{"coverage": 0.2, "day": 2}]},
        {"ramp": [{"coverage": 0.2, "days": 2}]},
        world=RISKY,
        near_world=RISKY,
        cured_by=("leave it out",),
        name="stage",
    ),
    Example(
        "schedule.sweeper_live",
        "block_unless_overridden",
        "/schedule",
        {"ramp": [{"coverage": 0.1, "hours": 24}]},
        {"ramp": [{"coverage": 0.1}]},
        world=World(swept=False),
        near_world=World(swept=False),
        name="ramp",
    ),
    Example(
        "schedule.sweeper_live",
        "block_unless_overridden",
        "/schedule",
        {"schedule": {"start": "2026-10-06"}},
        {"schedule": {"start": "2026-10-05"}},
        world=World(swept=False),
        near_world=World(swept=False),
        name="start",
    ),
    Example(
        "schedule.sweeper_live",
        "block_unless_overridden",
        "/schedule",
        {"schedule": {"end": "2026-10-30"}},
        {"schedule": {"end": "2026-10-30"}},
        world=World(swept=False),
        name="end",
    ),
    Example(
        "schedule.due_done",
        "warn",
        "/schedule",
        {},
        world=World(late=("The disk is full.",)),
    ),
    Example(
        "ramp.lowered",
        "warn",
        "/ramp",
        {},
        world=World(moved=(0.5, 0.1)),
        near_world=World(moved=(0.1, 0.5)),
    ),
    Example(
        "schedule.end",
        "block_unless_overridden",
        "/schedule/end",
        {"schedule": {"end": "2026-10-17"}},
        {"schedule": {"end": "2026-10-18"}},
        world=RISKY,
        near_world=RISKY,
        cured_by=("end 2026-10-18, 14 days after the start", "run until somebody stops it"),
    ),
)

NIGHT: JsonObject = {"surfaces": {"departures": {"parameters": {"night_colours": {"component": "board"}}}}}
BOARD: JsonObject = {
    "surfaces": {
        "departures": {"parameters": {"columns_shown": {"component": "board"}, "night_colours": {"component": "board"}}}
    }
}
HOLDOUT: JsonObject = {
    "holdouts": {
        "quiet_year": {
            "description": "Riders whose board stays as it was.",
            "surfaces": ["departures"],
            "share": 0.02,
            "salt": "quiet-year",
            "ends": "2026-10-12",
        }
    }
}
EARLIER: JsonObject = {
    "hypothesis": {"change": "Riders see the platform right after the time", "because": "They find their train sooner"}
}
OTHER_IDEA: JsonObject = {
    **variants(platform_second={"parameters": {"columns_shown": ["via", "time", "destination"]}}),
    "hypothesis": {"change": "Stops on the way come first", "because": "Tourists look for places they know"},
}


def rider(**changes: JsonValue) -> JsonObject:
    return {"attributes": {"rider_id": dict(changes)}}


COORDINATION = (
    Example(
        "allocation.rested",
        "warn",
        "/allocation",
        {},
        world=World(released=(released("night-board", 0, 5_000, date(2026, 9, 30)),)),
        near_world=World(released=(released("night-board", 0, 4_000, date(2026, 9, 30)),)),
        cured_by=("start 2026-10-14, rested", "enter 0.5, all that has rested"),
    ),
    Example(
        "allocation.rested",
        "warn",
        "/allocation",
        {},
        world=World(released=(released("night-board", 0, 10_000, date(2026, 9, 30)),)),
        near_world=World(released=(released("night-board", 0, 10_000, date(2026, 9, 21)),)),
        cured_by=("start 2026-10-14, rested",),
        name="two-weeks-ago",
    ),
    Example(
        "allocation.rested",
        "warn",
        "/allocation",
        {},
        world=World(
            released=(released("night-board", 0, 10, date(2026, 9, 30)),), capabilities=Capabilities(allocates=True)
        ),
        near_world=World(
            released=(released("night-board", 0, 10, date(2026, 9, 21)),), capabilities=Capabilities(allocates=True)
        ),
        cured_by=("start 2026-10-14, rested",),
        name="of-an-assigner-that-allocates",
    ),
    Example(
        "layer.interaction",
        "warn",
        "/layer",
        {},
        world=World(BOARD, live=(neighbour("night-board", until=date(2026, 10, 18)),)),
        near_world=World(NIGHT, live=(neighbour("night-board", until=date(2026, 10, 18)),)),
        cured_by=("start 2026-10-19, after them",),
    ),
    Example(
        "layer.interaction",
        "warn",
        "/layer",
        {"audience": {"home_region": "coast"}},
        {"audience": {"home_region": "hills"}},
        world=World(BOARD, live=(neighbour("night-board", audience={"home_region": "coast"}),)),
        near_world=World(BOARD, live=(neighbour("night-board", audience={"home_region": "coast"}),)),
        name="where-audiences-meet",
    ),
    Example(
        "holdouts.outlast",
        "info",
        "/design/days",
        {},
        {"design": {"days": 7}},
        world=World(HOLDOUT),
        near_world=World(HOLDOUT),
    ),
    Example(
        "hypothesis.new",
        "warn",
        "/hypothesis",
        {},
        world=World(precedents=(precedent(EARLIER, ended=date(2026, 9, 1)),)),
        near_world=World(precedents=(precedent(OTHER_IDEA),)),
        cured_by=("say that it follows platform-first",),
        name="same-values",
    ),
    Example(
        "hypothesis.new",
        "warn",
        "/hypothesis",
        parameters(columns_shown=["platform", "time", "destination"]),
        {**parameters(columns_shown=["platform", "time", "destination"]), "audience": {"home_region": "coast"}},
        world=World(precedents=(precedent({}, "running", 3),)),
        near_world=World(precedents=(precedent({"audience": {"home_region": "hills"}}),)),
        cured_by=("say that it follows platform-first",),
        name="same-words",
    ),
    Example(
        "unit.length",
        "block",
        "/unit",
        {},
        world=World(rider(longest=101)),
        near_world=World(rider(longest=100)),
    ),
    Example(
        "unit.present",
        "warn",
        "/unit",
        {},
        world=World(rider(present=0.95)),
        near_world=World(rider(present=0.999)),
    ),
    Example("unit.stable", "warn", "/unit", {}, world=World(rider(immutable=False))),
    Example(
        "unit.independent",
        "warn",
        "/surface",
        {},
        world=World({"surfaces": {"departures": {"interference": "Trains have a number of seats."}}}),
    ),
    Example(
        "unit.independent",
        "warn",
        "/variants",
        {},
        world=World({"surfaces": {"departures": {"parameters": {"columns_shown": {"interference": "Crowds move."}}}}}),
        near_world=World({"surfaces": {"departures": {"parameters": {"rows": {"interference": "Crowds move."}}}}}),
        name="parameter",
    ),
)

TRIAL = (
    Example(
        "assignment.split",
        "block",
        "/variants",
        {},
        world=World(trial=tried(entered={"control": 6_000, "platform-second": 0}, split_p=0.0)),
        near_world=World(trial=tried(split_p=2e-6)),
    ),
    Example(
        "assignment.share",
        "block",
        "/allocation",
        {},
        world=World(trial=tried(share_p=1e-9)),
        near_world=World(trial=tried(share_p=None)),
    ),
    Example(
        "assignment.exclusive",
        "block",
        "/layer",
        {},
        world=World(trial=tried(taken_from=["night-board"])),
        near_world=World(trial=tried()),
    ),
    Example(
        "assignment.holdouts",
        "block",
        "/surface",
        {},
        world=World(trial=tried(held_out=["quiet_year"])),
        near_world=World(trial=tried()),
    ),
)

DELIVERY = (
    Example(
        "production.schema",
        "block",
        "/variants/control/parameters/columns_shown",
        {},
        world=World(production={"columns_shown": {"x": 1}}),
        near_world=World(production={"columns_shown": ["time", "destination", "platform", "delay"]}),
    ),
    Example("delivery.orphans", "block", "/layer", {}, world=World(strays=("lost-one",)), near_world=QUIET),
    Example("layer.one_hash", "block", "/layer", {}, world=World(elsewhere=("winter",)), near_world=QUIET),
    Example("delivery.owned", "block", "/environment", {}, world=World(owners=("boards/payload",)), near_world=QUIET),
    Example(
        "delivery.drifted",
        "warn",
        "/environment",
        {},
        world=World(deliveries=(delivery({"rules": {"coverage": 1}}, {"rules": {"coverage": 0.5}}),)),
        near_world=World(deliveries=(delivery({"rules": {"coverage": 1}}, {"rules": {"coverage": 1.0}}),)),
    ),
    Example(
        "delivery.unreadable",
        "warn",
        "/environment",
        {},
        world=World(deliveries=(delivery({"rules": {}}, None, failure="The path does not lead to a document."),)),
        near_world=World(deliveries=(delivery({"rules": {}}, None),)),
    ),
    Example(
        "delivery.shadowed",
        "warn",
        "/environment",
        {},
        world=World(deliveries=(delivery({"rules": {}}, {"rules": {}}, shadows=("board.colours: winter",)),)),
        near_world=World(deliveries=(delivery({"rules": {}}, {"rules": {}}),)),
    ),
)


COARSE = World(
    capabilities=Capabilities(
        slots=100,
        coverage_steps=100,
        weight_steps=1_000,
        audiences={**ALL_AUDIENCES, "string": frozenset({"values"}), "number": frozenset(), "integer": frozenset()},
        alternatives=2,
        values=frozenset({"string", "number", "boolean", "array"}),
        why={"slots": "Each slot is a variant of its own there."},
    )
)
"""An assigner of few words."""
SHORT = World(capabilities=Capabilities(longest_text=20, longest_name=20))
GIVING = World(capabilities=Capabilities(allocates=True, why={"allocates": "It keeps that to itself."}))
"""An assigner that gives out units itself."""
QUIET_YEAR: JsonObject = {
    "holdouts": {
        "quiet_year": {
            "description": "Riders who meet no experiment.",
            "surfaces": ["departures"],
            "share": 0.05,
            "salt": "quiet",
            "ends": "2027-06-30",
        }
    }
}
NO_HOLDOUTS = World(catalogue=QUIET_YEAR, capabilities=Capabilities(holdouts=False))
THIRDS = variants(
    control={"weight": 0.3333}, platform_second={"weight": 0.3333}, rest={"weight": 0.3334, "parameters": {"rows": 8}}
)
TENTHS = variants(
    control={"weight": 0.333}, platform_second={"weight": 0.333}, rest={"weight": 0.334, "parameters": {"rows": 8}}
)
ASSIGNER = (
    Example(
        "assigner.allocation",
        "block",
        "/allocation",
        {"allocation": 0.604},
        {"allocation": 0.61},
        world=COARSE,
        near_world=COARSE,
        cured_by=(
            "enter 60 % of units instead of 60.4 %",
            "enter 61 % of units instead of 60.4 %",
        ),
    ),
    Example(
        "assigner.allocation",
        "block",
        "/allocation",
        {"allocation": 0.004},
        {"allocation": 0.604},
        world=COARSE,
        near_world=replace(COARSE, held=(held("lounge", 6_000, 10_000),)),
        cured_by=("enter 1 % of units instead of 0.4 %",),
        name="less-than-one",
    ),
    Example(
        "assigner.buckets",
        "block",
        "/allocation",
        {},
        world=replace(COARSE, held=(held(KEY, 0, 5_950), held(KEY, 6_000, 6_050))),
        near_world=replace(COARSE, held=(held(KEY, 0, 6_000), held("lounge", 6_000, 6_050))),
    ),
    Example(
        "assigner.coverage",
        "block",
        "/ramp/0/coverage",
        {"ramp": [{"coverage": 0.025, "hours": 24}, {"coverage": 0.029}, {"coverage": 0.5, "days": 1}]},
        {"ramp": [{"coverage": 0.03, "hours": 24}, {"coverage": 0.29}]},
        world=COARSE,
        near_world=COARSE,
        cured_by=("let in 3 %, 50 %, then everybody",),
    ),
    Example(
        "assigner.coverage",
        "block",
        "/ramp/0/coverage",
        {"ramp": [{"coverage": 0.5, "hours": 24}]},
        world=World(capabilities=Capabilities(coverage_steps=1)),
        cured_by=("let everybody in at once",),
        name="no-ramps",
    ),
    Example(
        "assigner.weights",
        "block",
        "/variants",
        THIRDS,
        TENTHS,
        world=COARSE,
        near_world=COARSE,
        cured_by=("weigh control 0.333, platform-second 0.333, rest 0.334",),
    ),
    Example(
        "assigner.holdouts",
        "block",
        "/surface",
        {},
        world=NO_HOLDOUTS,
        near_world=World(catalogue=QUIET_YEAR, capabilities=COARSE.capabilities),
    ),
    Example(
        "assigner.audience",
        "block",
        "/audience/home_region",
        {"audience": {"home_region": {"not": ["coast"]}}},
        {"audience": {"home_region": ["hills", "capital"]}},
        world=COARSE,
        near_world=COARSE,
        cured_by=('ask home_region for "capital", "hills", the same units', "drop the condition on home_region"),
    ),
    Example(
        "assigner.audience",
        "block",
        "/audience/home_region",
        {"audience": {"home_region": {"exists": True}}},
        world=COARSE,
        cured_by=(
            'ask home_region for "capital", "coast", "hills", the same units',
            "drop the condition on home_region",
        ),
        name="any-value",
    ),
    Example(
        "assigner.audience",
        "block",
        "/audience/trips",
        {"audience": {"trips": {"gte": 4}}},
        {"audience": {"client": {"gte": "3.0.0"}}},
        world=COARSE,
        near_world=COARSE,
        cured_by=("drop the condition on trips",),
        name="range",
    ),
    Example(
        "assigner.audience",
        "block",
        "/audience",
        {"audience": "home_region = coast or home_region missing"},
        world=COARSE,
        name="text",
    ),
    Example(
        "assigner.alternatives",
        "block",
        "/audience",
        {"audience": {"any": [{"home_region": "coast"}, {"commutes": True}, {"nationality": "CH"}]}},
        {"audience": {"any": [{"home_region": "coast"}, {"home_region": "hills"}, {"commutes": True}]}},
        world=COARSE,
        near_world=COARSE,
    ),
    Example(
        "assigner.values",
        "block",
        PARAMETERS + "/refresh",
        parameters(refresh={"seconds": 10, "by": "push"}),
        parameters(rows=8),
        world=COARSE,
        near_world=COARSE,
    ),
    Example(
        "assigner.values",
        "block",
        PARAMETERS + "/layout",
        parameters(layout="a" * 21),
        parameters(layout="a" * 20),
        world=SHORT,
        near_world=SHORT,
        name="long-text",
    ),
    Example(
        "assigner.values",
        "block",
        "/variants",
        {},
        world=World(capabilities=Capabilities(longest_name=3)),
        near_world=SHORT,
        name="long-name",
    ),
    Example("assigner.allocates", "info", "/layer", {}, world=GIVING, near_world=QUIET),
    Example(
        "assigner.values",
        "block",
        "/variants/control/parameters/refresh",
        parameters(refresh={"seconds": 10, "by": "push"}),
        world=COARSE,
        name="in-production",
    ),
)

EXAMPLES: tuple[Example, ...] = (
    *DELIVERY,
    *ASSIGNER,
    *SHAPE,
    *VARIANTS,
    *CONTENT,
    *ELIGIBILITY,
    *METRICS,
    *BASELINES,
    *SEQUENTIAL,
    *STATISTICS,
    *INTENT,
    *OPERATIONS,
    *COORDINATION,
    *TRIAL,
)

"""The payload that the adapter writes, evaluated by GrowthBook's own Python SDK for 20,000 units."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from growthbook import GrowthBook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.adapters.documents import OneFile
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.core.assignment import decide
from crossfade.core.documents import JsonObject
from crossfade.core.model.delivery import Assignment, Condition, Exclusion, Scalar
from crossfade.core.model.plan import BucketRange

COUNT = 20_000
UNITS = [f"user-{number}" for number in range(COUNT)]


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 1, 12, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


def an_assignment(experiment: str = "title-test", **changes: object) -> Assignment:
    """Everybody, half and half, on two parameters, unless changed."""
    whole: dict[str, object] = {
        "experiment": experiment,
        "surface": "home",
        "environment": "production",
        "unit_attribute": "user_id",
        "layer_seed": "home.top",
        "ranges": [BucketRange(lo=0, hi=10_000)],
        "seed": f"{experiment}.1",
        "coverage": 1.0,
        "variants": ["control", "new"],
        "weights": [0.5, 0.5],
        "parameters": {"title": ["For you", f"By {experiment}"], "rows": [3, 4]},
        "production": {"title": "For you", "rows": 3},
        "audience": [[]],
        "exclusions": [],
    }
    return Assignment.model_validate({**whole, **changes})


class Product:
    """A product that reads the file and asks the SDK."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.adapter = GrowthbookPayload(OneFile(), StoppedClock())
        self.exposures: list[tuple[str, str, str]] = []
        self.sdk = GrowthBook(on_experiment_viewed=self._track)

    def _track(self, experiment: Any, result: Any, user_context: Any) -> None:
        self.exposures.append((experiment.key, result.hashValue, result.key))

    def write(self, experiment: str, after: JsonObject | None) -> None:
        place: JsonObject = {"path": str(self.file)}
        before = self.adapter.read(place, "payload", experiment)
        self.adapter.write(place, "payload", experiment, before=before, after=after, fence=1)
        self.sdk.set_payload(json.loads(self.file.read_bytes()))

    def launch(self, assignment: Assignment) -> None:
        self.write(assignment.experiment, self.adapter.compile_assignment(assignment))

    def value(self, parameter: str, attributes: dict[str, Any]) -> JsonValue:
        self.sdk.set_attributes(attributes)
        return self.sdk.eval_feature(f"home.{parameter}").value

    def met(self, parameter: str, units: Iterable[str] = UNITS, **attributes: Any) -> dict[str, tuple[str, str]]:
        """Unit -> (experiment, variant) of each unit that is in one; the others have to get the production value."""
        inside: dict[str, tuple[str, str]] = {}
        for unit in units:
            self.sdk.set_attributes({"user_id": unit, **attributes})
            met = self.sdk.eval_feature(f"home.{parameter}")
            if met.experimentResult is None:
                assert met.source == "defaultValue"
                assert met.value == {"title": "For you", "rows": 3}[parameter]
            else:
                assert met.experiment is not None
                inside[unit] = (met.experiment.key, met.experimentResult.key)
        return inside


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return Product(tmp_path / "payload.json")


def require_share(count: int, total: int, share: float) -> None:
    """A count within three standard errors of its share."""
    assert abs(count / total - share) <= 3 * math.sqrt(share * (1 - share) / total)


@pytest.mark.parametrize("weights", [[0.5, 0.5], [0.2, 0.3, 0.5]], ids=["halves", "three"])
def test_units_split_by_the_weights_and_everybody_is_in(product: Product, weights: list[float]) -> None:
    variants = ["control", "new", "bold"][: len(weights)]
    titles: list[JsonValue] = list[JsonValue](variants)
    product.launch(an_assignment(variants=variants, weights=weights, parameters={"title": titles}))
    inside = product.met("title")
    assert len(inside) == COUNT
    found = Counter(variant for _, variant in inside.values())
    for variant, weight in zip(variants, weights, strict=True):
        require_share(found[variant], COUNT, weight)
    assert all(product.value("title", {"user_id": unit}) == inside[unit][1] for unit in UNITS[:200])


def test_experiments_in_one_layer_share_no_unit_and_take_their_ranges(product: Product) -> None:
    ranges = {
        "exp-a": [BucketRange(lo=0, hi=2_000), BucketRange(lo=9_000, hi=9_500)],
        "exp-b": [BucketRange(lo=2_000, hi=6_000)],
    }
    alone: dict[str, set[str]] = {}
    for experiment, held in ranges.items():
        product.launch(an_assignment(experiment, ranges=held))
        alone[experiment] = set(product.met("rows")) - set().union(*alone.values())
    inside = product.met("title")
    found = Counter(experiment for experiment, _ in inside.values())
    require_share(found["exp-a"], COUNT, 0.25)
    require_share(found["exp-b"], COUNT, 0.4)
    for experiment in ranges:
        mine = {unit: variant for unit, (key, variant) in inside.items() if key == experiment}
        assert set(mine) == alone[experiment]
        # the variant's seed differs from the layer's, so that a part of the layer still splits evenly
        require_share(list(mine.values()).count("new"), len(mine), 0.5)
    product.write("exp-a", None)
    product.write("exp-b", None)
    product.launch(an_assignment("exp-b", ranges=ranges["exp-b"]))
    assert set(product.met("title")) == alone["exp-b"]  # the order of the rules decides nothing


def test_units_of_a_holdout_always_get_production_values(product: Product) -> None:
    q4, year = Exclusion(holdout="q4", salt="q4-salt", share=0.1), Exclusion(holdout="y", salt="y-salt", share=0.05)
    product.launch(an_assignment("exp-a", exclusions=[q4], ranges=[BucketRange(lo=0, hi=5_000)]))
    product.launch(an_assignment("exp-b", exclusions=[q4, year], ranges=[BucketRange(lo=5_000, hi=10_000)]))
    inside = product.met("title")
    held_out = {unit for unit in UNITS if bucket("q4-salt", unit) < 1_000}
    require_share(len(held_out), COUNT, 0.1)
    assert not held_out & inside.keys()
    second = {unit for unit in UNITS if bucket("y-salt", unit) < 500}
    assert {inside[unit][0] for unit in second & inside.keys()} == {"exp-a"}
    expected = {
        unit for unit in UNITS if unit not in held_out and (bucket("home.top", unit) < 5_000 or unit not in second)
    }
    assert inside.keys() == expected


def bucket(seed: str, unit: str) -> int:
    """GrowthBook's second hash, written out again: FNV-1a of 32 bits, twice."""

    def fnv(text: str) -> int:
        value = 0x811C9DC5
        for byte in text.encode():
            value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
        return value

    return fnv(str(fnv(seed + unit))) % 10_000


def test_coverage_takes_its_share_of_each_variant_and_more_of_it_moves_nobody(product: Product) -> None:
    stages: list[dict[str, tuple[str, str]]] = []
    for coverage in (0.0, 0.1, 0.5, 1.0):
        product.launch(an_assignment(coverage=coverage, weights=[0.3, 0.7]))
        inside = product.met("title")
        require_share(len(inside), COUNT, coverage)
        if inside:
            require_share([variant for _, variant in inside.values()].count("new"), len(inside), 0.7)
        stages.append(inside)
    for earlier, later in pairwise(stages):
        assert earlier.items() <= later.items()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(1, 9_999).map(lambda part: part / 10_000), min_size=1, max_size=4, unique=True).map(sorted),
    st.lists(st.integers(1, 20), min_size=2, max_size=4),
)
def test_through_a_ramp_of_any_stages_no_unit_changes_its_variant_in_the_sdk_and_in_the_core(
    product: Product, coverages: list[float], parts: list[int]
) -> None:
    """Ramped the way a running experiment is: only the coverage of the entry that is there changes."""
    names = [f"v{number}" for number in range(len(parts))]
    weights = [part / sum(parts) for part in parts]
    whole = an_assignment(
        "ramped",
        variants=names,
        weights=weights,
        parameters={"title": names},
        ranges=[BucketRange(lo=0, hi=5_000)],
        coverage=coverages[0],
    )
    product.launch(whole)
    units, met = UNITS[:400], dict[str, str]()
    for coverage in [*coverages, 1.0]:
        entry = product.adapter.read({"path": str(product.file)}, "payload", "ramped")
        assert entry is not None
        product.write("ramped", product.adapter.with_coverage(entry, coverage))
        inside = {unit: variant for unit, (_, variant) in product.met("title", units).items()}
        assert met.items() <= inside.items()
        stage = whole.model_copy(update={"coverage": coverage})
        decided = {unit: decide(stage, {"user_id": unit}).variant for unit in units}
        assert inside == {unit: variant for unit, variant in decided.items() if variant is not None}
        met = inside


def test_all_features_of_an_experiment_give_a_unit_one_variant(product: Product) -> None:
    audience = [Condition(attribute="country", type="string", values=["SE"])]
    product.launch(
        an_assignment(
            ranges=[BucketRange(lo=100, hi=7_000)],
            coverage=0.8,
            audience=[audience],
            exclusions=[Exclusion(holdout="q4", salt="q4-salt", share=0.1)],
        )
    )
    titles = product.met("title", country="SE")
    assert 0 < len(titles) < COUNT
    assert titles == product.met("rows", country="SE")


ABSENT: list[dict[str, Any]] = [{}, {"it": None}]
OTHER_TYPES: dict[str, list[Any]] = {
    "string": [5, True, ["SE"], {}],
    "integer": ["5", True, [5], "x"],
    "number": ["5", False, [5.5], ""],
    "boolean": ["true", 1, 0, "false", [True]],
    "semver": [8, 8.5, True, ["8.5.0"]],
}
AUDIENCES: list[tuple[str, dict[str, Any], list[Scalar], list[Scalar]]] = [
    ("string", {"values": ["SE", "NO"]}, ["SE", "NO"], ["DK", "se", ""]),
    ("string", {"values": []}, [], ["SE", ""]),
    ("string", {"excluded": ["SE", "NO"]}, ["DK", "se", ""], ["SE", "NO"]),
    ("string", {"values": ["SE", "NO"], "excluded": ["NO"]}, ["SE"], ["NO", "DK"]),
    ("integer", {"values": [1, 5]}, [1, 5, 5.0], [2, 0]),
    ("integer", {"excluded": [0, 5]}, [1, -5], [0, 5]),
    ("integer", {"lt": 18}, [17, 0, -1, 17.9], [18, 19]),
    ("integer", {"lte": 18}, [18, 0], [19, 18.1]),
    ("integer", {"gte": 18}, [18, 19], [17, 0, -18]),
    ("number", {"gt": 0.5}, [0.51, 2], [0.5, 0, -1]),
    ("number", {"gte": 1, "lt": 2, "excluded": [1.5]}, [1, 1.4], [1.5, 2, 0.9]),
    ("boolean", {"values": [True]}, [True], [False]),
    ("boolean", {"values": [False]}, [False], [True]),
    ("boolean", {"excluded": [True]}, [False], [True]),
    ("semver", {"gte": "8.2"}, ["8.2.0", "8.10.1", "v9.0.0", "10.0.0"], ["8.1.9", "8.2.0-beta", "7.99.99", ""]),
    ("semver", {"gt": "8"}, ["8.0.1", "8.1.0"], ["8.0.0", "8.0.0+build", "7.9.9"]),
    ("semver", {"lte": "8.2.0"}, ["8.2.0", "8.1.9", "8.2.0-rc.1", "0.0.1"], ["8.2.1", "10.0.0"]),
    ("semver", {"lt": "8.2.0"}, ["8.1.9", "8.2.0-rc.1"], ["8.2.0", "8.2.1", "10.0.0"]),
    ("semver", {"gte": "8.0.0", "lt": "9.0.0"}, ["8.0.0", "8.99.0"], ["7.0.0", "9.0.0"]),
    ("semver", {"values": ["8.2", "9.1.0"]}, ["8.2.0", "8.2", "v9.1.0", "9.1", "9.1.0+7"], ["8.2.1", "8", "9.1.0-a"]),
    ("semver", {"values": []}, [], ["8.2.0", ""]),
    ("semver", {"excluded": ["8.2", "9.1.0"]}, ["8.2.1", "9.1.1"], ["8.2.0", "9.1.0", "v9.1.0"]),
    ("semver", {"gte": "8.0.0", "excluded": ["8.2.0"]}, ["8.0.0", "8.2.1"], ["8.2.0", "7.0.0"]),
]


@pytest.mark.parametrize(("kind", "wanted", "members", "others"), AUDIENCES, ids=lambda each: json.dumps(each)[:40])
def test_an_audience_lets_in_who_meets_it_and_never_a_unit_without_the_attribute(
    product: Product, kind: str, wanted: dict[str, Any], members: list[Scalar], others: list[Scalar]
) -> None:
    product.launch(an_assignment(audience=[[Condition(attribute="it", type=kind, **wanted)]]))
    units = UNITS[:20]
    for value in members:
        assert len(product.met("title", units, it=value)) == 20, value
    for value in [*others, *OTHER_TYPES[kind]]:
        assert product.met("title", units, it=value) == {}, value
    for attributes in ABSENT:
        assert product.met("title", units, **attributes) == {}


def test_several_conditions_on_one_attribute_all_hold(product: Product) -> None:
    audience = [
        Condition(attribute="country", type="string", values=["SE", "NO", "DK"]),
        Condition(attribute="country", type="string", excluded=["NO"]),
        Condition(attribute="country", type="string", values=["SE", "NO"]),
        Condition(attribute="version", type="semver", values=["8.0.0", "9.0.0"]),
        Condition(attribute="build", type="semver", values=["1.0.0", "2.0.0"]),
        Condition(attribute="version", type="semver", excluded=["9.0.0"], gte="8"),
    ]
    product.launch(an_assignment(audience=[audience]))
    for country in ("SE", "NO", "DK", "FI", None):
        for version in ("8.0.0", "9.0.0", "10.0.0", None):
            for build in ("1.0.0", "3.0.0", None):
                inside = product.met("title", UNITS[:5], country=country, version=version, build=build)
                assert bool(inside) == ((country, version, build) == ("SE", "8.0.0", "1.0.0"))


@pytest.mark.parametrize("identity", [{}, {"user_id": None}, {"user_id": ""}, {"user_id": True}, {"id": "user-1"}])
def test_a_unit_without_its_id_is_never_in(product: Product, identity: dict[str, Any]) -> None:
    product.launch(an_assignment())
    assert product.value("title", identity) == "For you"
    assert product.exposures == []


def test_a_previewed_unit_gets_its_variant_in_every_feature_and_is_never_tracked(product: Product) -> None:
    previews = {"control": ["user-1", "user-2"], "new": ["user-3", "77"]}
    nobody = [Condition(attribute="country", type="string", values=["SE"])]
    everything = Exclusion(holdout="all", salt="x", share=1.0)
    product.launch(an_assignment("other", ranges=[BucketRange(lo=0, hi=10_000)]))
    product.launch(
        an_assignment("exp-a", ranges=[], audience=[nobody], exclusions=[everything], coverage=0.0, previews=previews)
    )
    for unit in ("user-1", "user-2"):
        assert (product.value("title", {"user_id": unit}), product.value("rows", {"user_id": unit})) == ("For you", 3)
    for unit in ("user-3", "77", 77):
        assert product.value("title", {"user_id": unit}) == "By exp-a"
        assert product.value("rows", {"user_id": unit}) == 4
    assert product.exposures == []
    assert len(product.met("title", UNITS[4:20])) == 16


def test_exposures_are_tracked_once_with_experiment_unit_and_variant(product: Product) -> None:
    product.launch(an_assignment(coverage=0.5))
    units = UNITS[:2_000]
    inside = product.met("title", units)
    assert sorted(product.exposures) == sorted((key, unit, variant) for unit, (key, variant) in inside.items())


def test_taking_an_entry_out_gives_everybody_what_the_product_had_without_it(product: Product) -> None:
    product.file.write_text(json.dumps({"features": {"home.title": {"defaultValue": "For you"}}}))
    product.launch(an_assignment(previews={"new": ["user-3"]}))
    assert len(product.met("title", UNITS[:2])) == 2
    product.exposures.clear()
    product.write("title-test", None)
    assert product.met("title") == {}
    assert {product.sdk.get_feature_value("home.rows", "the product's own") for _ in UNITS[:20]} == {
        "the product's own"
    }
    assert product.exposures == []


VALUES: list[JsonValue] = [None, False, 0, 1.5, "", "text", [], [1, {"a": None}], {}, {"shelf": ["a", "b"]}]


@pytest.mark.parametrize("value", VALUES, ids=json.dumps)
def test_any_json_value_comes_through_as_default_and_as_variant(product: Product, value: JsonValue) -> None:
    product.launch(an_assignment(parameters={"title": ["other", value]}, production={"title": value}))
    assert product.value("title", {}) == value
    seen = [product.value("title", {"user_id": unit}) for unit in UNITS[:40]]
    assert value in seen
    assert "other" in seen


def test_the_sdk_reads_no_more_than_the_features(product: Product) -> None:
    """What stands in our own section of the payload decides nothing."""
    product.launch(an_assignment())
    inside = product.met("title", UNITS[:500])
    payload = json.loads(product.file.read_bytes())
    payload["crossfade"] = {"features": {}, "entries": 5}
    product.sdk.set_payload(payload)
    assert product.met("title", UNITS[:500]) == inside

"""An assignment as what Unleash has to hold: a flag of the experiment that depends on slots of its layer's flag."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject, canonical, objects
from ...core.model.delivery import Assignment
from ...core.model.plan import BUCKETS, BucketRange
from ...core.planning.slots import is_whole
from .audience import MOST_VALUES, compile_audience, constraint, refused
from .hashing import SLOTS, STEPS, WEIGHTS, in_order, layer_flag
from .strategies import SLOT_VARIANTS, slot, strategy, variant, wanted

PREVIEW = ":preview:"
"""Stands between the experiment and the variant in the title of a strategy for test units."""
TEST = "test:"
"""Begins the title of the strategy, in the layer's flag, that lets test units of an experiment through."""
TEST_VARIANT = "test-"
"""Begins the name of the variant that it gives them."""
MOST_BYTES = 100 * 1024
"""Of a call that Unleash takes; each makes one strategy, with all variants in it."""
LONGEST_NAME = 100
"""Characters of a flag's name."""
_WIDTH = BUCKETS // SLOTS


def compile_entry(assignment: Assignment) -> JsonObject:
    """{"flag": {"on", "impressions"}, "layer": {"flag", "on", "let_in", "strategies", "test"?}, "strategies": [...]}.

    Raises:
        Invalid: Unleash cannot express it.
    """
    if assignment.exclusions:
        then = "Take the surface's holdout out, or deliver the surface by another backend."
        raise refused("a holdout, which needs a second hash", then, [each.holdout for each in assignment.exclusions])
    name = layer_flag(assignment.layer_seed)
    if len(name) > LONGEST_NAME:
        then = "A person shortens the name of the environment, the surface or the layer in the catalogue."
        raise refused(f"a flag's name of more than {LONGEST_NAME} characters, as the layer's would be", then, name)
    unit, key = assignment.unit_attribute, assignment.experiment
    shown = _variants(assignment)
    entered = compile_audience(assignment.audience) if assignment.ranges else []
    strategies: list[JsonValue] = [
        strategy(_title(key, number), unit, assignment.seed, constraints, shown, percent(assignment.coverage))
        for number, constraints in enumerate(entered)
    ]
    layer: JsonObject = {
        "flag": name,
        "on": True,
        "let_in": [slot(number) for number in slots_of(assignment.ranges)],
        "strategies": [_slots_strategy(assignment)],
    }
    entry: JsonObject = {
        "flag": {"on": bool(strategies), "impressions": True},
        "layer": layer,
        "strategies": strategies,
    }
    return _with_tests(entry, key, unit, assignment.previews, shown)


def replace_previews(entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
    """The entry with other test units, who get what its variants show.

    Raises:
        Invalid: they are more than Unleash takes.
    """
    key, unit, shown = "", "", list[JsonValue]()
    for each in reversed(objects(entry.get("strategies"))):  # the last has all variants, in their order
        key, unit = str(each.get("id")).partition(":")[0], str(each.get("stickiness"))
        variants = each.get("variants")
        known = [one["name"] for one in objects(shown)]
        shown += [one for one in objects(variants) if one.get("name") not in known]
    return _with_tests(entry, key, unit, previews, shown) if key else entry


def replace_coverage(entry: JsonObject, coverage: float) -> JsonObject:
    """The entry with another share of its slots' units let in.

    Raises:
        Invalid: the share is no whole percentage.
    """
    strategies: list[JsonValue] = [
        each if _tests(each) else {**each, "rollout": percent(coverage)} for each in objects(entry.get("strategies"))
    ]
    return {**entry, "strategies": strategies}


def slots_of(ranges: list[BucketRange]) -> list[int]:
    """
    Raises:
        Invalid: a range begins or ends inside a slot.
    """
    if any(part.lo % _WIDTH or part.hi % _WIDTH for part in ranges):
        then = "Choose an allocation in whole percents."
        raise refused("a share that is no whole percentage of the layer", then, [part.lo for part in ranges])
    return [number for part in ranges for number in range(part.lo // _WIDTH, part.hi // _WIDTH)]


def percent(coverage: float) -> int:
    """
    Raises:
        Invalid: it is no whole percentage.
    """
    return _whole(coverage, STEPS, "a ramp by less than whole percents", "Choose stages in whole percents.")


def test_title(experiment: str) -> str:
    return f"{TEST}{experiment}"


def test_variant(experiment: str) -> str:
    """The variant of the layer's flag that stands for the test units of an experiment."""
    return f"{TEST_VARIANT}{experiment}"


def _whole(share: float, steps: int, what: str, then: str) -> int:
    if not is_whole(share, steps):
        raise refused(what, then, share)
    return round(share * steps)


def _title(experiment: str, number: int) -> str:
    return experiment if number == 0 else f"{experiment}:{number + 1}"


def _tests(each: JsonObject) -> bool:
    return PREVIEW in str(each.get("id"))


def _variants(assignment: Assignment) -> list[JsonValue]:
    then = "Choose weights in tenths of a percent that add up to 1."
    weights = [_whole(each, WEIGHTS, "weights finer than a thousandth", then) for each in assignment.weights]
    if sum(weights) != WEIGHTS:
        raise refused("weights that do not add up to 1", then, list[JsonValue](assignment.weights))
    named = sorted(enumerate(assignment.variants), key=lambda each: in_order(each[1]))
    return [
        variant(name, weights[index], {parameter: values[index] for parameter, values in assignment.parameters.items()})
        for index, name in named
    ]


def _slots_strategy(assignment: Assignment) -> JsonObject:
    flag = layer_flag(assignment.layer_seed)
    return strategy("slots", assignment.unit_attribute, flag, [], SLOT_VARIANTS)


def _with_tests(
    entry: JsonObject, key: str, unit: str, previews: dict[str, list[str]], shown: list[JsonValue]
) -> JsonObject:
    """Test units get their variant by a strategy before the others. They may lie in any slot, or in none that the
    experiment holds, so the layer's flag lets them through by a variant of its own, which no other experiment has."""
    kept: list[JsonValue] = [each for each in objects(entry.get("strategies")) if not _tests(each)]
    tests: list[JsonValue] = []
    named: list[str] = []
    for each in objects(shown):
        units = previews.get(str(each["name"]))
        if units:
            named += units
            asked = constraint(unit, "IN", list[JsonValue](units))
            one = {**each, "weight": WEIGHTS}
            tests.append(strategy(f"{key}{PREVIEW}{each['name']}", unit, key, [asked], [one]))
    if len(named) > MOST_VALUES:
        raise refused("more than 250 test units", "Name fewer test units.", len(named))
    found = entry.get("layer")
    layer = {name: value for name, value in found.items() if name != "test"} if isinstance(found, dict) else {}
    let_in = layer.get("let_in")
    slots = [each for each in let_in if each != test_variant(key)] if isinstance(let_in, list) else []
    layer["let_in"] = [*slots, *([test_variant(key)] if named else [])]
    if named:
        asked = constraint(unit, "IN", list[JsonValue](named))
        layer["test"] = strategy(test_title(key), unit, key, [asked], [variant(test_variant(key), WEIGHTS)])
    flag = entry.get("flag")
    switched: JsonObject = {**(flag if isinstance(flag, dict) else {}), "on": bool(tests or kept)}
    strategies = [*tests, *kept]
    for each in objects(strategies):
        size = len(canonical(wanted(each, MOST_BYTES)).encode())
        if size > MOST_BYTES:
            raise refused("variants and conditions of more than 100 KB together", "Show or ask less.", size)
    return {**entry, "flag": switched, "layer": layer, "strategies": strategies}

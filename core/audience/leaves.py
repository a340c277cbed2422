"""Read the condition on one attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from ..documents import items_of
from ..model.catalogue import Attribute
from ..model.delivery import Condition, Scalar
from ..names import fold, meant, nearest, same_name, spelled
from .conditions import BOUNDS
from .trees import FORMS
from .values import ORDERED, fits_type, is_scalar, named

Path = tuple[str | int, ...]
OPERATORS = ("in", "not", *BOUNDS, "exists")
_MEANT = {
    ">=": "gte", ">": "gt", "<=": "lte", "<": "lt", "min": "gte", "max": "lte", "from": "gte", "to": "lte",
    "ge": "gte", "le": "lte", "=": "in", "==": "in", "eq": "in", "equals": "in", "is": "in", "any_of": "in",
    "!=": "not", "ne": "not", "neq": "not", "not_in": "not", "nin": "not", "none_of": "not", "is_not": "not",
}  # fmt: skip
"""What other systems call the operators; a leading `$` is dropped before."""


@dataclass(frozen=True)
class Fault:
    """What is wrong at a path of an audience, and what is known better: a value to set, a name to give, or that nothing
    is lost without it (`drops`)."""

    kind: Literal["attribute", "value", "form"]
    path: Path
    message: str
    got: JsonValue = None
    allowed: list[str] = field(default_factory=list[str])
    nearest: list[str] = field(default_factory=list[str])
    sets: tuple[Path, JsonValue] | None = None
    renames: tuple[Path, str] | None = None
    drops: bool = False
    takes_all: bool = False

    @property
    def curable(self) -> bool:
        return self.sets is not None or self.renames is not None or self.drops


def read_leaf(name: str, wanted: JsonValue, attribute: Attribute, path: Path) -> tuple[Condition | None, list[Fault]]:
    """The condition that an attribute's entry asks for, unless it has faults."""
    if isinstance(wanted, dict):
        return _from_operators(name, wanted, attribute, path)
    values: list[JsonValue] = wanted if isinstance(wanted, list) else [wanted]
    faults = list(_value_faults(values, attribute, path, indexed=isinstance(wanted, list)))
    if not values:
        faults.append(Fault("form", path, "An empty list matches nobody; name at least one value.", got=[]))
    return _make(name, attribute, values=_scalars(values)), faults


def _from_operators(
    name: str, wanted: Mapping[str, JsonValue], attribute: Attribute, path: Path
) -> tuple[Condition | None, list[Fault]]:
    faults: list[Fault] = []
    parts: dict[str, list[Scalar] | Scalar] = {}
    numbered = items_of(wanted)
    if numbered is not None:
        message = "The values are numbered; they are a list."
        return None, [Fault("form", path, message, [*wanted], FORMS, sets=(path, numbered))]
    for operator, operand in wanted.items():
        here = (*path, operator)
        if operator in ("in", "not"):
            values: list[JsonValue] = operand if isinstance(operand, list) else [operand]
            faults += _value_faults(values, attribute, here, indexed=isinstance(operand, list))
            parts["values" if operator == "in" else "excluded"] = _scalars(values)
        elif operator in BOUNDS:
            faults += _bound_faults(operand, attribute, here)
            if is_scalar(operand):
                parts[operator] = operand
        elif operator == "exists":
            if not isinstance(operand, bool):
                faults.append(Fault("form", here, "`exists` is true or false.", got=str(operand)[:100]))
            elif not operand:
                parts["missing"] = True
        else:
            faults.append(_unknown_operator(operator, wanted, here))
    if not wanted:
        faults.append(Fault("form", path, "An empty comparison says nothing.", {}, FORMS, drops=_is_among_alls(path)))
    elif parts.get("missing") and len(wanted) > 1:
        faults.append(Fault("form", path, "Who lacks the attribute has no value to compare.", allowed=FORMS))
    return (None, faults) if faults else (_make(name, attribute, **parts), faults)


def _is_among_alls(path: Path) -> bool:
    """Whether a condition is one of several that all have to hold: then one that asks for nothing can go. Without its
    part, an alternative would let everybody in, and a negation nobody."""
    return all(step == "all" or isinstance(step, int) for step in path[:-1])


def _unknown_operator(operator: str, wanted: Mapping[str, JsonValue], path: Path) -> Fault:
    plain = operator.strip().lstrip("$").lower()
    known = plain if plain in OPERATORS else _MEANT.get(plain) or spelled(plain, OPERATORS)
    close = [known] if known else nearest(plain, OPERATORS)
    renames = (path, known) if known and known not in wanted else None
    return Fault("form", path, "No such comparison.", operator[:100], list(OPERATORS), close, renames=renames)


def _make(name: str, attribute: Attribute, **parts: list[Scalar] | Scalar) -> Condition:
    return Condition.model_validate({"attribute": name, "type": attribute.type, **parts})


def _scalars(values: list[JsonValue]) -> list[Scalar]:
    return [value for value in values if is_scalar(value)]


def _never_occurs(value: str, attribute: Attribute) -> bool:
    """Whether no unit has this value: unknown to a closed attribute, or another spelling of a known one ("se")."""
    if not attribute.shares or value in attribute.shares:
        return False
    return not attribute.open or same_name(value, attribute.shares) is not None


def _value_faults(values: list[JsonValue], attribute: Attribute, path: Path, *, indexed: bool) -> Iterator[Fault]:
    for index, value in enumerate(values):
        here = (*path, index) if indexed else path
        if not fits_type(value, attribute.type):
            better = _from_text(value, attribute.type)
            absent = isinstance(better, str) and attribute.type == "string" and _never_occurs(better, attribute)
            sets = (here, better) if better is not None and not absent else None
            yield Fault("value", here, f"The attribute holds {named(attribute.type)}.", got=value, sets=sets)
        elif isinstance(value, str) and attribute.type == "string" and _never_occurs(value, attribute):
            yield _unknown_value(value, attribute, here, indexed=indexed)


def _unknown_value(value: str, attribute: Attribute, path: Path, *, indexed: bool) -> Fault:
    """The fault of a value that never occurs; where it lists several, or several begin with it, all of them are the
    cure, so that no machine chooses one."""
    plain, likely = spelled(value, attribute.shares), meant(value, attribute.shares)
    near = [plain] if plain else nearest(value, attribute.shares)
    family = _listed_in(value, attribute) if not indexed else []
    family = family or ([] if indexed or likely else _beginning_with(value, attribute))
    better: JsonValue = list[JsonValue](family) if family else likely
    return Fault(
        "value",
        path,
        "The attribute never has this value.",
        value,
        list(attribute.shares),
        family or near,
        sets=(path, better) if better else None,
        takes_all=bool(family),
    )


def _listed_in(text: str, attribute: Attribute) -> list[str]:
    """The values that a text has between its commas, if it is nothing else."""
    parts = [part.strip() for part in text.split(",")]
    return parts if len(parts) > 1 and all(part in attribute.shares for part in parts) else []


def _beginning_with(value: str, attribute: Attribute) -> list[str]:
    family = [each for each in attribute.shares if fold(each).startswith(f"{fold(value)}-")]
    return family if len(family) > 1 else []


def _bound_faults(value: JsonValue, attribute: Attribute, path: Path) -> Iterator[Fault]:
    if attribute.type not in ORDERED:
        message = f"The attribute holds {named(attribute.type)}, which has no order; list its values."
        yield Fault("form", path, message, got=value, allowed=list(attribute.shares))
    elif not fits_type(value, attribute.type):
        better = _from_text(value, attribute.type)
        sets = (path, better) if better is not None else None
        yield Fault("value", path, f"The attribute holds {named(attribute.type)}.", got=value, sets=sets)


def _from_text(value: JsonValue, kind: str) -> Scalar | None:
    """The value of the attribute's type that was plainly meant: "18" is 18, 8.2 the version "8.2"."""
    better: JsonValue = None
    if isinstance(value, list) and len(value) == 1:
        better = value[0]
    elif kind == "boolean" and isinstance(value, str):
        better = {"true": True, "yes": True, "false": False, "no": False}.get(value.strip().lower())
    elif kind in ("integer", "number") and isinstance(value, str):
        better = _number_in(value)
    elif kind in ("semver", "string") and isinstance(value, int | float) and not isinstance(value, bool):
        better = str(value)
    return better if is_scalar(better) and fits_type(better, kind) else None


def _number_in(text: str) -> int | float | None:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return None

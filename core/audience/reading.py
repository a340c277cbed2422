"""Read an audience from JSON or text, with everything that is wrong with it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from ..documents import JsonObject, canonical, patch_to, pointer
from ..keeping import Latest
from ..model.catalogue import Attribute
from ..model.delivery import Audience
from ..names import meant, nearest
from .leaves import Fault, Path, read_leaf
from .text import TextFault, from_text
from .trees import MOST_ALTERNATIVES, All, Any, Not, Problem, TooManyAlternatives, Tree, Unread, alternatives

JOINTS = ("all", "any", "not")
"""Names in an audience that are no attributes: `all` and `any` of a list of audiences, `not` of one."""
Parsed = tuple[Audience, list[Problem]]
_MOST_KEPT = 4_096


def _nothing_read(_: Mapping[str, Attribute]) -> dict[str, Parsed]:
    return {}


_read_before = Latest(_nothing_read)
"""Audience, as canonical JSON or as text -> what it says, for the attributes of one catalogue."""


def parse(raw: Mapping[str, JsonValue] | str, attributes: Mapping[str, Attribute]) -> Parsed:
    """(the alternatives of an audience, each a list of conditions that all have to hold; everything that is wrong with
    it). Everybody is one alternative without conditions, nobody is no alternative.

    Kept as long as the same attributes are asked for: live experiments are read again for every draft.
    """
    known = _read_before.of(attributes)
    text = raw if isinstance(raw, str) else canonical(dict(raw))
    found = known.get(text)
    if found is None:
        if len(known) >= _MOST_KEPT:
            known.clear()
        found = known[text] = _parsed(raw, attributes)
    return found[0], list(found[1])


def as_json(raw: Mapping[str, JsonValue] | str, attributes: Mapping[str, Attribute]) -> JsonObject:
    """An audience that can be read, in JSON if it was text."""
    return from_text(raw, attributes) if isinstance(raw, str) else dict(raw)


def _parsed(raw: Mapping[str, JsonValue] | str, attributes: Mapping[str, Attribute]) -> Parsed:
    try:
        tree = as_json(raw, attributes)
    except TextFault as fault:
        return [[]], [Problem("form", "/audience", str(fault), str(raw)[:100], fault.allowed)]
    reading = _Reading(attributes)
    root = reading.audience(tree, ())
    problems = _problems(reading.faults, tree, isinstance(raw, str))
    try:
        return alternatives(root, attributes), problems
    except TooManyAlternatives:
        message = f"It has more than {MOST_ALTERNATIVES} alternatives once every `or` is written out; ask for less."
        return [[]], [*problems, Problem("form", "/audience", message)]


@dataclass
class _Reading:
    """One walk over an audience in JSON; what cannot be read counts as met, its negation too, and is told in
    `faults`."""

    attributes: Mapping[str, Attribute]
    faults: list[Fault] = field(default_factory=list[Fault])

    def audience(self, raw: JsonValue, path: Path) -> Tree:
        if not isinstance(raw, dict):
            message = "An audience is a map of attributes, or one of all, any and not."
            self.faults.append(Fault("form", path, message, got=canonical(raw)[:100]))
            return Unread()
        parts: list[Tree] = []
        for name, wanted in sorted(raw.items()):
            here = (*path, name)
            if name == "not":
                parts.append(Not(self.audience(wanted, here)))
            elif name in JOINTS:
                parts.append(self._list(name, wanted, here))
            elif name in self.attributes:
                condition, faults = read_leaf(name, wanted, self.attributes[name], here)
                self.faults += self._of_another(name, wanted, raw, here, faults)
                parts.append(condition if condition is not None and not faults else Unread())
            else:
                self.faults.append(self._unknown(name, raw, here))
                parts.append(Unread())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _list(self, name: str, wanted: JsonValue, path: Path) -> Tree:
        if not isinstance(wanted, list) or not wanted:
            message = f"`{name}` takes a list of audiences: [{{...}}, {{...}}]."
            self.faults.append(Fault("form", path, message, got=canonical(wanted)[:100]))
            return Unread()
        parts = tuple(self.audience(part, (*path, index)) for index, part in enumerate(wanted))
        return Any(parts) if name == "any" else All(parts)

    def _unknown(self, name: str, raw: JsonObject, path: Path) -> Fault:
        names = [*self.attributes, *JOINTS]
        likely = meant(name, names) or having_all(values_in(raw[name]), self.attributes)
        close = nearest(name, names)
        close = [likely, *(each for each in close if each != likely)] if likely else close
        mend = (path, likely) if likely and likely not in raw else None
        message = "The catalogue has no such attribute."
        return Fault("attribute", path, message, name, sorted(self.attributes), close, renames=mend)

    def _of_another(
        self, name: str, wanted: JsonValue, raw: JsonObject, path: Path, faults: list[Fault]
    ) -> list[Fault]:
        """The faults of a condition, with another attribute as the cure if it alone has every value that is asked for
        and this one has none of them."""
        values = values_in(wanted)
        if len(faults) < len(values) or any(fault.kind != "value" or fault.curable for fault in faults):
            return faults
        other = having_all(values, self.attributes)
        if other is None or other in raw:
            return faults
        return [replace(fault, nearest=[other], allowed=[], renames=(path, other)) for fault in faults]


def values_in(wanted: JsonValue) -> list[str]:
    """The texts that a condition asks for by `in` or `not`; none when it asks for something else as well."""
    if isinstance(wanted, dict):
        return values_in(next(iter(wanted.values()))) if len(wanted) == 1 and wanted.keys() <= {"in", "not"} else []
    values = wanted if isinstance(wanted, list) else [wanted]
    texts = [value for value in values if isinstance(value, str)]
    return texts if len(texts) == len(values) else []


def having_all(values: list[str], attributes: Mapping[str, Attribute]) -> str | None:
    """The one attribute of texts that is known to have every one of the values, or None."""
    if not values:
        return None
    texts = {name: attribute.shares for name, attribute in attributes.items() if attribute.type == "string"}
    having = [name for name, known in texts.items() if all(value in known for value in values)]
    return having[0] if len(having) == 1 else None


def _problems(faults: list[Fault], tree: JsonObject, was_text: bool) -> list[Problem]:
    """The faults with their cures. Patches of a list replace it, so all that is mended below one name shares one
    patch; for a text, which has no names, all of it does."""
    patches: dict[object, JsonObject] = {}
    problems: list[Problem] = []
    faults = [replace(fault, renames=None) if _collides(fault, faults) else fault for fault in faults]
    for fault in faults:
        group = None if was_text or not fault.path else fault.path[0]
        if fault.curable and group not in patches:
            together = [each for each in faults if was_text or each.path[:1] == fault.path[:1]]
            mended = _mended(tree, together)
            whole: JsonObject = {"audience": mended}
            patches[group] = whole if was_text else patch_to({"audience": tree}, whole)
        at = "/audience" if was_text else pointer("audience", *fault.path)
        patch = patches[group] if fault.curable else None
        problems.append(
            Problem(fault.kind, at, fault.message, fault.got, fault.allowed, fault.nearest, patch, fault.takes_all)
        )
    return problems


def _collides(fault: Fault, faults: list[Fault]) -> bool:
    """Whether two names of one map would become the same: which of the conditions was meant, only a person knows."""
    if fault.renames is None:
        return False
    path, name = fault.renames
    return any(
        each.renames is not None
        and (each.renames[0][:-1], each.renames[1]) == (path[:-1], name)
        and each.renames[0] != path
        for each in faults
    )


def _mended(tree: JsonObject, faults: list[Fault]) -> JsonObject:
    """The audience with every value that is known better, then without what says nothing, then with every name that is
    known: names last, for they are in the paths of the values."""
    mended = copy.deepcopy(tree)
    for fault in faults:
        if fault.sets is not None:
            path, value = fault.sets
            _holder(mended, path)[path[-1]] = copy.deepcopy(value)
    for fault in faults:
        if fault.drops:
            del _holder(mended, fault.path)[fault.path[-1]]
    for fault in sorted(faults, key=lambda each: -len(each.path)):
        if fault.renames is not None:
            path, name = fault.renames
            holder = _holder(mended, path)
            if path[-1] in holder:
                holder[name] = holder.pop(path[-1])
    return mended


def _holder(tree: JsonValue, path: Path) -> dict[str | int, JsonValue]:
    """The map or list that holds the last step of a path."""
    found: object = tree
    for step in path[:-1]:
        found = found[step]  # type: ignore[index]
    return found  # type: ignore[return-value]

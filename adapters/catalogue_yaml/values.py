"""Nodes to values, by the core schema of YAML 1.2 (chapter 10.3): what JSON can say, and nothing that surprises."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from pydantic import JsonValue
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ...core.catalogue_rules import Problem, Token
from ...core.documents import JsonObject
from .fault import Fault, Place
from .parse import CORE, PLAIN

MAX_VALUES = 200_000
"""Values a file may hold once its aliases are followed: nine lines of aliases can stand for a billion."""
EXACT = 2**53 - 1
"""The largest whole number that every JSON reader keeps as it is (RFC 8259, section 6)."""

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
TAGS = {name: CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


class Unfit(Exception):
    """A scalar that has no value here."""


class Expanded(Exception):
    """A file whose aliases stand for more than anybody means to write."""


def place_of(node: Node, file: str) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)


def pairs_of(node: MappingNode) -> list[tuple[Node, Node]]:
    pairs: list[tuple[Node, Node]] = node.value
    return pairs


def items_of(node: SequenceNode) -> list[Node]:
    items: list[Node] = node.value
    return items


def text_of(node: ScalarNode) -> str:
    text: str = node.value
    return text


class Reader:
    """Builds the values of one file. Faults are collected; what is at fault becomes null, or is left out of a map."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self._spent = 0
        self._open: set[int] = set()

    def value(self, node: Node, at: tuple[Token, ...]) -> JsonValue:
        """The value of a node that stands at a path.

        Raises:
            Expanded: the file holds more than 200,000 values when its aliases are followed.
        """
        if isinstance(node, ScalarNode):
            return self._scalar(node, at)
        if id(node) in self._open:
            self.report(node, Problem(at, "an alias to something that holds it: it would never end"))
            return None
        self._open.add(id(node))
        try:
            self._spend(1)
            if isinstance(node, MappingNode) and node.tag == TAGS["map"]:
                return self._mapping(node, at)
            if isinstance(node, SequenceNode) and node.tag == TAGS["seq"]:
                return [self.value(item, (*at, index)) for index, item in enumerate(items_of(node))]
        finally:
            self._open.discard(id(node))
        self._report_tag(node, at)
        return None

    def entries(self, node: MappingNode, at: tuple[Token, ...]) -> Iterator[tuple[str, Node, Node]]:
        """(name, its node, the value's node) of each entry; a name that comes again is a fault and left out."""
        seen: dict[str, Node] = {}
        for key, value in pairs_of(node):
            if not isinstance(key, ScalarNode):
                self.report(key, Problem(at, "a name must be a text; this one is a list or a mapping"))
                continue
            name = text_of(key)
            first = seen.setdefault(name, key)
            if first is not key:
                message = f"named twice; first at {place_of(first, self.file)}"
                self.report(key, Problem((*at, name), message))
            elif name == "<<" and key.tag == PLAIN:
                self.report(key, Problem((*at, name), "YAML 1.2 has no merge keys; write the fields out"))
            else:
                yield name, key, value

    def report(self, node: Node, problem: Problem) -> None:
        self.faults.append(Fault(place_of(node, self.file), problem))

    def _mapping(self, node: MappingNode, at: tuple[Token, ...]) -> JsonObject:
        return {name: self.value(value, (*at, name)) for name, _, value in self.entries(node, at)}

    def _scalar(self, node: ScalarNode, at: tuple[Token, ...]) -> JsonValue:
        text = text_of(node)
        self._spend(1 + len(text) // 16)
        if node.tag == TAGS["str"]:
            return text
        if node.tag != PLAIN and node.tag not in TAGS.values():
            self._report_tag(node, at)
            return None
        try:
            value = plain(text)
        except Unfit as fault:
            self.report(node, Problem(at, str(fault), text))
            return None
        if node.tag == PLAIN or node.tag == TAGS[_kind(value)]:
            return value
        if node.tag == TAGS["float"] and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        self.report(node, Problem(at, f"the text does not fit its tag !!{node.tag.removeprefix(CORE)}", text))
        return None

    def _report_tag(self, node: Node, at: tuple[Token, ...]) -> None:
        tag = node.tag.replace(CORE, "!!")
        self.report(node, Problem(at, "no such tag here", tag, [f"!!{name}" for name in TAGS]))

    def _spend(self, values: int) -> None:
        self._spent += values
        if self._spent > MAX_VALUES:
            raise Expanded


def plain(text: str) -> JsonValue:
    """What a scalar without quotes means: only `true` and `false` are booleans, so NO is Norway.

    Raises:
        Unfit: a number that JSON cannot carry.
    """
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if text[0] not in "+-.0123456789":
        return text
    if INTEGER.fullmatch(text):
        return _integer(text)
    if FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise Unfit("a number too large to calculate with")
        return number
    if NOT_FINITE.fullmatch(text):
        raise Unfit("a number must be finite")
    return text


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    number = int(text, base) if len(text) <= 32 else EXACT + 1
    if abs(number) > EXACT:
        raise Unfit(f"a whole number beyond {EXACT:,} is not exact everywhere; if it is a name, put it in quotes")
    return number


def _kind(value: JsonValue) -> str:
    kinds: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "str", type(None): "null"}
    return kinds[type(value)]

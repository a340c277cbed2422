"""Several files as one document: sections merge by name, and every field still knows its file and line."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import JsonValue
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ...core.catalogue_rules import Problem, Token
from ...core.documents import JsonObject
from ...core.model.catalogue import Catalogue
from ...core.names import nearest
from .fault import Fault, Place
from .parse import PLAIN, NotYaml, compose
from .values import MAX_VALUES, NULLS, Expanded, Reader, items_of, pairs_of, place_of, text_of

SECTIONS = list(Catalogue.model_fields)
SINGLE = "default_environment"
"""The one section that holds a name instead of entries."""


@dataclass(frozen=True)
class Entry:
    """Where an entry was written: its file, its name's node and its value's node."""

    file: str
    key: Node
    value: Node

    @property
    def place(self) -> Place:
        return place_of(self.key, self.file)


@dataclass
class Sections:
    """The files read so far. `lost` says that something could not be read, so that what is absent may be in there."""

    document: JsonObject = field(default_factory=dict[str, JsonValue])
    faults: list[Fault] = field(default_factory=list[Fault])
    lost: bool = False
    _entries: dict[tuple[str, ...], Entry] = field(default_factory=dict[tuple[str, ...], Entry])

    def add(self, file: str, data: bytes) -> None:
        """Merge one file in. What is wrong with it becomes faults."""
        try:
            root = compose(data, file)
        except NotYaml as fault:
            self.lose(Fault(fault.place, Problem((), fault.reason), parse=True))
            return
        if root is None or (isinstance(root, ScalarNode) and root.tag == PLAIN and text_of(root) in NULLS):
            return
        if not isinstance(root, MappingNode):
            message = "a file of the catalogue is a mapping of sections"
            self.lose(Fault(place_of(root, file), Problem((), message, allowed=SECTIONS)))
            return
        reader = Reader(file)
        try:
            for section, key, value in reader.entries(root, ()):
                self._section(reader, section, Entry(file, key, value))
        except Expanded:
            message = f"more than {MAX_VALUES:,} values once its aliases are followed"
            self.lose(Fault(Place(file, 1, 1), Problem((), message)))
        self.faults += reader.faults

    def lose(self, fault: Fault) -> None:
        self.faults.append(fault)
        self.lost = True

    def _section(self, reader: Reader, section: str, entry: Entry) -> None:
        if section not in SECTIONS:
            problem = Problem((section,), "no such section", section, SECTIONS, nearest(section, SECTIONS))
            self.lose(Fault(entry.place, problem))
        elif section == SINGLE:
            self._enter(reader, (section,), entry)
        elif isinstance(entry.value, MappingNode):
            self.document.setdefault(section, {})
            self._entries.setdefault((section,), entry)
            for name, key, value in reader.entries(entry.value, (section,)):
                self._enter(reader, (section, name), Entry(entry.file, key, value))
        elif not (isinstance(entry.value, ScalarNode) and reader.value(entry.value, (section,)) is None):
            self.lose(Fault(entry.place, Problem((section,), "a mapping of names is expected here")))

    def _enter(self, reader: Reader, at: tuple[str, ...], entry: Entry) -> None:
        first = self._entries.setdefault(at, entry)
        if first is not entry:
            self.faults.append(Fault(entry.place, Problem(at, f"named twice; first at {first.place}")))
            return
        before = len(reader.faults)
        value = reader.value(entry.value, at)
        self.lost = self.lost or len(reader.faults) > before
        section = self.document.get(at[0])
        if isinstance(section, dict):
            section[at[-1]] = value
        else:
            self.document[at[0]] = value

    def place(self, at: tuple[Token, ...]) -> Place:
        """Where a field stands; the deepest part of the path that was written, or the folder for none."""
        path = tuple(str(token) for token in at)
        entry = self._entries.get(path[:2]) or self._entries.get(path[:1])
        if entry is None:
            return Place()
        found, node = entry.key, entry.value
        for token in path[2:]:
            step = _step(node, token)
            if step is None:
                break
            found, node = step
        return place_of(found, entry.file)


def _step(node: Node, token: str) -> tuple[Node, Node] | None:
    """(node to point at, node to go on from) of one part of a path."""
    if isinstance(node, MappingNode):
        return next((pair for pair in pairs_of(node) if pair[0].value == token), None)
    if isinstance(node, SequenceNode) and token.isdecimal() and int(token) < len(items_of(node)):
        item = items_of(node)[int(token)]
        return item, item
    return None

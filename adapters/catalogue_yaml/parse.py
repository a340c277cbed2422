"""YAML text to nodes with line marks: PyYAML's composer, without its ideas about what plain words mean."""

from __future__ import annotations

import yaml
from yaml.nodes import Node, ScalarNode, SequenceNode

from .fault import Place

MAX_BYTES = 1_000_000
"""Bytes of the largest file that is read."""
MAX_DEPTH = 64
"""Most maps and lists inside one another."""
PLAIN = "plain"
"""Tag of a scalar that was written without quotes and without a tag: its text decides what it is."""
CORE = "tag:yaml.org,2002:"


class NotYaml(Exception):
    """A file that does not parse: where, and why."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


class _TooDeep(Exception):
    pass


class _Untyped:
    """Replaces PyYAML's resolver, which follows YAML 1.1: there NO is false, 12:30 is 750 and 0777 is 511.

    It also counts the depth. libyaml's composer recurses on the C stack, and a line of 100,000 brackets ends the
    process; this is the one hook that both composers call on the way down and up.
    """

    depth = 0

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool] | bool) -> str:
        if kind is ScalarNode:
            return PLAIN if isinstance(implicit, tuple) and implicit[0] else CORE + "str"
        return CORE + ("seq" if kind is SequenceNode else "map")

    def descend_resolver(self, current_node: Node | None, current_index: object) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _TooDeep

    def ascend_resolver(self) -> None:
        self.depth -= 1


class _PureLoader(_Untyped, yaml.SafeLoader):
    """For a PyYAML that was built without libyaml."""


LOADERS: list[type[yaml.CSafeLoader] | type[yaml.SafeLoader]] = [_PureLoader]
"""What can read, the fastest first."""

if yaml.__with_libyaml__:

    class _FastLoader(_Untyped, yaml.CSafeLoader):
        """libyaml's parser: about thirty times as fast."""

    LOADERS.insert(0, _FastLoader)


def compose(data: bytes, file: str, loader: type[yaml.CSafeLoader] | type[yaml.SafeLoader] = LOADERS[0]) -> Node | None:
    """The root node of a file, or None when the file holds nothing.

    Raises:
        NotYaml: not UTF-8, not YAML, more than one document, over 1 MB, or nested deeper than 64 levels.
    """
    if len(data) > MAX_BYTES:
        raise NotYaml(Place(file, 1, 1), f"the file has {len(data):,} bytes; the limit is {MAX_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise NotYaml(Place(file, line, 1), "not UTF-8 text") from None
    try:
        return loader(text).get_single_node()
    except _TooDeep:
        raise NotYaml(Place(file, 1, 1), f"nested deeper than {MAX_DEPTH} levels") from None
    except yaml.MarkedYAMLError as fault:
        raise _located(fault, file) from None
    except yaml.YAMLError as fault:
        position = getattr(fault, "position", 0)
        line = text.count("\n", 0, position if isinstance(position, int) else 0) + 1
        raise NotYaml(Place(file, line, 1), "a character that YAML does not allow") from None


def _located(fault: yaml.MarkedYAMLError, file: str) -> NotYaml:
    mark = fault.problem_mark or fault.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark is not None else Place(file, 1, 1)
    reason = ", ".join(part for part in (fault.context, fault.problem) if part)
    return NotYaml(place, f"not valid YAML: {reason}")

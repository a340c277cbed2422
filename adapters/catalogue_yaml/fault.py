"""One fault in a catalogue's files, and how it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from ...core.catalogue_rules import Problem
from ...core.names import listed

LONGEST_VALUE = 60
LONGEST_LIST = 24
"""Allowed names told in a fault: as many as any object of the catalogue has fields."""


@dataclass(frozen=True)
class Place:
    """Where something stands: lines and columns count from 1; file "" and line 0 are the folder as a whole."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Fault:
    """A problem and its place. Two faults on one field are one mistake, told twice."""

    place: Place
    problem: Problem
    parse: bool = field(default=False, kw_only=True)

    @property
    def order(self) -> tuple[str, int, int, str]:
        return self.place.file, self.place.line, self.place.column, dotted(self.problem.at)

    def __str__(self) -> str:
        """`surfaces/home.yaml:14 surfaces.home.owner: what is wrong; got ...; nearest ...; allowed ...`"""
        where = f"{self.place}:{self.place.column}" if self.parse else str(self.place)
        named = [part for part in (where, dotted(self.problem.at)) if part]
        return f"{' '.join(named)}: {self._sentence()}"

    def _sentence(self) -> str:
        problem = self.problem
        parts = [problem.message]
        if problem.got is not None and problem.got not in problem.at[-1:]:
            parts.append(f"got {shown(problem.got)}")
        if problem.nearest:
            parts.append(f"nearest {', '.join(problem.nearest)}")
        if problem.allowed:
            parts.append(f"allowed {listed(problem.allowed, LONGEST_LIST)}")
        return "; ".join(parts)


def dotted(at: Sequence[str | int]) -> str:
    """A path as people write it: `surfaces.home.suggested_metrics[2]`, `shares["8.9.0"]`."""
    path = ""
    for token in at:
        if isinstance(token, int):
            path += f"[{token}]"
        elif re.fullmatch(r"[\w$-]+", token):
            path += f".{token}" if path else token
        else:
            path += f"[{json.dumps(token[:LONGEST_VALUE], ensure_ascii=False)}]"
    return path


def shown(value: JsonValue) -> str:
    """A value as JSON, cut to one line; containers by their kind and size only."""
    if isinstance(value, dict | list):
        kind = "mapping" if isinstance(value, dict) else "list"
        return f"a {kind} of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."

"""The queries that find experiments: the latest changed here, the best match of words in each database's full text.

A statement costs as much to build as to run, so each combination of filters is built once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Protocol

from sqlalchemy import CTE, BindParameter, ColumnElement, Connection, Select, and_, bindparam, func, or_, select

from ...core.model.experiment import State
from ...core.ports.store import Summary
from .rows import Values, columns_of
from .tables import EXPERIMENT

Query = Select[*tuple[object, ...]]


class FullText(Protocol):
    """What a database's full-text index can be asked; where several are, see the port's `Reader.matching`."""

    def wanted(self, text: str, surface: str | None, touching: Sequence[str]) -> Values | None:
        """The words of a text as the index takes them; None when it has none. Other surfaces, and what changes none of
        the parameters, are left out before any is ranked."""
        ...

    def matching(self, filtered: frozenset[str], bounded: bool, paged: bool) -> Query:
        """Matches, the best first. Takes the values of `wanted` and of the filters, `limit`, for a bounded one
        `newest`, and for a later page `last_score` and `last_key`."""
        ...

    def index(self, connection: Connection, texts: Values) -> None:
        """Bring the index in line with a row of experiment_text that was written."""
        ...


LIMIT: BindParameter[int] = bindparam("limit")
LAST_KEY: BindParameter[str] = bindparam("last_key")
_FILTERS: Mapping[str, ColumnElement[bool]] = {
    "surface": EXPERIMENT.c.surface == bindparam("surface"),
    "states": EXPERIMENT.c.state.in_(bindparam("states", expanding=True)),
    "owner": EXPERIMENT.c.owner == bindparam("owner"),
}


def filters(surface: str | None, states: frozenset[State] | None, owner: str | None) -> Values:
    """The values of the filters that are asked for; their names choose the statement."""
    asked: Values = {"surface": surface, "states": sorted(states) if states is not None else None, "owner": owner}
    return {name: value for name, value in asked.items() if value is not None}


@cache
def latest(filtered: frozenset[str], paged: bool) -> Query:
    """Summaries, the latest changed first. Takes the filters' values, `limit`, and for a later page `last_updated` and
    `last_key`."""
    updated, key = EXPERIMENT.c.updated, EXPERIMENT.c.key
    last = bindparam("last_updated", type_=updated.type)
    pages = [and_(updated <= last, or_(updated < last, key > LAST_KEY))] if paged else []
    where = [*chosen(filtered), *pages]
    return select(*columns_of(EXPERIMENT, Summary)).where(*where).order_by(updated.desc(), key).limit(LIMIT)


def chosen(filtered: frozenset[str]) -> list[ColumnElement[bool]]:
    return [condition for name, condition in _FILTERS.items() if name in filtered]


def matches(found: CTE, filters: Iterable[ColumnElement[bool]], paged: bool) -> Query:
    """Matches, the best first, of what an index `found` (key, score). Takes what `latest` does, and for a later page
    `last_score` in place of `last_updated`."""
    return (
        select(*columns_of(EXPERIMENT, Summary), found.c.score)
        .join(found, found.c.key == EXPERIMENT.c.key)
        .where(*filters, *([_past(found)] if paged else []))
        .order_by(found.c.score, EXPERIMENT.c.key)
        .limit(LIMIT)
    )


def _past(found: CTE) -> ColumnElement[bool]:
    """What comes after the last one seen, by its score of now: a score depends on all that is stored, so that one
    more experiment moves every score a little."""
    now = select(found.c.score).where(found.c.key == LAST_KEY).scalar_subquery()
    last = func.coalesce(now, bindparam("last_score"))
    return or_(found.c.score > last, and_(found.c.score == last, EXPERIMENT.c.key > LAST_KEY))

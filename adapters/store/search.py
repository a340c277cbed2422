"""The queries that find experiments: the latest changed, or the best match of words in the full-text index.

A statement costs as much to build as to run, so each combination of filters is built once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
)

from ...core.model.experiment import State
from ...core.ports.store import Summary
from .rows import Values, columns_of
from .tables import EXPERIMENT, EXPERIMENT_TEXT
from .terms import phrase_of, query_of

Query = Select[*tuple[object, ...]]

_SEARCH = table("experiment_search", column("rowid"))
_INDEX: ColumnElement[str] = literal_column("experiment_search")
_WEIGHTS = (4.0, 3.0, 1.0, 1.0)
"""Of names, hypothesis, details and surface: a name says more than where it stands."""
_LIMIT: BindParameter[int] = bindparam("limit")
_LAST_KEY: BindParameter[str] = bindparam("last_key")
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
    pages = [and_(updated <= last, or_(updated < last, key > _LAST_KEY))] if paged else []
    where = [*_chosen(filtered), *pages]
    return select(*columns_of(EXPERIMENT, Summary)).where(*where).order_by(updated.desc(), key).limit(_LIMIT)


def wanted(text: str, surface: str | None, touching: Sequence[str]) -> str | None:
    """The words of a text as the index takes them; None when it has none. Other surfaces, and what changes none of
    the parameters, are left out before any is ranked."""
    words = query_of(text)
    if words is None:
        return None
    place = phrase_of(surface) if surface is not None else None
    parameters = [phrase for name in touching if (phrase := phrase_of(name)) is not None]
    narrowed = [f"({words})"]
    narrowed += [f"surface : {place}"] if place is not None else []
    narrowed += [f"details : ({' OR '.join(parameters)})"] if parameters else []
    return " AND ".join(reversed(narrowed))


@cache
def matching(filtered: frozenset[str], bounded: bool, paged: bool) -> Query:
    """Matches, the best first. Takes `wanted`, the filters' values, `limit`, for a bounded one `newest`, and for a
    later page `last_score` and `last_key`."""
    found = _ranked(bounded)
    # The words choose far fewer than the filters; SQLite, which cannot know that, would begin with the filters.
    where = [*map(func.likely, _chosen(filtered)), *([_past(found)] if paged else [])]
    return (
        select(*columns_of(EXPERIMENT, Summary), found.c.score)
        .join(found, found.c.key == EXPERIMENT.c.key)
        .where(*where)
        .order_by(found.c.score, EXPERIMENT.c.key)
        .limit(_LIMIT)
    )


def _chosen(filtered: frozenset[str]) -> list[ColumnElement[bool]]:
    return [condition for name, condition in _FILTERS.items() if name in filtered]


def _ranked(bounded: bool) -> CTE:
    """(key, score) of what matches. The index itself goes from the newest row backwards, at no cost."""
    hits = select(_SEARCH.c.rowid.label("id"), func.bm25(_INDEX, *_WEIGHTS).label("score")).where(
        _INDEX.op("MATCH")(bindparam("wanted"))
    )
    if bounded:
        hits = hits.order_by(_SEARCH.c.rowid.desc()).limit(bindparam("newest"))
    part = hits.cte("hit")
    keyed = select(EXPERIMENT_TEXT.c.key, part.c.score).join(part, part.c.id == EXPERIMENT_TEXT.c.id)
    return keyed.cte("found")


def _past(found: CTE) -> ColumnElement[bool]:
    """What comes after the last one seen, by its score of now: a score depends on all that is stored, so that one
    more experiment moves every score a little."""
    now = select(found.c.score).where(found.c.key == _LAST_KEY).scalar_subquery()
    last = func.coalesce(now, bindparam("last_score"))
    return or_(found.c.score > last, and_(found.c.score == last, EXPERIMENT.c.key > _LAST_KEY))

"""The query for experiments by words, over the full-text index."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import CTE, ColumnElement, Select, and_, column, func, literal, literal_column, or_, select, table

from ...core.ports.store import Summary
from .rows import columns_of
from .tables import EXPERIMENT, EXPERIMENT_TEXT
from .terms import phrase_of, query_of

_SEARCH = table("experiment_search", column("rowid"))
_INDEX: ColumnElement[str] = literal_column("experiment_search")
_WEIGHTS = (4.0, 3.0, 1.0, 1.0)
"""Of names, hypothesis, details and surface: a name says more than where it stands."""

Found = Select[*tuple[object, ...]]


def match_query(
    text: str,
    surface: str | None,
    newest: int | None,
    after: tuple[float, str] | None,
    filters: Sequence[ColumnElement[bool]],
    limit: int,
) -> Found | None:
    """The statement behind `Reader.matching`; None when the text has no word."""
    wanted = query_of(text)
    if wanted is None:
        return None
    place = phrase_of(surface) if surface is not None else None
    if place is not None:  # leaves the other surfaces out before any is ranked
        wanted = f"surface : {place} AND ({wanted})"
    found = _ranked(wanted, newest)
    pages = [] if after is None else [_past(found, *after)]
    return (
        select(*columns_of(EXPERIMENT, Summary), found.c.score)
        .join(found, found.c.key == EXPERIMENT.c.key)
        .where(*filters, *pages)
        .order_by(found.c.score, EXPERIMENT.c.key)
        .limit(limit)
    )


def _ranked(wanted: str, newest: int | None) -> CTE:
    """(key, score) of what matches. The index itself goes from the newest row backwards, at no cost."""
    hits = select(_SEARCH.c.rowid.label("id"), func.bm25(_INDEX, *_WEIGHTS).label("score")).where(
        _INDEX.op("MATCH")(wanted)
    )
    if newest is not None:
        hits = hits.order_by(_SEARCH.c.rowid.desc()).limit(newest)
    part = hits.cte("hit")
    keyed = select(EXPERIMENT_TEXT.c.key, part.c.score).join(part, part.c.id == EXPERIMENT_TEXT.c.id)
    return keyed.cte("found")


def _past(found: CTE, score: float, key: str) -> ColumnElement[bool]:
    """What comes after the last one seen, by its score of now: a score depends on all that is stored, so that one
    more experiment moves every score a little."""
    now = select(found.c.score).where(found.c.key == key).scalar_subquery()
    last = func.coalesce(now, literal(score))
    return or_(found.c.score > last, and_(found.c.score == last, EXPERIMENT.c.key > key))

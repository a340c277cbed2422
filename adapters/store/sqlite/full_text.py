"""Search by words in SQLite's FTS5. Triggers keep the index, so that nothing is to be done on a write."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import CTE, ColumnElement, Connection, bindparam, column, func, literal_column, select, table

from ..rows import Values
from ..search import FullText, Query, chosen, matches
from ..tables import EXPERIMENT_TEXT
from ..terms import SHORTEST_PREFIX, WEIGHTS, folded, is_unspaced, separated, terms_of

_SEARCH = table("experiment_search", column("rowid"))
_INDEX: ColumnElement[str] = literal_column("experiment_search")


class Fts5:
    def wanted(self, text: str, surface: str | None, touching: Sequence[str]) -> Values | None:
        words = query_of(text)
        if words is None:
            return None
        place = phrase_of(surface) if surface is not None else None
        parameters = [phrase for name in touching if (phrase := phrase_of(name)) is not None]
        narrowed = [f"({words})"]
        narrowed += [f"surface : {place}"] if place is not None else []
        narrowed += [f"details : ({' OR '.join(parameters)})"] if parameters else []
        return {"wanted": " AND ".join(reversed(narrowed))}

    def matching(self, filtered: frozenset[str], bounded: bool, paged: bool) -> Query:
        return _matching(filtered, bounded, paged)

    def index(self, connection: Connection, texts: Values) -> None:
        pass


FTS5: FullText = Fts5()


def query_of(text: str) -> str | None:
    """The FTS5 query for any of the text's words, each of them quoted; None when it has no word."""
    terms = list(dict.fromkeys(map(_quoted, terms_of(folded(text.casefold())))))
    return " OR ".join(terms) or None


def phrase_of(text: str) -> str | None:
    """The FTS5 query for the text's words one after the other."""
    words = " ".join(terms_of(separated(text)))
    return f'"{words}"' if words else None


def _quoted(term: str) -> str:
    if is_unspaced(term):
        return f'"{" ".join(term)}"'
    return f'"{term}" *' if len(term) >= SHORTEST_PREFIX else f'"{term}"'


@cache
def _matching(filtered: frozenset[str], bounded: bool, paged: bool) -> Query:
    # The words choose far fewer than the filters; SQLite, which cannot know that, would begin with the filters.
    return matches(_ranked(bounded), map(func.likely, chosen(filtered)), paged)


def _ranked(bounded: bool) -> CTE:
    """(key, score) of what matches. The index itself goes from the newest row backwards, at no cost."""
    hits = select(_SEARCH.c.rowid.label("id"), func.bm25(_INDEX, *WEIGHTS).label("score")).where(
        _INDEX.op("MATCH")(bindparam("wanted"))
    )
    if bounded:
        hits = hits.order_by(_SEARCH.c.rowid.desc()).limit(bindparam("newest"))
    part = hits.cte("hit")
    keyed = select(EXPERIMENT_TEXT.c.key, part.c.score).join(part, part.c.id == EXPERIMENT_TEXT.c.id)
    return keyed.cte("found")

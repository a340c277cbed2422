"""Search by words in a tsvector with a GIN index, written with each change of an experiment's texts.

The words are parted and folded here, as FTS5 parts and folds those of SQLite: PostgreSQL's own parser takes `a/b` for
a file, and knows no script without blanks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import CTE, Connection, Float, Text, bindparam, column, text

from ..columns import Texts
from ..rows import Values
from ..search import FullText, Query, chosen, matches
from ..terms import SHORTEST_PREFIX, WEIGHTS, folded, is_unspaced, separated, terms_of

_FIELDS = {"names": "A", "hypothesis": "B", "details": "C", "surface": "D"}
_LONGEST = 64
"""Letters of a word that count: a tsvector takes 2,046 bytes of each."""
_APART = 100
"""Positions between two fields, so that no phrase goes from one into the next."""

_KEEP = text(
    "INSERT INTO experiment_search (id, words)"
    " SELECT id, CAST(:words AS tsvector) FROM experiment_text WHERE key = :key"
    " ON CONFLICT (id) DO UPDATE SET words = excluded.words"
)
_HITS = "SELECT id, words FROM experiment_search WHERE words @@ CAST(:wanted AS tsquery)"
_NEWEST = "ORDER BY id DESC LIMIT :newest"
_RARITY = """
    SELECT word, ln(1 + (total.count - met.count + 0.5) / (met.count + 0.5)) AS rarity
    FROM (SELECT CAST(term AS tsquery) AS word FROM unnest(:terms) AS given (term)) AS asked
    CROSS JOIN (SELECT count(*) FROM experiment_search) AS total
    CROSS JOIN LATERAL (SELECT count(*) FROM experiment_search WHERE words @@ word) AS met
"""


class Tsvector:
    def wanted(self, text: str, surface: str | None, touching: Sequence[str]) -> Values | None:
        terms = list(dict.fromkeys(map(_quoted, terms_of(folded(text.casefold())))))
        if not terms:
            return None
        place = _phrase_of(surface, "D") if surface is not None else None
        parameters = [phrase for name in touching if (phrase := _phrase_of(name, "C")) is not None]
        narrowed = [" | ".join(terms)]
        narrowed += [place] if place is not None else []
        narrowed += [" | ".join(parameters)] if parameters else []
        return {"terms": terms, "wanted": " & ".join(f"({part})" for part in narrowed)}

    def matching(self, filtered: frozenset[str], bounded: bool, paged: bool) -> Query:
        return _matching(filtered, bounded, paged)

    def index(self, connection: Connection, texts: Values) -> None:
        connection.execute(_KEEP, {"key": texts["key"], "words": vector_of(texts)})


TSVECTOR: FullText = Tsvector()


def vector_of(texts: Values) -> str:
    """The text of a tsvector: each word with its place and the label of its field."""
    words: list[str] = []
    first = 1
    for field, label in _FIELDS.items():
        terms = terms_of(str(texts[field]))
        words += [f"'{term[:_LONGEST]}':{place}{label}" for place, term in enumerate(terms, first)]
        first += len(terms) + _APART
    return " ".join(words)


def _phrase_of(text: str, label: str) -> str | None:
    """The tsquery for the text's words one after the other in a field; None when it has no word."""
    terms = terms_of(separated(text))
    return " <-> ".join(f"'{term[:_LONGEST]}':{label}" for term in terms) or None


def _quoted(term: str) -> str:
    """The tsquery for a word, quoted, which stands for longer ones too."""
    if is_unspaced(term):
        return "(" + " <-> ".join(f"'{letter}'" for letter in term) + ")"
    return f"'{term[:_LONGEST]}':*" if len(term) >= SHORTEST_PREFIX else f"'{term}'"


@cache
def _matching(filtered: frozenset[str], bounded: bool, paged: bool) -> Query:
    return matches(_ranked(bounded), chosen(filtered), paged)


def _ranked(bounded: bool) -> CTE:
    """(key, score) of what matches.

    ts_rank weighs a word by where and how often it stands, and with 1 divides by the logarithm of the length, but knows
    nothing of how rare it is. So each word's rank counts by its rarity as in BM25 (Robertson and Zaragoza 2009,
    equation 3.3), plus one, which keeps the commonest above zero.
    """
    weights = ",".join(str(weight / max(WEIGHTS)) for weight in reversed(WEIGHTS))  # from label D to A
    query = f"""
        WITH term AS MATERIALIZED ({_RARITY}), hit AS MATERIALIZED ({_HITS} {_NEWEST if bounded else ""})
        SELECT experiment_text.key, -sum(rarity * ts_rank('{{{weights}}}', words, word, 1)) AS score
        FROM hit CROSS JOIN term JOIN experiment_text USING (id) GROUP BY experiment_text.key
    """  # noqa: S608 - nothing in it comes from outside
    bound = text(query).bindparams(bindparam("terms", type_=Texts()))
    return bound.columns(column("key", Text), column("score", Float)).cte("found")

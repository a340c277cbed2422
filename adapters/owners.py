"""The mark by which a document says which store writes to it. It comes with the first entry and stays, so that two
stores that know nothing of each other never give the same buckets away twice."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..core.documents import JsonObject
from ..core.errors import BackendChanged, BackendOwned

OWNER = "owner"
Owner = Callable[[], str | None]
"""Gives the id of the store that an adapter writes for, once it is needed; None is nobody, who marks nothing."""
_ID = re.compile(r"[0-9a-f-]{1,36}")


def nobody() -> str | None:
    return None


def owner_of(section: JsonObject) -> str | None:
    """The store that owns a document; None where there is no mark, or a damaged one: that must not keep a stop out."""
    owner = section.get(OWNER)
    return owner if isinstance(owner, str) and _ID.fullmatch(owner) else None


def with_owner(section: JsonObject, owner: str | None) -> JsonObject:
    return section if owner is None else {**section, OWNER: owner}


def stranger(section: JsonObject, owner: str | None) -> str | None:
    """The store that owns a document, when it is another one than ours."""
    found = owner_of(section)
    return found if found != owner else None


def is_ours(section: JsonObject, owner: str | None) -> bool:
    """Whether a document bears our mark; one without a mark is nobody's."""
    return owner is not None and owner_of(section) == owner


def require_ours(section: JsonObject, owner: str | None) -> None:
    """
    Raises:
        BackendOwned: the document belongs to another store.
    """
    other = stranger(section, owner)
    if other is not None:
        ours = f", and this one is {owner}" if owner is not None else ""
        raise BackendOwned(
            f"The document belongs to the store {other}{ours}; nothing was written.",
            next="Share that store: set CROSSFADE_DATABASE_URL to its database here too. If its database is lost, a "
            "person runs `crossfade adopt`, then repeats this.",
        )


def adopted(section: JsonObject, before: str, owner: str | None) -> JsonObject:
    """The section with our mark in place of the store `before`'s.

    Raises:
        BackendChanged: the document belongs to somebody else by now.
    """
    if owner_of(section) not in (before, owner):
        raise BackendChanged("The document has another owner by now; nothing was written.", next="Look again.")
    return with_owner(section, owner)

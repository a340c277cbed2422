"""Entries inside a JSON document, changed by compare-and-swap wherever the document lies."""

from __future__ import annotations

from collections.abc import Callable

from ...core.documents import JsonObject, same
from ...core.errors import BackendFailed
from ..entries import require_before, too_late
from .document import Document


def swap_entry(
    document: Document,
    *,
    before: JsonObject | None,
    after: JsonObject | None,
    fence: int,
    find: Callable[[JsonObject], JsonObject | None],
    fence_of: Callable[[JsonObject], int],
    place: Callable[[JsonObject], JsonObject],
    guard: Callable[[JsonObject], None],
) -> None:
    """Replace the document by `place(document)`, which sets the fence too, when `find(document)` equals `before` and
    `guard(document)` raises nothing; durable on return.

    When it equals `after` already and the fence is set, nothing is written. A missing document counts as {}.

    Raises:
        BackendChanged: what was found is neither, and `got` says where it differs from `before`; or `fence_of` the
            document is higher than `fence`.
        BackendFailed: the document cannot be read or written, or others keep it busy.
    """

    def edit(found: JsonObject | None) -> JsonObject | None:
        whole = found or {}
        guard(whole)
        entry, last = find(whole), fence_of(whole)
        if last > fence:
            raise too_late()
        if same(entry, after):
            return place(whole) if last < fence else None
        require_before(entry, before)
        return place(whole)

    document.update(edit)


def member(document: JsonObject, key: str) -> JsonObject:
    """The object under a key, empty when the key is absent.

    Raises:
        BackendFailed: something other than an object is there.
    """
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise BackendFailed(
            "A part of the document that has to be an object is something else.",
            next="Repair that part of the document by hand; nothing was written.",
            got=key[:200],
        )
    return value

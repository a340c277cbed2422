"""Entries inside a JSON document, changed by compare-and-swap wherever the document lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import JsonValue

from ...core.documents import JsonObject, canonical, pointer, same
from ...core.errors import BackendChanged, BackendFailed
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


def require_before(found: JsonObject | None, before: JsonObject | None) -> None:
    """
    Raises:
        BackendChanged: an entry is not as it was when the write was planned; `got` says where it differs.
    """
    if not same(found, before):
        raise BackendChanged(
            "Somebody else changed our entry in this document since the plan was made; nothing was written.",
            next="Make a new plan, which starts from what is there now, or put the entry back as it was.",
            got=list[JsonValue](list(_differences(before, found))[:5]),
        )


def too_late() -> BackendChanged:
    """What a write under a lower fence than the last is told."""
    return BackendChanged(
        "A later change of this experiment has been written to the document, so this one came too late; nothing was "
        "written.",
        next="Look at the experiment, and make a new plan for what it still needs.",
    )


def _differences(planned: JsonValue, found: JsonValue, at: str = "") -> Iterator[str]:
    if isinstance(planned, dict) and isinstance(found, dict):
        for key in sorted(planned.keys() | found.keys()):
            if key in planned and key in found:
                yield from _differences(planned[key], found[key], at + pointer(key))
            else:
                yield f"{at}{pointer(key)}: {'missing' if key in planned else 'added'}"[-300:]
    elif isinstance(planned, list) and isinstance(found, list) and len(planned) == len(found):
        for index, (one, other) in enumerate(zip(planned, found, strict=True)):
            yield from _differences(one, other, at + pointer(index))
    elif not same(planned, found):
        yield f"{at[-120:] or 'the entry'}: planned {_shown(planned, at)}, found {_shown(found, at)}"


def _shown(value: JsonValue, at: str) -> str:
    return "none" if value is None and not at else canonical(value)[:80]

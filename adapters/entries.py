"""What holds of our entries wherever they lie: their names, and that a write finds what its plan saw."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import JsonValue

from ..core.documents import JsonObject, canonical, pointer, same
from ..core.errors import BackendChanged, BackendFailed

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def is_name(name: str) -> bool:
    """Whether a name can lead nowhere else: a lower-case letter, then letters, digits, `_` or `-`."""
    return _NAME.fullmatch(name) is not None


def require_name(name: str, what: str) -> str:
    """The name, when it is one by `is_name`.

    Raises:
        BackendFailed: it is another.
    """
    if not is_name(name):
        raise BackendFailed(
            f"The name of the {what} has to be a lower-case letter, then lower-case letters, digits, `_` or `-`.",
            next="Give it another name.",
            got=name[:200],
        )
    return name


def require_before(found: JsonObject | None, before: JsonObject | None) -> None:
    """
    Raises:
        BackendChanged: an entry is not as it was when the write was planned; `got` says where it differs.
    """
    if not same(found, before):
        raise BackendChanged(
            "Somebody else changed our entry since the plan was made; nothing was written.",
            next="Make a new plan, which starts from what is there now, or put the entry back as it was.",
            got=list[JsonValue](list(_differences(before, found))[:5]),
        )


def too_late() -> BackendChanged:
    """What a write under a lower fence than the last is told."""
    return BackendChanged(
        "A later change of this experiment has been written, so this one came too late; nothing was written.",
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

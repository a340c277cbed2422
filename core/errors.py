"""Every failure that a caller can act on: one code, one message of ours, and what to do next."""

from __future__ import annotations

import json

from pydantic import JsonValue

SHOWN_MORE = 8
"""Most lines of what else is wrong."""
SHOWN_REASON = 200
"""Most characters of what came, where a reader gets one text."""
SHOWN_GOT = 60
"""Most characters of a value in such a line."""


class CrossfadeError(Exception):
    """An expected failure.

    Attributes:
        code: stable name of the fault, for programs.
        message: one sentence of ours; text from users or backends is only ever in `got`.
        pointer: JSON Pointer to the part of the input at fault, "" for the whole.
        got, allowed, nearest: what came, what may come, and the allowed values that look most like what came.
        retryable: True when the same call can succeed later without a change.
        retry_after: seconds before which it cannot, where that is known.
        next: the call or the human action that gets further.
        more: what else is wrong with the same call, a line each.
    """

    code = "error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        next: str = "",
        pointer: str = "",
        got: JsonValue = None,
        allowed: list[str] | None = None,
        nearest: list[str] | None = None,
        code: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.next = next
        self.pointer = pointer
        self.got = got
        self.allowed = allowed or []
        self.nearest = nearest or []
        self.more: list[str] = []
        self.retry_after = retry_after
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable

    @property
    def told(self) -> str:
        """The message with what came, where a reader gets one text."""
        got = json.dumps(self.got, ensure_ascii=False)[:SHOWN_REASON] if self.got is not None else ""
        return f"{self.message} Got {got}" if got else self.message

    @property
    def line(self) -> str:
        """The error in short, beside another one."""
        near = f" Nearest: {', '.join(self.nearest)}." if self.nearest else ""
        got = f" Got {str(self.got)[:SHOWN_GOT]}." if self.got is not None else ""
        return f"{self.pointer}: {self.message}{got}{near}"

    def as_dict(self) -> dict[str, JsonValue]:
        """The published shape of the error; empty parts are left out, never null."""
        body: dict[str, JsonValue] = {"code": self.code, "message": self.message, "retryable": self.retryable}
        if self.pointer:
            body["pointer"] = self.pointer
        if self.got is not None:
            body["got"] = self.got
        if self.allowed:
            body["allowed"] = list[JsonValue](self.allowed)
        if self.nearest:
            body["nearest"] = list[JsonValue](self.nearest)
        if self.more:
            left = len(self.more) - SHOWN_MORE
            body["more"] = [*self.more[:SHOWN_MORE], *([f"and {left} more"] if left > 0 else [])]
        if self.next:
            body["next"] = self.next
        return body


class Invalid(CrossfadeError):
    """The input breaks a rule that holds before anything is looked up."""

    code = "invalid"


class NotFound(CrossfadeError):
    """Nothing has that name; `nearest` holds names that exist."""

    code = "not_found"


class Conflict(CrossfadeError):
    """Somebody else's write came first, or the name is taken by something different."""

    code = "conflict"


class NotAllowed(CrossfadeError):
    """The thing exists, but its state does not allow the change."""

    code = "not_allowed"


class Stale(CrossfadeError):
    """What a plan's digest covers has changed since the plan was made."""

    code = "stale_plan"


class CatalogueBroken(CrossfadeError):
    """The catalogue does not load; `problems` holds every fault with its file and line."""

    code = "catalogue_broken"

    def __init__(self, message: str, problems: list[str], *, next: str = "") -> None:
        super().__init__(message, got=list[JsonValue](problems[:5]), next=next)
        self.problems = problems


class Misconfigured(CrossfadeError):
    """The catalogue asks a backend for something its adapter cannot do."""

    code = "misconfigured"


class StoreUnavailable(CrossfadeError):
    """The store cannot be read or written (full disk, read-only file, locked for too long)."""

    code = "store_unavailable"


class BackendFailed(CrossfadeError):
    """A backend refused or could not be reached; `retryable` tells whether trying again can help, and `retry_after`
    how long it asks to be left alone before that."""

    code = "backend_failed"


class BackendUnready(BackendFailed):
    """Something that this backend needs on our side is missing: a secret that is not set, an extra that is not
    installed. It was not called."""


class BackendUnreachable(BackendFailed):
    """It could not be called: nothing has happened there."""


class BackendDenied(BackendFailed):
    """It was reached, and does not let us in, or do that."""


class BackendChanged(BackendFailed):
    """Our own entry in a backend is not what the plan saw: somebody else wrote it."""

    code = "backend_changed"


class BackendOwned(BackendFailed):
    """A document belongs to another store, which knows what runs there; ours may read it and not write."""

    code = "backend_owned"

"""What a system's refusals and silences are in our words. Its own words are only ever in `got`, cut and without
secrets."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from ...core.documents import JsonObject
from ...core.errors import BackendDenied, BackendFailed, BackendUnreachable
from .certificates import refusal

if TYPE_CHECKING:
    import httpx

SHOWN = 300
"""Most characters of a system's own words."""
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_NAMED = ("message", "error", "detail", "title", "name")
"""Where systems put what they have to say, in the order of use to a reader."""


def unreachable(
    system: str, base: str, setting: str, error: httpx.HTTPError | httpx.InvalidURL | UnicodeError
) -> BackendFailed:
    """No answer came."""
    import httpx

    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError)):
        return BackendUnreachable(
            f"The address of {system} is not one of HTTP.", next=f"Correct the backend's `{setting}` in the catalogue."
        )
    if (by_certificates := refusal(system, setting, str(error))) is not None:
        return by_certificates
    got: JsonObject = {"url": without_user(base), "reason": type(error).__name__}
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return BackendUnreachable(
            f"{system} cannot be reached.",
            next=f"See that it runs and that `{setting}` leads to it, then repeat the call.",
            got=got,
            retryable=True,
        )
    return no_whole_answer(system, got)


def no_whole_answer(system: str, got: JsonObject) -> BackendFailed:
    """The call left, and its effect is unknown."""
    return BackendFailed(
        f"{system} took the call and gave no whole answer, so whether it did anything is not known.",
        next="Repeat the call, which looks first at what is there.",
        got=got,
        retryable=True,
    )


def refused(
    system: str, setting: str, status: int, raw: bytes, headers: Mapping[str, str], secrets: Sequence[str] = ()
) -> BackendFailed:
    """An answer that is a failure. Trying again helps where the system says so (429) or is at fault itself (5xx)."""
    message, then = _meaning(system, setting, status)
    said = _said(raw, secrets)
    got: JsonObject = {"status": status, **({"reason": said} if said else {})}
    retryable = status in (408, 425, 429) or status >= 500
    after = _seconds(headers.get("retry-after"), headers.get("date")) if retryable else None
    if status == 429 and after and math.isfinite(after):
        then = f"Wait {math.ceil(after)} seconds, then repeat the call."
    failure = BackendDenied if status in (401, 403) else BackendFailed
    return failure(message, next=then, got=got, retryable=retryable, retry_after=after)


def not_json(system: str, setting: str, status: int, raw: bytes, secrets: Sequence[str] = ()) -> BackendFailed:
    """An answer that says it went well, and is none that an adapter can read: of a proxy, say, or half of one."""
    return BackendFailed(
        f"{system} answers with something that is no JSON, so whether it did anything is not known.",
        next=f"See that `{setting}` leads to the system itself and not to a page before it, then repeat the call.",
        got={"status": status, "reason": _said(raw, secrets)},
        retryable=True,
    )


def without_user(url: str) -> str:
    """The address without the name and password that it may hold; a password can hold an @ of its own."""
    return re.sub(r"//[^/]*@", "//", url)


def _meaning(system: str, setting: str, status: int) -> tuple[str, str]:
    if status == 401:
        return f"{system} does not know the token.", "A person sets a valid token for this backend."
    if status == 403:
        return f"{system} does not let this token do that.", "A person gives the token the rights that are missing."
    if status == 404:
        return f"{system} has nothing at this address.", "Correct the backend's settings in the catalogue."
    if status == 429:
        return f"{system} asks for fewer calls.", "Wait, then repeat the call."
    if status >= 500:
        return f"{system} failed by itself.", "Repeat the call; if it stays so, look at that system."
    if status < 400:
        return f"{system} sends on to another address.", f"Set `{setting}` to the address that answers itself."
    return f"{system} refused the call.", "See its reason in `got`."


def _said(raw: bytes, secrets: Sequence[str]) -> str:
    """What the body says for people: of JSON its message, of HTML its text."""
    text = raw[: 64 * 1024].decode("utf-8", "replace")
    try:
        found = _message(_JSON.validate_json(raw))
    except ValueError:
        found = " ".join(_TAGS.sub(" ", text).split())
    return without_secrets(found, secrets)


def without_secrets(text: str, secrets: Sequence[str]) -> str:
    """What a system said, cut and as it can be shown."""
    for each in secrets:
        # The token of "Bearer <token>" by itself, too, and a password as JSON writes it.
        for part in (each, each.rpartition(" ")[2], json.dumps(each)[1:-1], json.dumps(each, ensure_ascii=False)[1:-1]):
            if len(part) > 3:
                text = text.replace(part, "***")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:SHOWN]


def _message(body: JsonValue) -> str:
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return "; ".join(filter(None, (_message(each) for each in body[:3])))
    if isinstance(body, dict):
        named = [_message(body[name]) for name in _NAMED if name in body]
        details = [_message(body[name]) for name in ("details", "errors") if name in body]
        return ": ".join(dict.fromkeys(filter(None, [*named[:1], *details[:1]])))
    return ""


def _seconds(text: str | None, date: str | None) -> float | None:
    """The seconds of a Retry-After, which holds seconds or a date (RFC 9110, section 10.2.3). A date counts from the
    answer's own, since the two clocks may differ."""
    if text is None:
        return None
    try:
        if text.strip().isdecimal():
            return float(text)
        answered = parsedate_to_datetime(date) if date is not None else datetime.now(UTC)
        return max(0.0, (parsedate_to_datetime(text) - answered).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None

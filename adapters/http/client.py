"""One HTTP client for every backend: limits, a second try, and errors that say what to do next."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakSet

from pydantic import JsonValue, TypeAdapter

from ...core.deadline import require_awaited, within
from ...core.errors import BackendDenied, BackendFailed, BackendUnready
from ...core.tracing import TRACEPARENT
from .certificates import Certificate, trusting
from .failures import no_whole_answer, not_json, refused, unreachable, without_user
from .limiter import Limiter

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
"""Longest silence."""
ANSWER_SECONDS = 10.0
"""After which an answer that still comes in pieces is given up. With the time to connect it is the end of a call,
whatever that waits for."""
CONNECTIONS = 20
MOST_BYTES = 32 * 1024 * 1024
"""Of an answer; what is larger is no answer that an adapter asks for."""
TRIES = 2
"""Attempts of a call that may be repeated without harm. A saga tries again by itself, with longer pauses."""
PAUSE = 0.1
"""Seconds before the second attempt."""
QUICK = 2.0
"""Seconds within which the first attempt has to fail for a second one: who waits for a system that hangs holds a lease,
which must not run out meanwhile."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ENCODINGS = frozenset({"identity", "gzip", "deflate"})
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class Answer(NamedTuple):
    status: int
    body: JsonValue
    """The parsed JSON; None where there is none."""
    headers: Mapping[str, str]
    """By name in small letters."""


def _no_headers() -> dict[str, str]:
    return {}


class HttpClient:
    """A client of one system. Threads may share it."""

    def __init__(
        self,
        system: str,
        base: str,
        *,
        secrets: Callable[[], dict[str, str]] = _no_headers,
        setting: str = "url",
        certificate: Certificate | None = None,
        calls_a_minute: int | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """
        Args:
            system: its name, for messages.
            base: the address that paths are added to.
            secrets: headers that are made for each call, and whose values never show in an error.
            setting: what the catalogue calls the address.
            certificate: what is shown to a system that asks for one.
            calls_a_minute: the rate to stay below.
            transport: what carries the calls, for tests of what a system can answer.
        """
        self._system = system
        self._base = base.rstrip("/")
        self._setting = setting
        self._certificate = certificate
        self._secrets = secrets
        self._limiter = Limiter(calls_a_minute) if calls_a_minute else None
        self._transport = transport
        self._opened: httpx.Client | None = None
        self._opening = threading.Lock()
        _CLIENTS.add(self)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        expected: frozenset[int] = frozenset(),
        hidden: Sequence[str] = (),
    ) -> Answer:
        """
        Args:
            json: the body; None for none.
            hidden: what of the body is secret, and never shows in an error either.
            repeatable: whether a second call does no harm; when not said, that of a reading method does none.
            expected: statuses from 400 on that are answers to the caller, not failures.

        Raises:
            BackendFailed: no answer came, or one that is a failure. Whether a call without an answer had its effect is
                not known.
        """
        left = TRIES if (method in _SAFE if repeatable is None else repeatable) else 1
        while True:
            left -= 1
            began = time.monotonic()
            try:
                return self._once(method, path, json, params, headers or {}, expected, hidden)
            except BackendFailed as failure:
                quick = time.monotonic() - began < QUICK
                if not (left and quick and failure.retryable) or failure.retry_after:
                    raise
            time.sleep(PAUSE)

    def close(self) -> None:
        """Give the connections back; the next call opens others."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def __del__(self) -> None:
        """Adapters keep so many clients, and forget the one that was used longest ago."""
        with suppress(AttributeError):  # of one that never came to be
            self.close()

    def _once(
        self,
        method: str,
        path: str,
        json: JsonValue,
        params: Mapping[str, str] | None,
        more: Mapping[str, str],
        expected: frozenset[int],
        hidden: Sequence[str],
    ) -> Answer:
        import httpx

        if self._limiter is not None:
            self._limiter.take(self._system)
        secrets = self._secrets()
        unsaid, trace = [*secrets.values(), *hidden], TRACEPARENT.get()
        headers = {"accept": "application/json", **({"traceparent": trace} if trace else {}), **more, **secrets}
        try:
            request = self._client().build_request(
                method, self._base + path, headers=headers, params=params, json=json, extensions={"trace": _traced}
            )
            response, raw = within(CONNECT_SECONDS + ANSWER_SECONDS, lambda: self._exchanged(request))
        except TimeoutError:
            raise self._too_slow() from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            failure = unreachable(self._system, self._base, self._setting, error)
            if isinstance(failure, (BackendUnready, BackendDenied)):
                self.close()  # certificates are renewed: the next call reads them anew
            raise failure from None  # its own text may hold secrets
        answered = {name.lower(): value for name, value in response.headers.items()}
        if response.status_code >= 300 and response.status_code not in expected:
            raise refused(self._system, self._setting, response.status_code, raw, answered, unsaid)
        return Answer(response.status_code, self._parsed(response.status_code, raw, unsaid), answered)

    def _exchanged(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = self._client().send(request, stream=True)
        try:
            # One inside the other makes of a few bytes more than any memory holds, before they can be counted.
            if response.headers.get("content-encoding", "identity").strip().lower() not in _ENCODINGS:
                raise BackendFailed(
                    f"{self._system} answers in an encoding that it was not asked for.",
                    next=f"See that `{self._setting}` leads to the right system.",
                )
            return response, self._body(response)
        finally:
            response.close()

    def _too_slow(self) -> BackendFailed:
        return no_whole_answer(self._system, {"url": without_user(self._base), "reason": "too slow"})

    def _body(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        began = time.monotonic()
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise BackendFailed(
                    f"{self._system} answers with more than {MOST_BYTES // 2**20} MB, which was not read.",
                    next=f"See that `{self._setting}` leads to the right system.",
                )
            if time.monotonic() - began > ANSWER_SECONDS:
                raise self._too_slow()
        return b"".join(parts)

    def _parsed(self, status: int, raw: bytes, secrets: Sequence[str]) -> JsonValue:
        if not raw.strip():
            return None
        try:
            return _JSON.validate_json(raw)
        except ValueError:
            raise not_json(self._system, self._setting, status, raw, secrets) from None

    def _client(self) -> httpx.Client:
        import httpx

        with self._opening:
            if self._opened is None:
                self._opened = httpx.Client(
                    verify=self._base.startswith("https:") and trusting(self._certificate),
                    timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                    limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # each call says itself who makes it
                    transport=self._transport,
                )
            return self._opened


def _traced(event: str, details: object) -> None:
    """Let no call leave that waited for its connection until nobody waited for it: it could undo what came after."""
    if event.endswith("send_request_headers.started"):
        require_awaited()


_CLIENTS: WeakSet[HttpClient] = WeakSet()


@atexit.register
def _close_all() -> None:
    """Adapters keep their clients for as long as the process lives; nobody else gives the connections back."""
    for client in list(_CLIENTS):
        client.close()

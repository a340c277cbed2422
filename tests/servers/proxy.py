"""A loopback HTTP server that passes calls on to another one, and spoils those that it is told to."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

How = Literal[
    "refused", "hung", "reset", "unanswered", "slow", "dripping", "busy", "broken", "failed after", "page", "truncated"
]
EFFECT: dict[How, bool] = {
    "refused": False,
    "hung": False,
    "busy": False,
    "broken": False,
    "page": False,
    "slow": True,
    "dripping": True,
    "reset": True,
    "unanswered": True,
    "failed after": True,
    "truncated": True,
}
"""How a call is spoiled -> whether the system behind hears of it all the same.

`refused`: the connection breaks before an answer. `hung`: nothing comes. `slow`: the answer comes late and whole.
`dripping`: byte by byte, and never whole. `reset`: the connection breaks in the middle of the answer. `unanswered`: it
is closed in place of an answer. `busy`: 429 with a Retry-After. `broken`: 500. `failed after`: 502 of something in
between, though the call had its effect. `page`: 200 and HTML. `truncated`: half of the JSON, as if it were all.
"""
RETRY_AFTER = 7
"""Seconds, in the answer `busy`."""
HELD = 5.0
"""Seconds after which a hung or dripping call is given up here, whoever still waits for it."""
LATE = 0.05
"""Seconds before a slow answer, and between two bytes of a dripping one."""
PAGE = b"<html><head><style>p{}</style></head><body><p>Please sign in.</p></body></html>"
Matches = Callable[[str, str], bool]


def every_call(method: str, path: str) -> bool:
    return True


@dataclass
class Fault:
    """Of the calls that match, those from number `first` on are spoiled, `times` of them."""

    how: How
    first: int = 1
    times: int = 1
    matches: Matches = every_call
    met: int = 0
    """Matching calls so far."""

    def strikes(self, method: str, path: str) -> bool:
        if not self.matches(method, path):
            return False
        self.met += 1
        return self.first <= self.met < self.first + self.times


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    """By name in small letters."""
    body: bytes


class FaultProxy:
    """Serves at `url` what another server does, on a port of its own, until it is closed."""

    def __init__(self, upstream: str) -> None:
        self.calls: list[Call] = []
        self._upstream = urlsplit(upstream).netloc
        self._fault: Fault | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._server = _Listener(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def inject(self, fault: Fault | None) -> None:
        """Spoil calls from now on; None for none. What was recorded is forgotten."""
        with self._lock:
            self._fault = fault
            self.calls = []

    def close(self) -> None:
        """From now on nobody listens here, and what was open is over."""
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join()

    def spoil(self, call: Call) -> How | None:
        with self._lock:
            self.calls.append(call)
            return self._fault.how if self._fault is not None and self._fault.strikes(call.method, call.path) else None

    def passed_on(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of what the other server answers."""
        connection = http.client.HTTPConnection(self._upstream, timeout=30)
        kept = {name: value for name, value in call.headers.items() if name not in ("host", "connection")}
        try:
            connection.request(call.method, call.path, call.body or None, kept)
            answer = connection.getresponse()
            left_out = ("transfer-encoding", "content-length", "connection", "date", "server")
            headers = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in left_out}
            return answer.status, headers, answer.read()
        finally:
            connection.close()

    def waits(self, seconds: float) -> bool:
        """Whether nobody has closed it within so many seconds."""
        return not self._closed.wait(seconds)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self.open.discard(request)

    def hang_up(self) -> None:
        for each in list(self.open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever called has gone, which is what these calls are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: object) -> None: ...

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        call = Call(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        proxy = self.server.proxy
        how = proxy.spoil(call)
        status, headers, answer = 200, {"content-type": "application/json"}, b"{}"
        if how is None or EFFECT[how]:
            status, headers, answer = proxy.passed_on(call)
        if how in ("refused", "unanswered", "hung"):
            return self._say_nothing(how)
        if how == "slow":
            proxy.waits(LATE)
        elif how == "busy":
            status, headers, answer = 429, {"retry-after": str(RETRY_AFTER)}, b'{"message": "Too many calls."}'
        elif how in ("broken", "failed after"):
            status, answer = (500 if how == "broken" else 502), b'{"message": "Something went wrong."}'
        elif how == "page":
            status, headers, answer = 200, {"content-type": "text/html"}, PAGE
        elif how == "truncated":
            answer = answer[: len(answer) // 2] or b'{"'
        return self._answer(status, headers, answer, how)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _answer(self, status: int, headers: dict[str, str], body: bytes, how: How | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        # A server that drips or breaks has said how much is to come.
        spare = 1 if how in ("dripping", "reset") else 0
        self.send_header("content-length", str(len(body) + spare))
        self.end_headers()
        if how == "reset":
            self.wfile.write(body[: len(body) // 2])
            return self._break()
        if how == "dripping":
            return self._drip(body)
        self.wfile.write(body)
        return None

    def _drip(self, body: bytes) -> None:
        for number in range(round(HELD / LATE)):
            self.wfile.write(body[number : number + 1] if number < len(body) else b"")
            if not self.server.proxy.waits(LATE):
                break
        self._break()

    def _say_nothing(self, how: How) -> None:
        if how == "hung":
            self.connection.settimeout(HELD)
            with suppress(OSError):
                self.connection.recv(1)  # until whoever waits has had enough
        if how == "refused":
            self._break()
        self.close_connection = True

    def _break(self) -> None:
        """Close in the way of a system that has died: the other end reads an error and no end."""
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(self.connection.detach())  # the files over it keep a socket open that is merely closed
        self.close_connection = True

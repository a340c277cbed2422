"""An HTTP server of the tests' own, on a free port of this machine."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Generic, TypeVar

Served = TypeVar("Served")


class Listener(ThreadingHTTPServer, Generic[Served]):
    """Hands each call to a handler, which finds what it serves in `served`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, served: Served, handler: type[Handler[Served]]) -> None:
        self.served = served
        super().__init__(("127.0.0.1", 0), handler)


class Handler(BaseHTTPRequestHandler, Generic[Served]):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener[Served]  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: object) -> None: ...

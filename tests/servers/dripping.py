"""A server that begins an answer and never ends it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

PAUSE = 0.05
"""Seconds between two pieces."""


class Dripping:
    """Serves at `url` until the block ends: to whoever asks it sends `head`, then `piece` again and again."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self._head = head
        self._piece = piece
        self.received = b""
        self.ended = threading.Event()
        """A client has gone."""
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                there, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(there,), daemon=True).start()

    def _serve(self, there: socket.socket) -> None:
        with there, suppress(OSError):
            if asked := there.recv(65_536):
                self.received += asked
                there.sendall(self._head)
                while not self._over.wait(PAUSE):
                    there.sendall(self._piece)
        self.ended.set()

"""Processes that run the application, as whoever starts, asks, stops and kills them sees them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds after which a process that has not answered counts as hung."""
CATALOGUE = Path(__file__).parents[1] / "e2e/museum_catalogue"

_CONTEXT = multiprocessing.get_context("forkserver")
# Children of a warm process cost milliseconds rather than the imports.
_CONTEXT.set_forkserver_preload(["tests.faults.warm"])

Answer = dict[str, Any]


def _live(pipe: Connection, orders: Mapping[str, Any]) -> None:
    from .worker import live

    live(pipe, orders)


class Worker:
    """A process that does one thing after another for whoever asks it. `worker.py` has what it can do, and what
    `orders` may say: where it works, and what is broken about it."""

    def __init__(self, **orders: Any) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_live, args=(theirs, orders), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, do: str, **asked: Any) -> None:
        """Ask without a wait; what a dead process is asked is lost."""
        try:
            self._pipe.send({"do": do, **asked})
        except (BrokenPipeError, ConnectionResetError):
            return

    def answer(self, within: float = PATIENCE) -> Answer | None:
        """The next answer: {"value": ...} or {"error": ...}; None when the process died first.

        Raises:
            TimeoutError: nothing came within so many seconds.
        """
        try:
            if not self._pipe.poll(within):
                raise TimeoutError(f"no answer within {within} s")
            return self._pipe.recv()
        except (EOFError, ConnectionResetError):
            return None

    def answers(self, within: float) -> bool:
        """Whether an answer, or the end of the process, comes within so many seconds."""
        return self._pipe.poll(within)

    def ask(self, do: str, **asked: Any) -> Any:
        """The value of an answer that must come and be none of an error."""
        self.send(do, **asked)
        answer = self.answer()
        assert answer is not None, f"the process died of {do}"
        assert "value" in answer, f"{do}: {answer}"
        return answer["value"]

    def signal(self, number: int) -> None:
        if self._process.pid is not None and self._process.is_alive():
            with suppress(ProcessLookupError):  # it has ended by itself since
                os.kill(self._process.pid, number)

    def kill(self) -> None:
        """No last words: SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._process.join(PATIENCE)
        self._pipe.close()

    def stopped(self) -> None:
        """Wait until the process that stops itself has stopped."""
        assert self._process.pid is not None
        path = Path(f"/proc/{self._process.pid}/stat")
        while path.read_text().rpartition(")")[2].split()[0] != "T":
            os.sched_yield()

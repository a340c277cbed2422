"""The person whose yes a launch needs: at the terminal, or standing in with --yes."""

from __future__ import annotations

import signal
import sys

from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from . import screen


class Person:
    """Answers the server's question. Without --yes only a terminal is asked, so that nothing ever waits in vain."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes

    async def answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        screen.question(params.message)
        if not isinstance(params, ElicitRequestFormParams) or not self._agrees():
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={"approve": True})

    def _agrees(self) -> bool:
        if self._yes:
            print(f"{screen.MARGIN}> yes (--yes)")
            return True
        if not at_terminal():
            print(f"{screen.MARGIN}> no: nobody is at a terminal to answer; --yes answers with yes")
            return False
        return ask_at_terminal(f"{screen.MARGIN}> apply this plan? [y/N] ")


def ask_at_terminal(prompt: str) -> bool:
    """Wait for an answer; nothing else goes on meanwhile. Ctrl-C is a no, for which the event loop must not take it."""
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input(prompt).strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        print()
        return False
    finally:
        signal.signal(signal.SIGINT, earlier)


def at_terminal() -> bool:
    """False also where a program runs without any stdin, in which case Python has none either."""
    stdin: object = sys.stdin
    return stdin is not None and sys.stdin.isatty()

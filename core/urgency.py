"""Whether the work at hand takes exposure away, for whoever has to choose what comes first."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

CLOSING: ContextVar[bool] = ContextVar("closing", default=False)


@contextmanager
def closing(whether: bool = True) -> Generator[None]:
    """Work that closes traffic, where it does: nothing else may keep it waiting. Within such work all is."""
    token = CLOSING.set(whether or CLOSING.get())
    try:
        yield
    finally:
        CLOSING.reset(token)

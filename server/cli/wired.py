"""The application for a command at this terminal."""

from __future__ import annotations

from ...core.app.crossfade import Crossfade
from ..logs import configure_logs
from ..settings import Settings
from ..wiring import build, person


def terminal_actor() -> str:
    return f"terminal:{person()}"


def wired() -> Crossfade:
    """Raises StoreUnavailable when the database cannot be opened."""
    settings = Settings()
    configure_logs(settings.log_level)
    return build(settings, terminal_actor())

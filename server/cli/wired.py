"""The application for a command at this terminal."""

from __future__ import annotations

from pydantic import ValidationError

from ...core.app.crossfade import Crossfade
from ...core.errors import CrossfadeError
from ..logs import configure_logs
from ..settings import Settings
from ..wiring import build, person
from .printing import complain, complain_of_settings


def terminal_actor() -> str:
    return f"terminal:{person()}"


def wired(*, whatever: bool = False, unopened: bool = False) -> Crossfade:
    """
    Args:
        whatever: settings that are wrong are told and replaced by their defaults: a kill switch needs only the home.
        unopened: as in `build`.

    Raises:
        StoreUnavailable: the database cannot be opened.
        Misconfigured, ValidationError: the settings are wrong.
    """
    try:
        settings = Settings()
    except (CrossfadeError, ValidationError) as error:
        if not whatever:
            raise
        complain(error) if isinstance(error, CrossfadeError) else complain_of_settings(error)
        settings = Settings.of_home_alone()
    configure_logs(settings.log_level)
    return build(settings, terminal_actor(), unopened=unopened)

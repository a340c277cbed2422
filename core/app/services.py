"""What every MCP request is handed: the application, built when something first needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .crossfade import Crossfade


class Services:
    """Listing tools needs no store and no catalogue, so neither is opened before the first call that does."""

    def __init__(self, build: Callable[[], Crossfade]) -> None:
        self._build = build
        self._app: Crossfade | None = None
        self._lock = threading.Lock()

    @property
    def built(self) -> bool:
        return self._app is not None

    @property
    def app(self) -> Crossfade:
        """The application.

        Raises:
            StoreUnavailable: its database cannot be opened; the next access tries again.
        """
        with self._lock:
            if self._app is None:
                self._app = self._build()
            return self._app

"""The place of a store that cannot be opened, for who asks about all the rest."""

from __future__ import annotations

from typing import NoReturn

from ..core.errors import StoreUnavailable


class UnopenedStore:
    """Fails at each use in the way in which it could not be opened; it owns no document."""

    store_id: str | None = None

    def __init__(self, failure: StoreUnavailable) -> None:
        self._failure = failure

    def read(self) -> NoReturn:
        raise self._failure

    def write(self) -> NoReturn:
        raise self._failure

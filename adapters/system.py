"""An assigner whose entries lie in another system by many calls, and not in documents."""

from __future__ import annotations

from typing import Generic

from ..core.documents import JsonObject
from ..core.errors import BackendFailed
from ..core.model.delivery import Assignment
from .owners import Owner, stranger
from .settings import Settings, checked_settings, location_in, setting_problems


class SystemAssigner(Generic[Settings]):
    """What every such adapter does alike. All that lies where the settings lead to counts as one document."""

    local_paths: tuple[str, ...] = ()
    model: type[Settings]
    document: str
    """Its name."""
    told: str
    """What it is, for people."""

    def __init__(self, owner: Owner) -> None:
        """
        Args:
            owner: gives the id of the store that it writes for.
        """
        self._owner = owner

    def location(self, settings: JsonObject) -> str | None:
        return location_in(self.model, settings)

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return setting_problems(self.model, settings)

    def assignment_document(self, assignment: Assignment) -> str:
        return self.document

    def _chosen(self, settings: JsonObject, document: str | None = None) -> Settings:
        """
        Raises:
            BackendFailed: one of the settings is wrong, or the document is another.
        """
        if document not in (None, self.document):
            raise BackendFailed(
                f"{self.told} is one document.",
                next="Look at the experiment, and make a new plan.",
                got=str(document)[:200],
            )
        return checked_settings(self.model, settings)

    def _strangers(self, section: JsonObject) -> dict[str, str]:
        """As `Owned.strangers`, from the section that holds the owner's mark."""
        other = stranger(section, self._owner())
        return {self.document: other} if other is not None else {}

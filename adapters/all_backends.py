"""Every delivery and content system, by kind. A new one is one folder and one line here."""

from __future__ import annotations

from ..core.ports.backend import Backend
from ..core.ports.clock import Clock
from .confidence import Confidence
from .documents import Folder, KeyPrefix, ObjectPrefix, OneFile, OneKey, OneObject
from .growthbook_payload import GrowthbookPayload
from .growthbook_rest import GrowthbookRest
from .owners import Owner, nobody
from .parameters import Parameters
from .unleash import Unleash


def all_backends(clock: Clock, owner: Owner = nobody) -> dict[str, Backend]:
    """
    Args:
        owner: gives the id of the store that they write for.
    """
    backends: tuple[Backend, ...] = (
        GrowthbookPayload(OneFile(), clock, owner),
        Unleash(owner),
        GrowthbookRest(clock, owner),
        Confidence(owner),
        GrowthbookPayload(OneKey(), clock, owner),
        GrowthbookPayload(OneObject(), clock, owner),
        Parameters(Folder(), owner),
        Parameters(KeyPrefix(), owner),
        Parameters(ObjectPrefix(), owner),
    )
    return {backend.kind: backend for backend in backends}

"""Every delivery and content system, by kind. A new one is one folder and one line here."""

from __future__ import annotations

from ..core.ports.backend import Backend
from ..core.ports.clock import Clock
from .growthbook_file import GrowthbookFile
from .parameters_folder import ParametersFolder


def all_backends(clock: Clock) -> dict[str, Backend]:
    backends: tuple[Backend, ...] = (GrowthbookFile(clock), ParametersFolder())
    return {backend.kind: backend for backend in backends}

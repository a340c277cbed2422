"""Every resource. A new topic is one file and one line here."""

from __future__ import annotations

from . import catalogue, checks, experiments
from .spec import ResourceSpec

RESOURCES: tuple[ResourceSpec, ...] = (*catalogue.RESOURCES, *experiments.RESOURCES, *checks.RESOURCES)

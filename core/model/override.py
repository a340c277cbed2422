"""What people decide about a spec as it stands: that a finding may stay, and that they agree to a launch."""

from __future__ import annotations

from datetime import datetime

from .plan import Assurance
from .strict import StrictModel

MAX_REASON = 300
"""Longest reason, in characters: it is told in every reply about the finding."""


class Override(StrictModel):
    """A person's word that one finding of one spec does not stand in the way.

    It is bound to the substance of the spec, and any change of the spec but for words ends it; and to the fault, since
    the same check can find another one at the same place later. An empty fault, of a time before faults were kept, is
    none.
    """

    key: str
    spec: str
    code: str
    pointer: str
    fault: str
    reason: str
    by: str
    assurance: Assurance
    at: datetime

    def __str__(self) -> str:
        return f"{self.reason} ({self.assurance}, {self.by})"


class Review(StrictModel):
    """What a team that must agree to a launch says of one spec; its last word counts."""

    key: str
    spec: str
    team: str
    approved: bool
    note: str
    by: str
    assurance: Assurance
    at: datetime

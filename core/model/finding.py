"""A finding: one fault that one check found, with what cures it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from ..documents import JsonObject, digest
from .strict import StrictModel

Severity = Literal["block", "block_unless_overridden", "warn", "info"]
SEVERITIES: tuple[Severity, ...] = ("block", "block_unless_overridden", "warn", "info")
BLOCKING: frozenset[Severity] = frozenset({"block", "block_unless_overridden"})
OVERRIDABLE: frozenset[Severity] = frozenset({"block_unless_overridden"})
"""Severities whose findings a person can let stand."""


class Fix(StrictModel):
    """A cure under an id. The patch stays on the server; a caller applies the fix by its id."""

    id: str
    effect: str = Field(description="what the fix does, with its numbers")
    relaxes: bool = Field(default=False, description="True when it weakens the test or the policy")
    patch: JsonObject = Field(exclude=True, description="RFC 7396 merge patch on the spec")


class Finding(StrictModel):
    code: str
    severity: Severity
    at: str = Field(description="JSON Pointer into the spec")
    message: str
    got: JsonValue = None
    allowed: list[str] = Field(default_factory=list[str])
    nearest: list[str] = Field(default_factory=list[str])
    fixes: list[Fix] = Field(default_factory=list[Fix])
    about: str | None = Field(
        default=None, exclude=True, description="what the fault is, where the message also says what changes day by day"
    )
    overridden: str | None = Field(default=None, description="why a person lets it stand, and who")

    @property
    def blocks(self) -> bool:
        return self.severity in BLOCKING and self.overridden is None

    @property
    def sound(self) -> list[Fix]:
        """The fixes that weaken nothing."""
        return [fix for fix in self.fixes if not fix.relaxes]

    @property
    def gist(self) -> str:
        """What a person lets stand, the same every day on which the fault is the same."""
        return self.about or self.message

    @property
    def fault(self) -> str:
        """Digest of what is wrong: another one at the same place is another fault."""
        return digest([self.code, self.at, self.got, self.gist])

"""Every tool, in the order of the work: find, draft, check, plan, apply. A new topic is one file and one line here."""

from __future__ import annotations

from . import changes, drafts, surfaces
from .spec import ToolSpec

TOOLS: tuple[ToolSpec, ...] = (*surfaces.TOOLS, *drafts.TOOLS, *changes.TOOLS)

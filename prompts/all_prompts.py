"""Every prompt. A new topic is one file and one line here."""

from __future__ import annotations

from . import design, drafts
from .spec import PromptSpec

PROMPTS: tuple[PromptSpec, ...] = (*design.PROMPTS, *drafts.PROMPTS)

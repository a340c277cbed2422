"""Writes the pages that are made from the code (`make docs`)."""

from __future__ import annotations

from pathlib import Path

from crossfade.core.checks.documentation import page

Path(__file__).with_name("checks.md").write_text(page(), encoding="utf-8")

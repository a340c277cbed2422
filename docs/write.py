"""Writes the pages that are made from the code (`make docs`)."""

from __future__ import annotations

import sys
from pathlib import Path

from crossfade.core.checks import documentation

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import catalogue_page  # noqa: E402  # the pages are no package

PAGES = {"checks.md": documentation.page, "catalogue.md": catalogue_page.page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")

"""The pages that are made from the code say what it says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from crossfade.core.app.reference import check_text
from crossfade.core.checks.all_checks import CHECKS
from crossfade.core.checks.by_construction import KEPT, Kept
from crossfade.core.checks.documentation import page

ROOT = Path(__file__).resolve().parents[3]


def test_the_pages_are_up_to_date() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "write.py"))["PAGES"]
    assert pages.keys() == {"checks.md", "catalogue.md"}
    for name, made in pages.items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == made(), "run `make docs`"


@pytest.mark.parametrize("code", CHECKS)
def test_the_resource_of_a_check_is_its_section_of_the_page(code: str) -> None:
    assert f"\n#{check_text(code)}" in page()


def test_a_section_has_all_that_is_asked_about_a_check() -> None:
    text = check_text("duration.long")
    assert "Severity: warn (warns)" in text
    assert "Threshold `days`: 30 days; a catalogue may tighten it to 7 at most." in text
    assert "only a person knows what to write" in text
    assert "Asked only of a launch" in check_text("review.pending")


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.rule)
def test_what_keeps_a_rule_is_where_the_page_says(kept: Kept) -> None:
    file, _, name = kept.where.partition(":")
    assert name in (ROOT / file).read_text(encoding="utf-8")

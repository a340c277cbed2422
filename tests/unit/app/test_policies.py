"""A plan rests on how tightly the catalogue holds drafts to the checks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import Stale
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from .test_drafts import GROCERY, KEY, MondayClock, brief


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GROCERY, tmp_path / "catalogue"))


def opened(home: Path, catalogue: Path) -> Crossfade:
    """The application anew, as after a change of the catalogue."""
    return build(Settings(home=home, catalogue=catalogue), "tester", MondayClock())


def agreed(app: Crossfade) -> str:
    app.create_experiment(brief())
    digest = app.plan_change(KEY, "launch").digest
    assert digest is not None
    app.approve(digest, approved=True, assurance="terminal", by="ana")
    return digest


def test_a_check_tightened_for_everybody_makes_a_plan_stale(tmp_path: Path, catalogue: Path) -> None:
    digest = agreed(opened(tmp_path, catalogue))
    (catalogue / "rules.yaml").write_text("checks: { duration.long: { days: 28 } }\n")
    with pytest.raises(Stale, match="changed: catalogue checks"):
        opened(tmp_path, catalogue).apply_plan(digest)


def test_a_check_tightened_for_the_surface_makes_a_plan_stale(tmp_path: Path, catalogue: Path) -> None:
    digest = agreed(opened(tmp_path, catalogue))
    file = catalogue / "surfaces" / "all.yml"
    file.write_text(file.read_text().replace("policy: {", "policy: { checks: { duration.long: block },", 1))
    with pytest.raises(Stale, match="changed: catalogue surface storefront"):
        opened(tmp_path, catalogue).apply_plan(digest)


def test_a_check_tightened_to_a_block_keeps_a_draft_from_being_planned(tmp_path: Path, catalogue: Path) -> None:
    (catalogue / "rules.yaml").write_text("checks: { duration.whole_weeks: block }\n")
    app = opened(tmp_path, catalogue)
    assert not app.create_experiment(brief(duration_days=15)).ready
    plan = app.plan_change(KEY, "launch")
    assert [(finding.code, finding.severity) for finding in plan.findings] == [("duration.whole_weeks", "block")]
    assert plan.next.startswith(f'update_experiment(key="{KEY}", version=1, fixes=["duration.whole_weeks.')

"""`crossfade demo`: the promised journey, on the real server, on any day, whoever is or is not there to answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mcp import Client

from crossfade.core.app.services import Services
from crossfade.server.demo.caller import Caller, pasted
from crossfade.server.demo.journey import find, launch_first, launch_second
from crossfade.server.demo.person import Person
from crossfade.server.demo.run import run_demo
from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

DEMO = [sys.executable, "-m", "crossfade.server.cli.main", "demo"]
CALLS = re.compile(r"tool calls +(\d+) of at most 5$", re.MULTILINE)
BYTES = re.compile(r"bytes of results +([\d,]+) of at most 10,240$", re.MULTILINE)
SECONDS = re.compile(r"([\d.]+) s in all")


def surroundings(folder: Path) -> dict[str, str]:
    """An environment in which a real installation is set up, and temporary folders lie in `folder`."""
    installed = {"CROSSFADE_HOME": str(folder / "real"), "CROSSFADE_CATALOGUE": str(folder / "not-there")}
    return {**os.environ, **installed, "TMPDIR": str(folder), "COLUMNS": "118"}


def number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    assert found is not None, text
    return int(found.group(1).replace(",", ""))


def test_with_yes_the_demo_launches_keeps_its_promises_and_leaves_nothing_behind(tmp_path: Path) -> None:
    closed = ["sh", "-c", 'exec "$@" <&-', "sh"]  # Python has no stdin at all then
    done = subprocess.run(
        [*closed, *DEMO, "--yes"], env=surroundings(tmp_path), capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert number(CALLS, done.stdout) <= 5
    assert number(BYTES, done.stdout) <= 10_240
    assert "BAD" not in done.stdout
    assert done.stderr == ""
    for promise in ("split follows", "entered is", "one layer", "holdouts see", "control is", "nobody else"):
        assert f"  ok   {promise}" in done.stdout
    assert list(tmp_path.iterdir()) == []
    print(SECONDS.findall(done.stdout), "seconds")


def test_without_yes_and_without_a_terminal_nothing_is_launched_and_nothing_hangs(tmp_path: Path) -> None:
    done = subprocess.run(
        DEMO, env=surroundings(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "The server asks the person" in done.stdout
    assert "nobody is at a terminal to answer" in done.stdout
    assert "Not launched: apply_plan ended with declined. Delivered files: none." in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
@pytest.mark.parametrize(("typed", "code"), [("y\ny\n", 0), ("\n", 1)], ids=["yes", "only enter"])
def test_a_person_at_the_terminal_is_asked(tmp_path: Path, typed: str, code: int) -> None:
    keyboard, terminal = os.openpty()
    os.write(keyboard, typed.encode())
    try:
        done = subprocess.run(
            DEMO, env=surroundings(tmp_path), stdin=terminal, capture_output=True, text=True, timeout=180
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert "apply this plan? [y/N]" in done.stdout
    assert done.returncode == code, done.stdout + done.stderr


def test_without_the_sdk_the_demo_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "growthbook", None)
    assert run_demo(yes=True) == 1
    told = capsys.readouterr()
    assert "pip install 'crossfade[demo]'" in told.err
    assert told.out == ""


class Day:
    """A clock that stands at noon of a day."""

    def __init__(self, day: str) -> None:
        self._noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)

    def now(self) -> datetime:
        return self._noon

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits in the demo")


@asynccontextmanager
async def on_a_day(day: str, home: Path) -> AsyncGenerator[Caller]:
    services = Services(lambda: build(Settings(home=home), "mcp:test", Day(day)))
    async with Client(CrossfadeServer(services), elicitation_callback=Person(yes=True).answer) as client:
        yield Caller(client)


DAYS = ["2026-07-04", "2026-09-15", "2026-11-27", "2026-12-25", "2027-01-31", "2027-02-01", "2028-02-29", "2031-12-24"]
"""In blackouts of the example's surfaces, at the end of its holdout, on the odd day, and years after its baselines."""


@pytest.mark.parametrize("day", DAYS)
async def test_the_journey_works_on_any_day(day: str, tmp_path: Path) -> None:
    async with on_a_day(day, tmp_path) as caller:
        surface = await find(caller)
        first = await launch_first(caller, surface)
        journey = list(caller.replies)
        second = await launch_second(caller, first.parameter)
    assert first.applied
    assert second.applied
    assert [reply.tool for reply in journey] == [
        "find_surfaces",
        "create_experiment",
        "update_experiment",  # the slip was seen, and its fix was taken from the reply
        "plan_change",
        "apply_plan",
    ]
    assert sum(reply.size for reply in journey) <= 10_240
    assert surface.blackouts is None
    assert second.parameter.layer == first.parameter.layer
    assert second.parameter.name != first.parameter.name


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ('plan_change(key="a-b", change="launch")', ("plan_change", {"key": "a-b", "change": "launch"})),
        (
            'update(key="a", version=1, fixes=["x.1", "y.2"])',
            ("update", {"key": "a", "version": 1, "fixes": ["x.1", "y.2"]}),
        ),
        ('apply_plan(digest="p-1"); a person will be asked', ("apply_plan", {"digest": "p-1"})),
        ('update_experiment(key="a", version=1, changes={...}) at /', None),
        ("a person runs `crossfade approve p-1` in a terminal", None),
        ("", None),
    ],
)
def test_only_a_complete_call_can_be_pasted(text: str, call: object) -> None:
    assert pasted(text) == call

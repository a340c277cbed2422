"""The terminal's side: `crossfade stop` works when little else does; explain and preview tell and do what they say."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from crossfade.core.errors import CatalogueBroken, StoreUnavailable
from crossfade.core.model.brief import Brief
from crossfade.core.model.experiment import Change
from crossfade.server.cli.main import main

from .killing import Nursery
from .ledger import Ledger
from .museum import COMMAND, NOON, Museum, agreed, brief, drafted, launched, opened, visiting_process

Terminal = Callable[..., tuple[int, str, str]]


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


@pytest.fixture
def terminal(museum: Museum, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Runs a command of `crossfade` and gives back its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        for name, value in museum.environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def rules_of(museum: Museum, key: str = "guide-first") -> list[str]:
    return [rule["id"] for rule in Ledger(museum, key).flag_rules]


def test_a_stop_takes_a_running_experiment_out_of_every_backend(museum: Museum, terminal: Terminal) -> None:
    launched(museum.app())
    code, out, _ = terminal("stop", "guide-first")
    assert code == 0
    assert out.startswith("applied: stop guide-first, now stopped")
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert (ledger.state, ledger.held, ledger.placements) == ("stopped", [], [])


def test_a_stop_works_while_the_catalogue_is_broken(museum: Museum, terminal: Terminal) -> None:
    file = museum.own_catalogue()
    launched(museum.app())
    file.write_text("surfaces: [unclosed")
    with pytest.raises(CatalogueBroken):
        museum.app().find_surfaces()
    assert terminal("stop", "guide-first")[0] == 0
    assert Ledger(museum).faults() == []
    assert Ledger(museum).state == "stopped"


def test_a_stop_works_after_the_catalogue_is_gone(museum: Museum, terminal: Terminal) -> None:
    file = museum.own_catalogue()
    launched(museum.app())
    file.unlink()
    file.parent.rmdir()
    assert terminal("stop", "--surface", "gallery")[0] == 0
    assert Ledger(museum).state == "stopped"


def test_a_stop_of_a_surface_stops_all_that_is_live_there_and_nothing_else(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    keys = [launched(app, f"guide-{number}", allocation=0.2) for number in range(3)]
    app.apply_plan(agreed(app, keys[0], "pause"))
    desk = launched(app, "bundle", surface="desk", variants={"bundle": {"bundle": True}})
    code, out, _ = terminal("stop", "--surface", "gallery")
    assert (code, out.count("now stopped")) == (0, 3)
    assert [Ledger(museum, key).state for key in [*keys, desk]] == ["stopped", "stopped", "stopped", "running"]
    assert rules_of(museum, desk) == [desk]
    code, _, complaint = terminal("stop", "--surface", "gallery")
    assert (code, complaint) == (1, "nothing is live on gallery; live: desk\n")


def test_one_that_cannot_be_stopped_does_not_keep_the_others_running(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    first, second = launched(app, "guide-first"), launched(app, "guide-second")
    desk = launched(app, "bundle", surface="desk", variants={"bundle": {"bundle": True}})
    museum.texts.write_text("no JSON")
    code, out, _ = terminal("stop", "--surface", "gallery")
    assert code == 1
    assert out.count("needs_attention: stop") == 2
    assert rules_of_flags(museum) == [desk]
    assert [state_of(museum, key) for key in (first, second)] == ["running", "running"]


def rules_of_flags(museum: Museum) -> list[str]:
    features = json.loads(museum.flags.read_text())["features"].values()
    return [rule["id"] for feature in features for rule in feature["rules"]]


def state_of(museum: Museum, key: str) -> str:
    return museum.app().get_experiment(key).state


def test_a_stop_closes_traffic_even_when_the_content_is_unreadable_and_ends_once_it_is_mended(
    museum: Museum, terminal: Terminal
) -> None:
    launched(museum.app())
    whole = museum.texts.read_text()
    museum.texts.write_text(whole[:20])
    code, out, _ = terminal("stop", "guide-first")
    assert code == 1
    assert re.search(r"flags.payload\S*: done", out)
    assert "does not hold a JSON object" in out
    assert rules_of_flags(museum) == []
    museum.texts.write_text(whole)
    code, out, _ = terminal("stop", "guide-first")
    assert code == 0
    assert (Ledger(museum).state, Ledger(museum).text_entry) == ("stopped", None)


def test_a_stop_whose_traffic_cannot_be_closed_says_so_and_changes_nothing(museum: Museum, terminal: Terminal) -> None:
    launched(museum.app())
    museum.flags.write_text("no JSON")
    code, out, err = terminal("stop", "guide-first")
    assert (code, out) == (1, "")
    assert "does not hold a JSON object" in err
    assert str(museum.flags) in err
    assert state_of(museum, "guide-first") == "running"


def test_a_stop_takes_out_an_entry_that_somebody_else_has_changed(museum: Museum, terminal: Terminal) -> None:
    launched(museum.app())
    museum.flags.write_text(museum.flags.read_text().replace("0.5", "0.25"))
    assert terminal("stop", "guide-first")[0] == 0
    assert Ledger(museum).faults() == []


def test_a_second_stop_says_that_it_was_stopped_before(museum: Museum, terminal: Terminal) -> None:
    launched(museum.app())
    terminal("stop", "guide-first")
    code, out, err = terminal("stop", "guide-first")
    assert (code, err) == (0, "")
    assert out == "applied: stop guide-first, now stopped\n  It was stopped before: nothing of it is left.\n"
    assert len(Ledger(museum).operations) == 2


def test_a_stop_of_a_draft_says_that_nobody_meets_it(museum: Museum, terminal: Terminal) -> None:
    drafted(museum.app())
    code, out, _ = terminal("stop", "guide-first")
    assert code == 0
    assert "It is a draft: no user meets it." in out
    assert Ledger(museum).state == "draft"


def test_a_stop_of_what_does_not_exist_names_what_does(museum: Museum, terminal: Terminal) -> None:
    launched(museum.app())
    code, _, err = terminal("stop", "guide-frist")
    assert code == 1
    assert "nearest: guide-first" in err
    assert terminal("stop")[0] == 2
    assert terminal("stop", "guide-first", "--surface", "gallery")[0] == 2
    assert state_of(museum, "guide-first") == "running"


async def test_a_stop_at_the_terminal_is_seen_by_a_server_on_the_same_home(museum: Museum) -> None:
    async with visiting_process(museum) as visitor:
        assert (await visitor.launch()).body["status"] == "applied"
        done = subprocess.run(  # noqa: ASYNC221
            [*COMMAND, "stop", "guide-first"], env=museum.environment, capture_output=True, text=True, timeout=30
        )
        assert (done.returncode, done.stderr) == (0, "")
        seen = await visitor.call("get_experiment", key="guide-first")
        assert seen.body["state"] == "stopped"
        assert "delivered" not in seen.body
        refused = await visitor.call("plan_change", key="guide-first", change="pause")
        assert refused.body["code"] == "not_allowed"
    assert Ledger(museum).faults() == []


@pytest.mark.parametrize("die_at", [3, 5, 8, 10, 13])
def test_a_stop_after_an_interrupted_launch_leaves_nothing_live(
    museum: Museum, terminal: Terminal, nursery: Nursery, die_at: int
) -> None:
    """The launch began long ago, so its lease is over and its plan has expired."""
    digest = agreed(museum.app(), drafted(museum.app()), "launch")
    life = nursery.live("apply", museum.home, museum.catalogue, datetime.now(UTC), digest=digest, die_at=die_at)
    assert life.killed
    museum.lease = 0.2
    with museum.app().dependencies.store.write() as tx:
        operation = tx.operation_of(digest)
        assert operation is not None
        tx.update_operation(operation.model_copy(update={"lease_until": NOON, "expires": NOON}), operation.fence)
    assert terminal("stop", "guide-first")[0] == 0
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert ledger.state == ("draft" if die_at < 8 else "stopped")
    assert (ledger.flag_rules, ledger.text_entry, ledger.held) == ([], None, [])


def test_a_stop_during_a_launch_waits_for_its_end_and_then_stops(
    museum: Museum, terminal: Terminal, nursery: Nursery
) -> None:
    """The launching process has just died, which nobody knows before its lease has run out."""
    museum.lease = 0.5
    digest = agreed(museum.app(), drafted(museum.app()), "launch")
    now = datetime.now(UTC)
    nursery.live("apply", museum.home, museum.catalogue, now, digest=digest, die_at=8, lease=museum.lease)
    code, out, _ = terminal("stop", "--surface", "gallery")
    assert (code, out.splitlines()[0]) == (0, "applied: stop guide-first, now stopped")
    assert Ledger(museum).faults() == []
    assert [row["change"] for row in Ledger(museum).operations] == ["launch", "stop"]


def restored(museum: Museum, held: bytes) -> None:
    """The payload as a backup has it."""
    museum.flags.write_bytes(held)
    assert rules_of(museum) == ["guide-first"]


@pytest.mark.parametrize("change", ["pause", "stop"])
def test_a_stop_takes_out_what_a_backup_brought_back(museum: Museum, terminal: Terminal, change: Change) -> None:
    app = museum.app()
    launched(app)
    held = museum.flags.read_bytes()
    app.apply_plan(agreed(app, "guide-first", change))
    restored(museum, held)
    code, out, _ = terminal("stop", "guide-first")
    assert (code, "flags/payload: done" in out) == (0, True)
    assert ("had got back of it has been taken out" in out) is (change == "stop")
    assert Ledger(museum).faults() == []
    code, out, _ = terminal("stop", "guide-first")
    assert (code, "nothing of it is left" in out) == (0, True)


def test_a_stop_of_a_draft_takes_out_what_a_backup_brought_back(museum: Museum, terminal: Terminal) -> None:
    drafted(museum.app())
    terminal("preview", "guide-first", "guide", "visitor-7")
    held = museum.flags.read_bytes()
    terminal("stop", "guide-first")
    museum.flags.write_bytes(held)
    assert terminal("stop", "guide-first")[0] == 0
    assert rules_of(museum) == []


def test_a_stop_that_cannot_read_a_place_does_not_say_that_nothing_is_left(museum: Museum, terminal: Terminal) -> None:
    launched(museum.app())
    terminal("stop", "guide-first")
    museum.flags.write_text("{")
    code, out, err = terminal("stop", "guide-first")
    assert (code, out) == (1, "")
    assert "does not hold a JSON object" in err


def test_a_launch_is_refused_while_its_layer_holds_what_is_not_live(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    launched(app)
    held = museum.flags.read_bytes()
    terminal("stop", "guide-first")
    restored(museum, held)
    drafted(app, "guide-second")
    refused = app.plan_change("guide-second", "launch")
    assert [finding.code for finding in refused.findings if finding.severity == "block"] == ["delivery.orphans"]
    assert "stop guide-first`" in refused.findings[0].message
    assert terminal("stop", "guide-first")[0] == 0
    assert app.apply_plan(agreed(app, "guide-second", "launch")).status == "applied"


@pytest.mark.file_store("its file is removed under a process that has it open")
def test_a_process_notices_that_its_database_was_removed_and_a_stop_works_without_it_once_a_person_adopts(
    museum: Museum, terminal: Terminal
) -> None:
    app = museum.app()
    launched(app)
    museum.database.unlink()
    for call in (lambda: app.get_experiment("guide-first"), lambda: drafted(app, "guide-second")):
        with pytest.raises(StoreUnavailable) as failed:
            call()
        assert "was removed or replaced" in failed.value.message
    code, _, err = terminal("stop", "guide-first")
    assert (code, "belongs to the store" in err, "crossfade adopt" in err) == (1, True, True)
    assert rules_of(museum) == ["guide-first"]
    code, out, err = terminal("adopt")
    assert (code, out.count("belongs to the store"), "pass --yes" in err) == (1, 2, True)
    assert terminal("adopt", "--yes")[0] == 0
    assert terminal("adopt")[:2] == (0, "no document of these backends belongs to another store\n")
    code, out, _ = terminal("stop", "guide-first")
    assert (code, "This store does not know it" in out) == (0, True)
    assert (rules_of(museum), Ledger(museum).text_entry) == ([], None)
    assert "No experiment has this key." in terminal("stop", "guide-first")[2]


def test_a_clean_up_takes_out_what_is_not_live_and_nothing_else(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    assert terminal("clean")[:2] == (0, "nothing is left of what is not live\n")
    launched(app)
    held = museum.flags.read_bytes(), museum.texts.read_bytes()
    terminal("stop", "guide-first")
    museum.flags.write_bytes(held[0].replace(b"guide-first", b"guide-never"))
    museum.texts.write_bytes(held[1])
    desk = launched(app, "bundle", surface="desk", variants={"bundle": {"bundle": True}})
    drafted(app, "guide-test")
    terminal("preview", "guide-test", "guide", "visitor-7")
    code, out, err = terminal("clean")
    assert code == 1
    assert out == "flags/payload: guide-never, unknown to this store\ntexts/gallery: guide-first, stopped\n"
    assert "pass --yes" in err
    assert terminal("clean", "--yes")[0] == 0
    assert terminal("clean")[:2] == (0, "nothing is left of what is not live\n")
    assert rules_of_flags(museum) == [desk, "guide-test:preview:guide", "guide-test"]
    assert Ledger(museum).faults() == []


BROKEN_SETTINGS = {
    "no TOML": b"lease_seconds = \n",
    "no text": b"\xff\xfe",
    "unknown": b'password = "s3cret"\n',
    "endless": b"lease_seconds = inf\n",
}


@pytest.mark.parametrize("broken", BROKEN_SETTINGS.values(), ids=BROKEN_SETTINGS)
def test_a_stop_works_while_the_settings_are_broken_and_says_so(
    museum: Museum, terminal: Terminal, broken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(museum.app())
    monkeypatch.delitem(museum_environment := museum.environment, "CROSSFADE_LEASE_SECONDS")
    monkeypatch.setattr(Museum, "environment", museum_environment)
    (museum.home / "crossfade.toml").write_bytes(broken)
    code, _, err = terminal("check")
    assert code == 1
    assert "setting" in err
    assert "s3cret" not in err
    code, out, told = terminal("stop", "guide-first")
    assert (code, out.startswith("applied: stop guide-first"), told) == (0, True, err)
    assert Ledger(museum).faults() == []


@pytest.mark.parametrize("lease", ["inf", "1e300", "nan", "0"])
def test_a_lease_that_no_clock_can_hold_is_refused(
    museum: Museum, terminal: Terminal, lease: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafted(museum.app())
    monkeypatch.setattr(Museum, "environment", {**museum.environment, "CROSSFADE_LEASE_SECONDS": lease})
    code, _, err = terminal("explain", "guide-first", "visitor-1")
    assert code == 1
    assert "setting CROSSFADE_LEASE_SECONDS" in err


@pytest.mark.parametrize("arguments", [["--port", "99999"], ["--port", "-1"], ["--host", "nope.invalid"]])
def test_an_address_that_cannot_be_listened_on_ends_in_a_sentence(museum: Museum, arguments: list[str]) -> None:
    command = [*COMMAND, "serve", "--http", *arguments]
    ended = subprocess.run(command, env=museum.environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode in (1, 2)
    assert "crossfade" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_check_refuses_what_would_overflow_or_share_a_place(museum: Museum, terminal: Terminal) -> None:
    file = museum.own_catalogue()
    text = file.read_text()
    assert terminal("check")[0] == 0
    holdout = "holdouts: { few: { description: Few, surfaces: [gallery], share: 0.1, salt: %s, ends: 2100-01-01 } }\n"
    other = "  other:\n    backends: { flags: { kind: growthbook_file, settings: { path: %s } } }\n"
    other += "    default: { assigner: flags }\n"
    for broken, told in (
        (text + other % "out/flags/../flags/flags.json", "the backend open/flags writes to the same place"),
        (text + other % "~nouser/flags.json", "has to be the absolute path"),
        (text.replace("max_margin: 0.1, days: 14", "max_margin: 1.0e308, days: 14"), "must be at most 1000"),
        (text.replace("max_margin: 0.1, days: 14", "max_margin: 0.1, max_days: 700000000, days: 14"), "at most 180"),
        (text.replace("mde: 0.02", "mde: 1.0e308"), "must be at most 1000"),
        (text.replace("mean: 12, variance: 200", "mean: 12, variance: 1.0e308"), "must be at most 1e+30"),
        (text + holdout % "open/gallery/content", "this is the seed of a layer"),
    ):
        file.write_text(broken)
        code, _, err = terminal("check")
        assert (code, told in err, "Traceback" in err) == (1, True, False), err


@pytest.mark.parametrize("more", [{"metrics": {"app_errors": {"margin": 1e308}}}, {}])
def test_an_effect_that_no_number_can_hold_squared_is_a_finding_or_refused(
    museum: Museum, more: dict[str, JsonValue]
) -> None:
    wanted = {"ticket_rate": None} if more else {"minutes_read": 1e308}
    checked = museum.app().create_experiment(Brief.read(brief(success_metrics=wanted, more=more)))
    assert not checked.ready
    assert "spec.wrong_value" in [finding.code for finding in checked.findings]

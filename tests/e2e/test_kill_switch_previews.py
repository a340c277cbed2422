"""Explain and preview at the terminal tell and do what they say, in every state of an experiment."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from crossfade.core.app import saga
from crossfade.core.model.plan import Operation

from .ledger import Ledger
from .museum import COMMAND, Museum, agreed, drafted, launched
from .test_kill_switch import Terminal, museum, rules_of, terminal

__all__ = ["museum", "terminal"]


def test_explain_tells_production_values_unless_the_experiment_runs(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    drafted(app, allocation=1.0)
    assert "production values" in terminal("explain", "guide-first", "visitor-1")[1]
    app.apply_plan(agreed(app, "guide-first", "launch"))
    running = {unit: terminal("explain", "guide-first", unit)[1] for unit in ("visitor-1", "visitor-2", "visitor-3")}
    assert all("gets control" in text or "gets guide" in text for text in running.values())
    app.apply_plan(agreed(app, "guide-first", "pause"))
    assert "the experiment is paused" in terminal("explain", "guide-first", "visitor-1")[1]
    app.apply_plan(agreed(app, "guide-first", "resume"))
    assert {unit: terminal("explain", "guide-first", unit)[1] for unit in running} == running
    terminal("stop", "guide-first")
    code, out, _ = terminal("explain", "guide-first", "visitor-1")
    assert code == 0
    assert "the experiment is stopped" in out
    assert "buckets none held" in out


def test_explain_answers_wrong_names_and_a_broken_catalogue_with_one_sentence(
    museum: Museum, terminal: Terminal
) -> None:
    file = museum.own_catalogue()
    drafted(museum.app())
    err = terminal("explain", "guide-frist", "visitor-1")[2]
    assert "nearest: guide-first" in err
    assert "get_experiment(" not in err, "no call for an MCP client is proposed to somebody at a terminal"
    assert terminal("explain", "guide-first", "")[0] in (0, 1)
    assert terminal("explain", "guide-first", "visitor-1", "--set", "country=XX")[0] == 0
    code, _, err = terminal("explain", "guide-first", "visitor-1", "--set", "visits=[")
    assert (code, err.splitlines()[0]) == (1, "crossfade: visits holds a whole number.")
    code, _, err = terminal("explain", "guide-first", "visitor-1", "--set", "contry=NL")
    assert code == 1
    assert "  nearest: country" in err
    file.write_text("units: {")
    code, _, err = terminal("explain", "guide-first", "visitor-1")
    assert code == 1
    assert "catalogue.yaml:" in err
    assert "Traceback" not in err


def test_a_preview_of_a_draft_gives_named_units_the_variant_untracked(museum: Museum, terminal: Terminal) -> None:
    drafted(museum.app())
    code, out, _ = terminal("preview", "guide-first", "guide", "visitor-7", "visitor-8")
    assert code == 0
    assert out.splitlines()[-1] == "  test units now: guide visitor-7, visitor-8"
    assert "now draft" in out
    rules = Ledger(museum).flag_rules
    assert [rule["id"] for rule in rules] == ["guide-first:preview:guide", "guide-first"]
    assert rules[0]["force"] is True
    assert Ledger(museum).served == []
    assert {"key", "variations", "meta", "tracks"}.isdisjoint(rules[0])
    assert rules[0]["condition"] == {"visitor_id": {"$in": ["visitor-7", "visitor-8"]}}
    assert Ledger(museum).faults() == []
    assert "gets guide" in terminal("explain", "guide-first", "visitor-7")[1]
    assert "production values" in terminal("explain", "guide-first", "visitor-9")[1]


def test_a_preview_taken_back_leaves_nothing(museum: Museum, terminal: Terminal) -> None:
    drafted(museum.app())
    terminal("preview", "guide-first", "guide", "visitor-7")
    code, out, _ = terminal("preview", "guide-first")
    assert code == 0
    assert out.splitlines()[-1] == "  test units now: nobody"
    assert Ledger(museum).faults() == []
    assert (rules_of(museum), Ledger(museum).placements) == ([], [])
    assert museum.app().get_experiment("guide-first").previews is None


def test_test_units_are_taken_back_from_a_draft_that_is_blocked_while_the_catalogue_is_broken(
    museum: Museum, terminal: Terminal
) -> None:
    file = museum.own_catalogue()
    app = museum.app()
    drafted(app)
    terminal("preview", "guide-first", "guide", "visitor-7")
    app.update_experiment("guide-first", 1, [], {"variants": {"guide": {"parameters": {"guide_first": "maybe"}}}})
    assert terminal("preview", "guide-first", "guide", "visitor-8")[0] == 1
    file.write_text("units: {")
    assert terminal("preview", "guide-first")[0] == 0
    assert Ledger(museum).faults() == []
    assert (rules_of(museum), Ledger(museum).placements) == ([], [])


def test_test_units_are_taken_back_from_a_running_experiment_and_its_traffic_stays(
    museum: Museum, terminal: Terminal
) -> None:
    file = museum.own_catalogue()
    launched(museum.app())
    before = Ledger(museum).flag_rules
    terminal("preview", "guide-first", "guide", "visitor-7")
    file.write_text("units: {")
    assert terminal("preview", "guide-first")[0] == 0
    assert Ledger(museum).flag_rules == before
    assert Ledger(museum).faults() == []
    assert terminal("stop", "guide-first")[0] == 0
    assert rules_of(museum) == []


def test_a_stop_of_a_draft_takes_its_test_units_out(museum: Museum, terminal: Terminal) -> None:
    drafted(museum.app())
    terminal("preview", "guide-first", "guide", "visitor-7")
    code, out, _ = terminal("stop", "guide-first")
    assert code == 0
    assert out.startswith("applied: stop guide-first, now draft")
    assert "its test units were taken back" in out
    assert (rules_of(museum), Ledger(museum).placements) == ([], [])
    assert museum.app().get_experiment("guide-first").previews is None
    assert "no user meets it" in terminal("stop", "guide-first")[1]


def test_test_units_are_kept_only_once_they_are_delivered(museum: Museum, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies before leaves none that a later launch would serve."""
    app = museum.app()
    drafted(app)
    kept: list[object] = []

    def spy(*arguments: Any) -> Operation:
        kept.append(app.get_experiment("guide-first").previews)
        return run(*arguments)

    run = saga.run
    monkeypatch.setattr(saga, "run", spy)
    app.preview("guide-first", "guide", ["visitor-7"], "curator")
    assert kept == [None]
    assert app.get_experiment("guide-first").previews == {"guide": ["visitor-7"]}
    assert Ledger(museum).audit[-1] == "operation_applied"
    assert "previews_set" in Ledger(museum).audit


def test_a_preview_made_taken_back_and_made_again_is_there(museum: Museum, terminal: Terminal) -> None:
    """All within a second, in which two plans of the same steps would have one digest."""
    drafted(museum.app())
    for arguments in (["guide", "visitor-7"], [], ["guide", "visitor-7"], [], ["guide", "visitor-7"]):
        assert terminal("preview", "guide-first", *arguments)[0] == 0
        assert ("guide-first:preview:guide" in rules_of(museum)) == bool(arguments)


def test_a_launch_keeps_the_previews_that_a_draft_had(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    drafted(app)
    terminal("preview", "guide-first", "guide", "visitor-7")
    app.apply_plan(agreed(app, "guide-first", "launch"))
    assert rules_of(museum) == ["guide-first:preview:guide", "guide-first"]
    assert Ledger(museum).faults() == []
    assert terminal("preview", "guide-first", "control", "visitor-8")[0] == 0
    assert rules_of(museum) == ["guide-first:preview:control", "guide-first:preview:guide", "guide-first"]
    assert terminal("preview", "guide-first")[0] == 0
    assert rules_of(museum) == ["guide-first"]
    assert Ledger(museum).faults() == []


def test_a_failed_launch_leaves_the_preview_of_the_draft_as_it_was(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    drafted(app)
    terminal("preview", "guide-first", "guide", "visitor-7")
    before = json.loads(museum.flags.read_text())["features"]
    digest = agreed(app, "guide-first", "launch")
    lock = museum.texts.with_name("gallery.json.lock")
    lock.mkdir(parents=True)  # which lets the document be read, and not be written
    answer = app.apply_plan(digest)
    assert (answer.status, answer.state) == ("undone", "draft")
    assert json.loads(museum.flags.read_text())["features"] == before
    assert Ledger(museum).faults() == []


def test_a_pause_closes_previews_too_and_explain_says_so(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    launched(app)
    terminal("preview", "guide-first", "guide", "visitor-7")
    app.apply_plan(agreed(app, "guide-first", "pause"))
    assert rules_of(museum) == []
    assert "the experiment is paused" in terminal("explain", "guide-first", "visitor-7")[1]
    app.apply_plan(agreed(app, "guide-first", "resume"))
    assert rules_of(museum) == ["guide-first:preview:guide", "guide-first"]
    terminal("stop", "guide-first")
    assert "the experiment is stopped" in terminal("explain", "guide-first", "visitor-7")[1]
    assert museum.app().get_experiment("guide-first").previews is None


def test_a_preview_that_cannot_be_made_changes_nothing(museum: Museum, terminal: Terminal) -> None:
    app = museum.app()
    drafted(app)
    assert "nearest: guide" in terminal("preview", "guide-first", "giude", "visitor-7")[2]
    assert terminal("preview", "guide-first", "guide")[0] == 1
    assert terminal("preview", "guide-first", "guide", *map(str, range(101)))[0] == 1
    museum.flags.parent.mkdir(parents=True)
    museum.flags.write_text("no JSON")
    code, out, err = terminal("preview", "guide-first", "guide", "visitor-7")
    assert (code, out) == (1, "")
    assert "does not hold a JSON object" in err
    assert museum.app().get_experiment("guide-first").previews is None
    museum.flags.unlink()
    assert Ledger(museum).faults() == []


def test_a_preview_of_what_is_stopped_is_refused_with_the_reason(museum: Museum, terminal: Terminal) -> None:
    launched(museum.app())
    terminal("stop", "guide-first")
    code, _, err = terminal("preview", "guide-first", "guide", "visitor-7")
    assert code == 1
    assert "guide-first is stopped, so it cannot preview." in err
    assert museum.app().get_experiment("guide-first").previews is None


def test_a_preview_of_what_runs_changes_its_test_units_and_nothing_else(museum: Museum, terminal: Terminal) -> None:
    """Neither a holdout nor a production value that changed since goes live with it."""
    file = museum.own_catalogue()
    launched(museum.app())
    before, texts = Ledger(museum).flag_rules, json.loads(museum.texts.read_text())
    file.write_text(
        file.read_text()
        + "holdouts:\n  late: { description: Few., surfaces: [gallery], share: 0.2, salt: late-1, ends: 2100-01-01 }\n"
    )
    museum.texts.write_text(json.dumps({**texts, "parameters": {"works_per_page": 20, "guide_first": True}}))
    features = json.loads(museum.flags.read_text())["features"]
    code, _, err = terminal("preview", "guide-first", "guide", "visitor-7")
    assert code == 0, err
    assert Ledger(museum).flag_rules[1:] == before
    assert rules_of(museum) == ["guide-first:preview:guide", "guide-first"]
    after = json.loads(museum.flags.read_text())["features"]
    assert {name: {**each, "rules": []} for name, each in after.items()} == {
        name: {**each, "rules": []} for name, each in features.items()
    }
    assert terminal("preview", "guide-first", "control", "visitor-7")[0] == 0
    assert rules_of(museum) == ["guide-first:preview:control", "guide-first"]


def test_a_preview_of_what_runs_and_is_gone_from_its_backend_is_refused(museum: Museum, terminal: Terminal) -> None:
    launched(museum.app())
    museum.flags.unlink()
    code, _, err = terminal("preview", "guide-first", "guide", "visitor-7")
    assert code == 1
    assert "its entry is gone from flags/payload" in err


def test_explain_tells_what_was_delivered_whatever_became_of_the_catalogue(museum: Museum, terminal: Terminal) -> None:
    file = museum.own_catalogue()
    launched(museum.app())
    units = [f"visitor-{number}" for number in range(12)]
    before = [terminal("explain", "guide-first", unit)[1] for unit in units]
    text = file.read_text()
    late = "{ description: Few, surfaces: [gallery], share: 0.2, salt: late-1, ends: 2100-01-01 }"
    file.write_text(f"{text}holdouts:\n  late:\n    {late}\n")
    museum.texts.write_text(json.dumps({**json.loads(museum.texts.read_text()), "parameters": {"guide_first": True}}))
    assert [terminal("explain", "guide-first", unit)[1] for unit in units] == before
    file.write_text(text.replace("  gallery:", "  hall:"))
    assert [terminal("explain", "guide-first", unit)[1] for unit in units] == before
    assert terminal("preview", "guide-first", "guide", "visitor-3")[0] == 0
    assert "gets guide: named test unit" in terminal("explain", "guide-first", "visitor-3")[1]
    assert terminal("stop", "guide-first")[0] == 0
    assert "the experiment is stopped" in terminal("explain", "guide-first", "visitor-3")[1]


def test_test_units_of_a_variant_that_was_removed_keep_nobody_from_explaining_or_launching(
    museum: Museum, terminal: Terminal
) -> None:
    app = museum.app()
    drafted(app, variants={"guide": {"guide_first": True}, "maps": {"room_order": ["maps", "coins"]}})
    terminal("preview", "guide-first", "maps", "visitor-7")
    app.update_experiment("guide-first", 1, [], {"variants": {"maps": None, "control": {"weight": 0.5}}})
    app.update_experiment("guide-first", 2, [], {"variants": {"guide": {"weight": 0.5}}})
    assert "gets maps: named test unit" in terminal("explain", "guide-first", "visitor-7")[1]  # as it is delivered
    digest = agreed(app, "guide-first", "launch")
    assert "visitor-7" not in app.plan_summary(digest)
    assert app.apply_plan(digest).status == "applied"
    assert "named test unit" not in terminal("explain", "guide-first", "visitor-7")[1]
    assert app.get_experiment("guide-first").previews is None
    assert Ledger(museum).faults() == []


@pytest.mark.parametrize("unit", ["", " ", "a\x1b[2Kb", "\u202eb", "x" * 257])
def test_an_id_that_is_empty_endless_or_cannot_be_seen_is_no_test_unit(
    museum: Museum, terminal: Terminal, unit: str
) -> None:
    drafted(museum.app())
    code, out, err = terminal("preview", "guide-first", "guide", unit)
    assert (code, out) == (1, "")
    assert all(line.isprintable() for line in err.splitlines())
    assert museum.app().get_experiment("guide-first").previews is None


def test_bytes_that_are_no_text_are_refused_by_every_command(museum: Museum, terminal: Terminal) -> None:
    for command in (["preview", "guide-first", "guide"], ["explain", "guide-first"], ["stop"]):
        assert terminal(*command, "\udcff")[0] == 2


def test_a_terminal_without_a_letter_gets_the_rest(museum: Museum) -> None:
    drafted(museum.app())
    environment = {**museum.environment, "PYTHONIOENCODING": "ascii"}
    command = [*COMMAND, "explain", "guide-first", "ü-😀"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("\\xfc-\\U0001f600 gets production values")

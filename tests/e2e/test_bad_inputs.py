"""Wrong words in a call: the reply says what is wrong and what to do, and nothing half-written stays behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError

from crossfade.adapters.catalogue_yaml import YamlCatalogue

from .ledger import Ledger, leftovers
from .museum import Museum, Reply, SetClock, brief, opened, visiting


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


def rows(museum: Museum, table: str) -> int:
    return sum(row["count"] for row in museum.rows(f"SELECT count(*) AS count FROM {table}"))  # noqa: S608


def written(museum: Museum) -> list[str]:
    """What is in the store and below the delivery folder; empty when nothing has been written."""
    tables = ("experiment", "experiment_version", "bucket_range", "plan", "operation", "placement", "audit")
    return [table for table in tables if rows(museum, table)] + [str(path) for path in museum.home.glob("out/**/*.*")]


def require_error(reply: Reply, code: str, at: str = "") -> dict[str, Any]:
    """The error's body, once its two halves say the same and name what a caller needs."""
    assert reply.failed, reply.text
    body = reply.body
    assert body["code"] == code, body
    assert body.get("pointer", "") == at, body
    assert body["message"] in reply.text
    assert isinstance(body["retryable"], bool)
    assert len(reply.text) < 2_000
    return body


UNKNOWN_NAMES: dict[str, tuple[dict[str, Any], str, str, list[str]]] = {
    "surface": ({"surface": "galery"}, "not_found", "/surface", ["gallery"]),
    "experiment to follow": ({"from": "guide-frist"}, "not_found", "/key", []),
    "argument": ({"surfce": "gallery"}, "invalid_arguments", "/surfce", ["surface"]),
}


@pytest.mark.parametrize("what", UNKNOWN_NAMES)
async def test_an_unknown_name_is_answered_with_the_nearest_and_writes_nothing(museum: Museum, what: str) -> None:
    async with visiting(museum, SetClock()) as visitor:
        arguments, code, at, nearest = UNKNOWN_NAMES[what]
        body = require_error(await visitor.call("create_experiment", brief(**arguments)), code, at)
        assert body.get("nearest", []) == nearest
        assert written(museum) == []
        assert await visitor.works()


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown metric": ({"success_metrics": {"ticket_rat": 0.02}}, "metrics.known", "/metrics/ticket_rat"),
    "an unknown attribute": ({"audience": {"cuntry": "NL"}}, "audience.attributes_known", "/audience/cuntry"),
    "a value that never occurs": ({"audience": {"country": "XX"}}, "audience.values_known", "/audience/country"),
    "an unknown parameter": (
        {"variants": {"guide": {"guide_frist": True}}},
        "payload.known_parameters",
        "/variants/guide/parameters/guide_frist",
    ),
    "weights of 0.9 and 0.9": (
        {"more": {"variants": {"control": {"weight": 0.9}, "guide": {"weight": 0.9}}}},
        "weights.sum_to_one",
        "/variants",
    ),
    "weights beyond all numbers": (
        {"more": {"variants": {"control": {"weight": 1e308}, "guide": {"weight": 1e308}}}},
        "weights.sum_to_one",
        "/variants",
    ),
    "one variant": ({"more": {"variants": {"control": None}}}, "variants.count", "/variants"),
    "two controls": ({"more": {"variants": {"guide": {"control": True}}}}, "variants.one_control", "/variants"),
    "a value of the wrong type": (
        {"variants": {"guide": {"guide_first": "maybe"}}},
        "payload.schema",
        "/variants/guide/parameters/guide_first",
    ),
    "a value outside its enumeration": (
        {"variants": {"guide": {"room_order": ["masters", "cions"]}}},
        "payload.schema",
        "/variants/guide/parameters/room_order/1",
    ),
    "a value out of range": (
        {"variants": {"guide": {"works_per_page": 1_000}}},
        "payload.schema",
        "/variants/guide/parameters/works_per_page",
    ),
    "an impossible audience": (
        {"audience": {"visits": {"gte": 10, "lt": 5}}},
        "audience.satisfiable",
        "/audience/visits",
    ),
    "an audience of nobody": (
        {"audience": {"country": {"not": ["NL", "BE", "DE", "FR"]}}},
        "audience.satisfiable",
        "/audience/country",
    ),
    "an allocation of 1.5": ({"allocation": 1.5}, "allocation.share", "/allocation"),
    "an allocation of nothing": ({"allocation": 0}, "allocation.share", "/allocation"),
    "an effect too small to count": ({"success_metrics": {"ticket_rate": 1e-300}}, "power.sufficient", "/design"),
    "a run of a billion years": ({"duration_days": 10**15}, "duration.possible", "/design/days"),
    "a start in the past": ({"start": "0001-01-01"}, "schedule.start_not_past", "/schedule/start"),
    "power next to certainty": ({"more": {"design": {"power": 1 - 1e-16}}}, "power.sufficient", "/design"),
    "alpha next to nothing": ({"more": {"design": {"alpha": 1e-300}}}, "power.sufficient", "/design"),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_a_faulty_draft_is_kept_with_its_finding_and_cannot_be_launched(museum: Museum, what: str) -> None:
    arguments, code, at = FAULTS[what]
    if code == "power.sufficient":  # a design that the server chooses itself would hide it
        arguments = {"duration_days": 14, **arguments}
    async with visiting(museum, SetClock()) as visitor:
        reply = await visitor.draft("guide-first", **arguments)
        assert reply.body["ready"] is False
        assert code in reply.codes(), reply.text
        found = next(finding for finding in reply.body["findings"] if finding["code"] == code and finding["at"] == at)
        assert found["message"]
        assert reply.body["next"].startswith('update_experiment(key="guide-first", version=1')
        plan = await visitor.call("plan_change", key="guide-first", change="launch")
        assert (plan.body["ready"], plan.body.get("digest")) == (False, None)
        assert (rows(museum, "plan"), rows(museum, "bucket_range")) == (0, 0)
        assert leftovers(museum) == []


async def test_all_wrong_arguments_are_told_at_once_and_the_call_that_the_reply_offers_has_the_numbers(
    museum: Museum,
) -> None:
    async with visiting(museum, SetClock()) as visitor:
        wrong: dict[str, object] = {
            "allocation": "30%",
            "duration_days": "2 weeks",
            "success_metrics": {"ticket_rate": "2 %"},
        }
        reply = await visitor.call("create_experiment", {**brief(), **wrong})
        assert reply.body["code"] == "invalid_arguments"
        told = [reply.body["pointer"], *(line.partition(":")[0] for line in reply.body["more"])]
        assert told == ["/success_metrics/ticket_rate", "/allocation", "/duration_days"]
        drafted = await visitor.paste(reply.body["next"])
        assert drafted.body["ready"], drafted.text
        others = {"change": "", "start": "tomorrow", "key": "Not a key", "allocation": "some"}
        reply = await visitor.call("create_experiment", {**brief(), **others})
        assert len(reply.body["more"]) == 3
        strange: dict[str, object] = {"success_metrics": {"a/b": "2%", "c": "some"}}
        assert (await visitor.call("create_experiment", {**brief(), **strange})).body["code"] == "invalid_arguments"


async def test_names_that_were_nearly_right_are_mended_by_the_call_that_the_reply_offers(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        reply = await visitor.draft(
            success_metrics={"ticket_rat": 0.02}, audience={"cuntry": "NL"}, variants={"guide": {"guide_frist": True}}
        )
        assert [finding["nearest"] for finding in reply.body["findings"] if finding.get("nearest")] != []
        mended = await visitor.paste(reply.body["next"])
        assert mended.body["ready"], mended.text


UNREADABLE: dict[str, tuple[dict[str, Any], str, str]] = {
    "a text of 1 MB": ({"change": "x" * 1_000_000}, "too_long", "/change"),
    "texts of 1 MB in all": ({"more": {"tags": ["x" * 1_000] * 1_000}}, "too_large", ""),
    "a long text in a document": ({"more": {"links": {"log": "x" * 5_000}}}, "too_long", "/more/links/log"),
    "a lone surrogate": ({"because": "\ud800"}, "bad_text", "/because"),
    "a NUL": ({"owner": "a\0b"}, "bad_text", "/owner"),
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_what_cannot_be_stored_is_refused_at_its_place_and_writes_nothing(museum: Museum, what: str) -> None:
    async with visiting(museum, SetClock()) as visitor:
        arguments, code, at = UNREADABLE[what]
        require_error(await visitor.call("create_experiment", brief(**arguments)), code, at)
        assert written(museum) == []
        assert await visitor.works()


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(depth):
        inner = {"a": inner}
    return inner


@pytest.mark.parametrize("depth", [40, 150])
@pytest.mark.parametrize("tool", ["create_experiment", "validate_experiment"])
async def test_a_document_that_is_nested_too_deep_is_refused(museum: Museum, depth: int, tool: str) -> None:
    async with visiting(museum, SetClock()) as visitor:
        arguments = brief(more=nested(depth)) if tool == "create_experiment" else {"spec": nested(depth)}
        reply = await visitor.call(tool, arguments)
        assert reply.failed
        assert reply.body["code"] == "too_deep"
        assert len(reply.text) < 2_000
        assert written(museum) == []
        assert await visitor.works()


TEXTS: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "find_surfaces": lambda text: ("find_surfaces", {"query": text}),
    "find_experiments": lambda text: ("find_experiments", {"query": text}),
    "find_experiments by owner": lambda text: ("find_experiments", {"owner": text}),
    "find_experiments from a cursor": lambda text: ("find_experiments", {"cursor": text}),
    "find_surfaces from a cursor": lambda text: ("find_surfaces", {"cursor": text}),
    "get_experiment": lambda text: ("get_experiment", {"key": text}),
    "update_experiment": lambda text: ("update_experiment", {"key": "guide-first", "version": 1, "fixes": [text]}),
    "plan_change": lambda text: ("plan_change", {"key": text, "change": "launch"}),
    "plan_change with a change": lambda text: ("plan_change", {"key": "guide-first", "change": text}),
    "apply_plan": lambda text: ("apply_plan", {"digest": text}),
}
NONSENSE = {
    "nothing": "",
    "1 MB": "x" * 1_000_000,
    "60 KB": "x" * 60_000,
    "5,000 words": "a " * 5_000,
    "a lone surrogate": "\ud800",
    "a NUL": "a\0b",
    "a wildcard": "%_*?[",
    "a quote": "'; DROP TABLE experiment; --",
    "a path": "../../etc/passwd",
    "brackets": "[" * 1_000,
}


@pytest.mark.parametrize("what", NONSENSE)
async def test_no_text_makes_a_tool_fail_inside_or_answer_at_length(museum: Museum, what: str) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        for asked in TEXTS.values():
            tool, arguments = asked(NONSENSE[what])
            reply = await visitor.call(tool, arguments)
            assert reply.body.get("code") != "internal", (tool, reply.text)
            assert len(reply.text) < 4_000, (tool, len(reply.text))
        assert await visitor.works()


@pytest.mark.parametrize("version", [0, -1, 2, 2**63, 10**40])
async def test_a_version_that_never_was_is_refused(museum: Museum, version: int) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        read = await visitor.call("get_experiment", key="guide-first", version=version)
        assert read.body["code"] in ("not_found", "invalid_arguments")
        changed = await visitor.call(
            "update_experiment", key="guide-first", version=version, changes={"allocation": 0.2}
        )
        assert changed.body["code"] in ("conflict", "invalid_arguments")
        assert (await visitor.call("get_experiment", key="guide-first")).body["version"] == 1


@pytest.mark.parametrize("cursor", ["W10", "bnVsbA", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwiayJd", "é", "W" * 10_000])
async def test_a_cursor_that_no_reply_gave_is_refused(museum: Museum, cursor: str) -> None:
    async with visiting(museum, SetClock()) as visitor:
        reply = await visitor.call("find_experiments", cursor=cursor)
        require_error(reply, "invalid", "/cursor")


async def test_an_unknown_tool_is_answered_with_the_nearest(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        with pytest.raises(MCPError, match="find_surfaces"):
            await visitor.call("find_surface")
        assert await visitor.works()


async def test_a_document_full_of_faults_is_answered_in_one_short_reply(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        crowds: dict[str, dict[str, Any]] = {
            "fields": {"more": {f"field{number}": 1 for number in range(1_500)}},
            "attributes": {"audience": {f"country{number}": "NL" for number in range(1_200)}},
            "values": {"audience": {"country": [f"X{number}" for number in range(2_500)]}},
            "metrics": {"success_metrics": {f"ticket_rat{number}": None for number in range(1_000)}},
        }
        for name, arguments in crowds.items():
            reply = await visitor.draft(name, **arguments)
            assert reply.body["ready"] is False
            assert len(reply.text) < 4_000, (name, len(reply.text))


async def test_an_audience_that_overlaps_another_in_its_layer_still_shares_no_bucket(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        for key, audience in {
            "guide-nl": {"country": "NL"},
            "guide-all": {},
            "guide-be": {"country": ["NL", "BE"]},
        }.items():
            applied = await visitor.launch(key, audience=audience, duration_days=28)
            assert applied.body["status"] == "applied", applied.text
        ledgers = [Ledger(museum, key) for key in ("guide-nl", "guide-all", "guide-be")]
        assert [ledger.faults() for ledger in ledgers] == [[], [], []]
        assert [ledger.held for ledger in ledgers] == [[(0, 3_000)], [(3_000, 6_000)], [(6_000, 9_000)]]
        full = await visitor.draft("guide-too", duration_days=28)
        assert full.codes() == ["allocation.available"]
        assert "10 % free" in full.finding("allocation.available")["message"]


async def test_a_broken_catalogue_is_told_with_file_and_line_and_read_again_once_it_is_mended(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = YamlCatalogue.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "recheck", 0.0)
    file = museum.own_catalogue()
    whole = file.read_text()
    file.write_text(whole.replace("better: up", "better: sideways", 1) + "\nsurfaces: [")
    async with visiting(museum, SetClock()) as visitor:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("find_surfaces", {"query": "gallery"}),
            ("create_experiment", brief()),
            ("validate_experiment", {"spec": {}}),
        ]
        for tool, arguments in calls:
            body = require_error(await visitor.call(tool, arguments), "catalogue_broken")
            assert any("catalogue.yaml:" in line for line in body["got"])
            assert body["next"]
        assert (await visitor.call("find_experiments")).body["experiments"] == []
        file.write_text(whole)
        assert (await visitor.call("find_surfaces", query="gallery")).body["best"]["key"] == "gallery"
        assert (await visitor.launch()).body["status"] == "applied"
        file.write_text("metrics: {")
        read = await visitor.call("get_experiment", key="guide-first")
        assert read.body["state"] == "running"
        paused = await visitor.call("apply_plan", digest=await visitor.planned(change="pause"))
        assert (paused.body["status"], paused.body["state"]) == ("applied", "paused")
        resumed = await visitor.call("plan_change", key="guide-first", change="resume")
        assert resumed.body["code"] == "catalogue_broken"
    assert Ledger(museum).faults() == []

"""The whole way with the documents in etcd and in S3: launch, drift, the kill switch, and a place that is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..contract.backends import Subject, subject_of
from ..servers.starting import free_port
from .museum import Museum, SetClock, launched, opened, visiting

pytestmark = pytest.mark.backends
KEY = "guide-first"


@dataclass
class Elsewhere:
    museum: Museum
    flags: Subject
    texts: Subject

    def name(self) -> None:
        """Write the catalogue with the settings as they are now."""
        file = self.museum.own_catalogue()
        text = file.read_text()
        for kind, path, subject in (
            ("growthbook_file", "out/flags/flags.json", self.flags),
            ("parameters_folder", "out/texts", self.texts),
        ):
            before = f"kind: {kind}, settings: {{ path: {path} }}"
            assert before in text
            text = text.replace(before, f"kind: {subject.backend.kind}, settings: {json.dumps(subject.settings)}")
        file.write_text(text)


@pytest.fixture(params=["etcd", "s3"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Elsewhere]:
    with ExitStack() as stack:
        flags, texts = (
            stack.enter_context(subject_of(f"{kind}_{request.param}", tmp_path))
            for kind in ("growthbook", "parameters")
        )
        made = Elsewhere(opened(tmp_path), flags, texts)
        made.name()
        yield made


def rules(payload: dict[str, Any]) -> list[str]:
    return [rule["id"] for feature in payload["features"].values() for rule in feature.get("rules", ())]


async def test_a_launch_and_a_stop_through_a_client_write_and_clear_both_documents(elsewhere: Elsewhere) -> None:
    async with visiting(elsewhere.museum, SetClock()) as visitor:
        reply = await visitor.launch()
        assert reply.body["status"] == "applied", reply.text
        assert rules(elsewhere.flags.parsed()) == [KEY]
        documents = elsewhere.texts.backend.entries(elsewhere.texts.settings)
        assert documents == [("gallery", KEY)]
        stopped = await visitor.call("apply_plan", digest=await visitor.planned(KEY, "stop"))
        assert stopped.body["status"] == "applied", stopped.text
    assert elsewhere.flags.parsed()["features"] == {}
    assert elsewhere.texts.backend.entries(elsewhere.texts.settings) == []
    assert not elsewhere.museum.out.exists()


def test_what_somebody_changes_there_is_seen_and_the_kill_switch_works_all_the_same(elsewhere: Elsewhere) -> None:
    app = elsewhere.museum.app(SetClock())
    launched(app)
    assert app.get_experiment(KEY).findings in (None, [])
    elsewhere.flags.put(elsewhere.flags.held().replace(b'"coverage": 1.0', b'"coverage": 0.5'))
    assert [each.code for each in app.get_experiment(KEY).findings or []] == ["delivery.drifted"]
    assert app.stop(KEY).status == "applied"
    assert rules(elsewhere.flags.parsed()) == []


async def test_a_place_that_is_away_is_said_and_nothing_is_half_done(elsewhere: Elsewhere) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    held = dict(elsewhere.texts.settings)
    elsewhere.texts.settings |= {"endpoints": [away]} if "endpoints" in held else {"endpoint": away}
    elsewhere.name()
    async with visiting(elsewhere.museum, SetClock()) as visitor:
        await visitor.draft()
        reply = await visitor.call("plan_change", key=KEY, change="launch")
        assert not reply.body.get("ready")
        assert "etcd cannot be reached" in reply.text or "S3 gave no whole answer" in reply.text
    assert elsewhere.flags.raw() is None


def test_the_doctor_looks_at_a_place_and_says_what_is_there(elsewhere: Elsewhere) -> None:
    app = elsewhere.museum.app(SetClock())
    launched(app)
    found = app.health().backends
    assert [(each.works, each.reachable, each.authorised, each.owner) for each in found] == [
        (True, True, True, "ours")
    ] * 2
    in_etcd = "etcd" in elsewhere.flags.backend.kind
    assert all((each.version is not None) == in_etcd for each in found)

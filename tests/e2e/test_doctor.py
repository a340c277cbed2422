"""`crossfade doctor` and the resource of a backend tell what works, what is missing and what to do."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import ResourceTemplateReference, TextResourceContents

from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.parameters import Parameters
from crossfade.core.app import health
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.services import Services
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendDenied, BackendFailed, BackendUnready, StoreUnavailable
from crossfade.core.model.brief import Brief
from crossfade.core.ports.backend import Probe
from crossfade.core.ports.store import Due
from crossfade.server.cli.doctor_lines import health_lines
from crossfade.server.cli.main import main
from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.unopened import UnopenedStore

from ..servers.proxy import Fault, FaultProxy
from .killing import Around
from .museum import CATALOGUE

pytestmark = pytest.mark.file_store("its store is a file that the test opens, spoils or names")
BRIEF: dict[str, Any] = {
    "key": "guide",
    "surface": "gallery",
    "change": "The audio guide comes first",
    "because": "Visitors do not find the guide",
    "variants": {"guide": {"guide_first": True}},
    "success_metrics": {"ticket_rate": None},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    monkeypatch.setenv("CROSSFADE_CATALOGUE", str(CATALOGUE))
    return tmp_path


def launched(app: Crossfade) -> str:
    """The plan's digest."""
    app.create_experiment(Brief.read(BRIEF))
    digest = app.plan_change("guide", "launch").digest
    assert digest is not None
    app.approve(digest, approved=True, assurance="terminal", by="curator")
    assert app.apply_plan(digest).status == "applied"
    return digest


def told(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    code = main(["doctor", *more])
    return code, capsys.readouterr().out


def test_a_home_that_was_never_used_works(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys)
    assert code == 0, text
    assert text.splitlines()[-1] == "everything works"
    assert "open/flags (growthbook_file)" in text
    assert "no store's yet" in text
    assert "tested on the system itself" in text


def test_the_json_says_the_same(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "--json")
    found = json.loads(text)
    assert (code, found["works"]) == (0, True)
    assert [(each["environment"], each["name"]) for each in found["backends"]] == [("open", "flags"), ("open", "texts")]
    assert all(each["reachable"] and each["authorised"] and each["owner"] == "nobody" for each in found["backends"])
    assert "null" not in text.replace('"null"', "")


def test_a_store_that_cannot_be_opened_hides_nothing_else(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "crossfade.db").write_text("no database, and long enough to be seen to be none " * 30)
    code, text = told(capsys)
    assert code == 1
    assert text.startswith("FAILS  store ")
    assert "works  catalogue" in text
    assert "works  open/flags" in text


def test_a_broken_catalogue_is_told_line_by_line(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSFADE_CATALOGUE", str(home / "catalogue"))
    (home / "catalogue").mkdir()
    (home / "catalogue" / "a.yaml").write_text("surfaces: 3\n")
    code, text = told(capsys)
    assert code == 1
    assert "FAILS  catalogue" in text
    assert "a.yaml" in text


def test_documents_of_another_store_are_told_with_the_way_out(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = home / "out/flags/flags.json"
    flags.parent.mkdir(parents=True)
    flags.write_text(json.dumps({"features": {}, "crossfade": {"owner": "0" * 8}}))
    code, text = told(capsys)
    assert code == 1
    assert "payload belongs to the store 00000000" in text
    assert "adopt" in text


def test_a_backend_that_is_ours_says_so(app: Crossfade) -> None:
    launched(app)
    assert {each.name: each.owner for each in app.health().backends} == {"flags": "ours", "texts": "ours"}


def test_a_backend_that_does_not_answer_is_told_by_where_the_way_ends(app: Crossfade, proxy: FaultProxy) -> None:
    proxy.inject(Fault("broken", times=100))
    failing = app.health()
    assert not failing.works
    assert {(each.works, each.reachable, each.authorised) for each in failing.backends} == {(False, None, None)}
    proxy.close()
    for each in app.health().backends:
        assert (each.works, each.reachable, each.authorised) == (False, False, None)
        assert each.next


def test_a_secret_that_is_missing_is_told_and_what_to_do(app: Crossfade) -> None:
    class Unset(Around):
        def probe(self, settings: JsonObject) -> Probe:
            raise BackendUnready("The secret of this backend is not set.", next="Set TEXTS_TOKEN.", got="TEXTS_TOKEN")

    backends = {kind: Unset(each) for kind, each in app.dependencies.backends.items()}
    found = Crossfade(replace(app.dependencies, backends=backends)).health().backends[1]
    assert (found.works, found.reachable, found.next) == (False, None, "Set TEXTS_TOKEN.")


def test_backends_are_asked_side_by_side(app: Crossfade) -> None:
    both = threading.Barrier(2, timeout=10)

    class Together(Around):
        def probe(self, settings: JsonObject) -> Probe:
            both.wait()
            return Probe(ours=True, strangers={})

    backends = {kind: Together(each) for kind, each in app.dependencies.backends.items()}
    found = Crossfade(replace(app.dependencies, backends=backends)).health().backends
    assert [(each.name, each.works) for each in found] == [("flags", True), ("texts", True)]


def test_a_backend_that_hangs_keeps_no_other_waiting(app: Crossfade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.3)
    for_ever = threading.Event()

    class Hanging(Around):
        def probe(self, settings: JsonObject) -> Probe:
            for_ever.wait(30)
            raise AssertionError

    backends = {
        kind: Hanging(each) if "parameters" in kind else each for kind, each in app.dependencies.backends.items()
    }
    asked = Crossfade(replace(app.dependencies, backends=backends))
    assert [(each.name, each.works) for each in asked.health().backends] == [("flags", True), ("texts", False)]
    told = asked.backend_document("texts")
    assert "did not answer within" in json.dumps(told)
    for_ever.set()


def test_whose_a_document_is_stays_open_without_a_store(app: Crossfade) -> None:
    launched(app)
    closed = UnopenedStore(StoreUnavailable("It is shut."))
    found = Crossfade(replace(app.dependencies, store=closed)).health()
    assert (found.store.works, found.sweeper.works, found.changes.works) == (False, False, False)
    assert {each.owner for each in found.backends} == {None}


async def test_a_client_reads_a_backend_and_completes_its_name(app: Crossfade) -> None:
    async with Client(CrossfadeServer(Services(lambda: app))) as client:
        read = (await client.read_resource("backend://texts")).contents[0]
        assert isinstance(read, TextResourceContents)
        body = json.loads(read.text)
        assert body["environments"]["open"]["works"] is True
        template = ResourceTemplateReference(uri="backend://{name}")
        assert (await client.complete(template, {"name": "name", "value": "t"})).completion.values == ["texts"]
        with pytest.raises(Exception, match=r"no such backend\. Nearest: flags"):
            await client.read_resource("backend://flag")


def test_people_are_told_where_the_way_to_a_backend_ends(app: Crossfade, proxy: FaultProxy) -> None:
    proxy.close()
    lines = list(health_lines(app.health(), "s", "c"))
    assert "FAILS  open/flags (growthbook_served): not reachable" in lines
    assert lines[-1] == "something does not work: see FAILS"


def test_a_system_that_lets_nobody_in_is_reachable(app: Crossfade) -> None:
    class Shut(Around):
        def probe(self, settings: JsonObject) -> Probe:
            raise BackendDenied("It does not know the token.", got={"status": 401})

    backends = {kind: Shut(each) for kind, each in app.dependencies.backends.items()}
    found = Crossfade(replace(app.dependencies, backends=backends)).health()
    assert {(each.reachable, each.authorised) for each in found.backends} == {(True, False)}
    assert "FAILS  open/texts (parameters_served): reachable, not authorised" in list(health_lines(found, "s", "c"))


def test_a_backend_that_was_never_tried_for_real_is_called_contract_tested(app: Crossfade) -> None:
    for each in app.dependencies.backends.values():
        assert isinstance(each, GrowthbookPayload | Parameters)
        each.promises = replace(each.promises, proof="contract", calls_a_minute=60)
    lines = list(health_lines(app.health(), "s", "c"))
    assert "         promises compare-and-swap, whole writes, 60 calls a minute, contract-tested" in lines


def test_what_is_due_and_carried_out_by_nobody_is_a_fault(app: Crossfade) -> None:
    digest, past = launched(app), datetime.now(UTC) - timedelta(hours=1)
    with app.dependencies.store.write() as tx:
        tx.set_agenda("guide", [Due(key="guide", kind="end", at=past, handle=digest, again=past)])
    sweeper = app.health().sweeper
    assert (sweeper.works, sweeper.told) == (False, "no sign of life yet, and 1 due")
    assert sweeper.next == "Run `crossfade serve`, or `crossfade tick` from cron."
    app.beat("server", 15)
    assert app.health().sweeper.works


def test_a_change_that_is_stuck_is_a_fault_until_something_takes_its_place(
    app: Crossfade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BackendFailed("It takes nothing.")

    launched(app)
    assert app.health().changes.works
    for each in app.dependencies.backends.values():
        monkeypatch.setattr(each, "write", refuse)
    assert app.stop("guide").status == "needs_attention"
    monkeypatch.undo()
    lines = list(health_lines(app.health(), "s", "c"))
    assert "FAILS  changes: 1 stuck; users may be served what is half done" in lines
    assert "         stop of guide: flags: It takes nothing." in lines
    assert app.stop("guide").status == "applied"
    assert app.health().changes.works

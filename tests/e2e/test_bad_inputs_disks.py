"""Disks that are full or read-only, the store's and the delivery's apart: said plainly, undone or waited for."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.documents import JsonObject
from crossfade.core.errors import StoreUnavailable
from crossfade.core.ports.backend import Backend

from .killing import Around
from .ledger import Ledger
from .museum import Museum, SetClock, agreed, brief, drafted, launched, opened, visiting, visiting_process

MEGABYTE = 1_048_576


@contextmanager
def mounted(*arguments: str, at: Path) -> Generator[None]:
    """A mount for as long as the block runs; skips where none can be made."""
    at.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        made = subprocess.run(["mount", *arguments, str(at)], capture_output=True, check=False)
        if made.returncode == 0:
            try:
                yield
            finally:
                subprocess.run(["umount", "-l", str(at)], check=True)
            return
    pytest.skip("mounting needs root")


@contextmanager
def small_disk(at: Path) -> Generator[None]:
    with mounted("-t", "tmpfs", "-o", f"size={4 * MEGABYTE}", "tmpfs", at=at):
        yield


@contextmanager
def read_only(folder: Path) -> Generator[None]:
    with mounted("--bind", str(folder), at=folder):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True, capture_output=True)
        yield


def fill(disk: Path) -> Path:
    """Write until nothing more fits; gives back the file whose removal makes room again."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 512, 1):
            with pytest.raises(OSError, match="No space left"):
                _write_until_it_fails(file, b"x" * size)
    return ballast


def _write_until_it_fails(file: FileIO, block: bytes) -> None:
    while True:
        file.write(block)


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


@pytest.fixture
def apart(tmp_path: Path) -> Museum:
    """A museum whose store has a folder of its own, and delivers outside it."""
    (tmp_path / "home").mkdir()
    museum = opened(tmp_path / "home")
    file = museum.own_catalogue()
    (tmp_path / "catalogue").mkdir()
    museum.catalogue = tmp_path / "catalogue"
    text = file.read_text().replace("path: out/", f"path: {tmp_path}/out/")
    (museum.catalogue / "catalogue.yaml").write_text(text)
    museum.out = tmp_path / "out"
    return museum


async def test_a_launch_onto_a_full_disk_is_undone_and_applies_once_there_is_room(museum: Museum) -> None:
    museum.out.mkdir()
    with small_disk(museum.out):
        ballast = fill(museum.out)
        async with visiting(museum, SetClock()) as visitor:
            reply = await visitor.launch()
            assert (reply.body["status"], reply.body["state"]) == ("undone", "draft"), reply.text
            assert "No space is left" in reply.body["reason"]
            assert Ledger(museum).faults() == []
            ballast.unlink()
            reply = await visitor.call("apply_plan", digest=await visitor.planned())
            assert (reply.body["status"], reply.body["state"]) == ("applied", "running")
        assert Ledger(museum).faults() == []


async def test_a_stop_on_a_full_disk_waits_with_the_reason_and_goes_on_once_there_is_room(museum: Museum) -> None:
    museum.out.mkdir()
    with small_disk(museum.out):
        async with visiting(museum, SetClock()) as visitor:
            await visitor.launch()
            before = museum.flags.read_bytes(), museum.texts.read_bytes()
            ballast = fill(museum.out)
            digest = await visitor.planned(change="stop")
            reply = await visitor.call("apply_plan", digest=digest)
            assert (reply.body["status"], reply.body["state"]) == ("needs_attention", "running")
            assert "No space is left" in reply.body["reason"]
            assert (museum.flags.read_bytes(), museum.texts.read_bytes()) == before
            ballast.unlink()
            reply = await visitor.call("apply_plan", digest=digest)
            assert (reply.body["status"], reply.body["state"]) == ("applied", "stopped")
        assert Ledger(museum).faults() == []


async def test_a_launch_onto_a_read_only_disk_is_undone_and_leaves_no_trace(museum: Museum) -> None:
    museum.out.mkdir()
    async with visiting(museum, SetClock()) as visitor:
        with read_only(museum.out):
            reply = await visitor.launch()
            assert (reply.body["status"], reply.body["state"]) == ("undone", "draft"), reply.text
            assert "read-only" in reply.body["reason"]
            assert Ledger(museum).faults() == []
        reply = await visitor.call("apply_plan", digest=await visitor.planned())
        assert reply.body["status"] == "applied"
    assert Ledger(museum).faults() == []


async def test_a_delivery_folder_that_is_a_file_is_told_as_a_fault_of_the_catalogue(museum: Museum) -> None:
    museum.out.mkdir()
    (museum.out / "texts").write_text("not a folder")
    async with visiting(museum, SetClock()) as visitor:
        reply = await visitor.call("create_experiment", brief())
        assert reply.body["code"] == "catalogue_broken"
        assert "environments.open.backends.texts" in reply.text
        assert "lead to a folder" in reply.text
        assert (await visitor.call("find_experiments")).body["experiments"] == []


async def test_a_delivery_folder_that_turns_into_a_file_leaves_the_draft_a_draft(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        museum.out.mkdir()
        (museum.out / "flags").write_text("not a folder")
        reply = await visitor.call("apply_plan", digest=digest)
        assert reply.body["code"] == "backend_failed"
        assert "does not lead to a document" in reply.text
        (museum.out / "flags").unlink()
        assert Ledger(museum).faults() == []
        assert (await visitor.call("apply_plan", digest=digest)).body["status"] == "applied"


@pytest.mark.file_store("its file fills a small disk")
async def test_a_full_store_refuses_writes_as_retryable_and_goes_on_reading(apart: Museum) -> None:
    with small_disk(apart.home):
        async with visiting(apart, SetClock()) as visitor:
            await visitor.draft()
            digest = await visitor.planned()
            ballast = fill(apart.home)
            for tool, arguments in (
                ("create_experiment", brief("guide-other", change="x" * 2_000)),
                ("apply_plan", {"digest": digest}),
            ):
                reply = await visitor.call(tool, arguments)
                assert (reply.body["code"], reply.body["retryable"]) == ("store_unavailable", True), reply.text
                assert "Free space" in reply.body["next"]
            found = await visitor.call("find_experiments")
            assert [line["key"] for line in found.body["experiments"]] == ["guide-first"]
            assert not apart.out.exists() or not any(apart.out.rglob("*.json"))
            ballast.unlink()
            assert (await visitor.call("apply_plan", digest=digest)).body["status"] == "applied"
        assert Ledger(apart).faults() == []


class Interrupting(Around):
    """A backend that lets something happen before its first write."""

    def __init__(self, inner: Backend, happening: Callable[[], object]) -> None:
        super().__init__(inner)
        self._happening: Callable[[], object] | None = happening

    def write(self, settings: JsonObject, document: str, entry: str, **change: Any) -> None:
        happening, self._happening = self._happening, None
        if happening is not None:
            happening()
        super().write(settings, document, entry, **change)


@pytest.mark.file_store("its file fills a small disk")
@pytest.mark.parametrize("kind", ["parameters_folder", "growthbook_file"])
def test_a_store_that_fills_up_during_a_launch_lets_it_go_on_once_there_is_room(apart: Museum, kind: str) -> None:
    with small_disk(apart.home):
        app = apart.app(SetClock())
        digest = agreed(app, drafted(app), "launch")
        backends = dict(app.dependencies.backends)
        backends[kind] = Interrupting(backends[kind], lambda: fill(apart.home))
        interrupted = Crossfade(replace(app.dependencies, backends=backends))
        with pytest.raises(StoreUnavailable):
            interrupted.apply_plan(digest)
        assert interrupted.get_experiment("guide-first").state == "scheduled"
        (apart.home / "ballast").unlink()
        answer = interrupted.apply_plan(digest)
        assert (answer.status, answer.state) == ("applied", "running")
        app.dependencies.store.read()
        assert Ledger(apart).faults() == []


@pytest.mark.file_store("its folder is read-only")
async def test_a_read_only_store_is_read_and_says_what_to_do_about_a_write(apart: Museum) -> None:
    async with visiting(apart, SetClock()) as visitor:
        await visitor.launch()
    with read_only(apart.home):
        async with visiting(apart, SetClock()) as visitor:
            assert (await visitor.call("get_experiment", key="guide-first")).body["state"] == "running"
            reply = await visitor.call("create_experiment", brief("guide-other"))
            assert (reply.body["code"], reply.body["retryable"]) == ("store_unavailable", False), reply.text
            assert "writable" in reply.body["next"]
            stop = await visitor.call("plan_change", key="guide-first", change="stop")
            assert stop.body["code"] == "store_unavailable"
            assert await visitor.works()
    assert Ledger(apart).faults() == []


@pytest.mark.file_store("its folder cannot be made")
async def test_a_home_that_is_a_file_lets_the_server_start_and_work_once_it_is_mended(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("not a folder")
    museum = Museum(home)
    async with visiting(museum, SetClock()) as visitor:
        assert len((await visitor.client.list_tools()).tools) > 5
        reply = await visitor.call("create_experiment", brief())
        assert reply.body["code"] == "store_unavailable"
        assert str(home) in reply.body["message"]
        home.unlink()
        assert (await visitor.launch()).body["status"] == "applied"
    assert Ledger(museum).faults() == []


@pytest.mark.file_store("its file holds something else")
async def test_a_store_that_is_no_database_is_left_as_it_is(museum: Museum) -> None:
    museum.database.write_bytes(b"something else entirely" * 400)
    async with visiting(museum, SetClock()) as visitor:
        reply = await visitor.call("create_experiment", brief())
        assert reply.body["code"] == "store_unavailable"
        assert reply.body["next"].startswith("Restore the file")
    assert museum.database.read_bytes().startswith(b"something else")


@pytest.mark.file_store("its file may not grow")
def test_files_that_may_not_grow_leave_all_as_it_was(museum: Museum) -> None:
    """A limit on the size of files stands for a full disk where nothing can be mounted."""
    app = museum.app(SetClock())
    launched(app)
    drafted(app, "guide-other")
    digest = agreed(app, "guide-other", "launch")
    before = museum.flags.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        with pytest.raises(StoreUnavailable):
            app.apply_plan(digest)
        assert app.get_experiment("guide-other").state == "draft"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert museum.flags.read_bytes() == before
    assert app.apply_plan(digest).status == "applied"
    assert [Ledger(museum, key).faults() for key in ("guide-first", "guide-other")] == [[], []]


@pytest.mark.file_store("its file fills a small disk")
async def test_a_server_process_outlives_a_full_disk(apart: Museum) -> None:
    """Its sweeper meets the full disk as well."""
    apart.lease = 0.1
    with small_disk(apart.home):
        opened(apart.home)
        async with visiting_process(apart) as visitor:
            await visitor.draft()
            ballast = fill(apart.home)
            for number in range(10):
                reply = await visitor.call("create_experiment", brief(f"guide-{number}", change="x" * 2_000))
                assert reply.body["code"] == "store_unavailable"
            ballast.unlink()
            assert (await visitor.launch("guide-late")).body["status"] == "applied"

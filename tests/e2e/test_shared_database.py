"""Several processes on one PostgreSQL database, as on several machines; and what is told when it is out of reach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crossfade.adapters.store.store import open_store

from ..postgresql import URL, PostgresqlServer
from .killing import Nursery
from .ledger import Ledger
from .lines import RawServer
from .museum import COMMAND, NOON, Museum, SetClock, agreed, brief, drafted, opened, visiting, visiting_process

OUT_OF_REACH = "postgresql://ana:hush@127.0.0.1:1/shop"


def migrated(museum: Museum, url: str) -> subprocess.CompletedProcess[str]:
    environment = {**museum.environment, "CROSSFADE_DATABASE_URL": url}
    return subprocess.run([*COMMAND, "migrate"], capture_output=True, text=True, timeout=60, env=environment)


@pytest.fixture
def museum(postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Museum:
    monkeypatch.setenv(URL, postgresql.database())
    return opened(tmp_path)


@pytest.mark.parametrize("point", [5, 9])
def test_what_a_killed_process_began_the_sweeper_of_another_one_finishes(museum: Museum, point: int) -> None:
    museum.lease = 0.3
    app = museum.app(SetClock())
    drafted(app)
    digest = agreed(app, "guide-first", "launch")
    nursery = Nursery()
    life = nursery.live("apply", museum.home, museum.catalogue, NOON, digest=digest, die_at=point)
    nursery.close()
    assert life.killed
    assert Ledger(museum).status == "running"
    server = RawServer(museum)
    assert server.logged("operation_swept")["status"] in ("applied", "undone")
    assert server.close() == 0
    assert Ledger(museum).faults() == []


async def test_what_one_process_launches_another_one_stops(museum: Museum) -> None:
    async with visiting_process(museum) as one, visiting_process(museum) as other:
        assert (await one.launch()).body["status"] == "applied"
        assert Ledger(museum).state == "running"
        digest = await other.planned(change="stop")
        assert (await other.call("apply_plan", digest=digest)).body["status"] == "applied"
        assert (await one.call("get_experiment", key="guide-first")).body["state"] == "stopped"
    assert Ledger(museum).faults() == []
    assert not museum.database.exists()


async def test_a_tool_tells_of_a_database_out_of_reach_without_its_password(
    museum: Museum, capfd: pytest.CaptureFixture[str]
) -> None:
    museum.url = OUT_OF_REACH
    async with visiting(museum, SetClock()) as visitor:
        assert len((await visitor.client.list_tools()).tools) > 5
        reply = await visitor.call("create_experiment", brief())
    assert reply.body["code"] == "store_unavailable"
    assert "CROSSFADE_DATABASE_URL" in reply.body["next"]
    assert "hush" not in reply.text + str(reply.body) + "".join(capfd.readouterr())


def test_a_command_tells_of_a_database_out_of_reach_without_its_password(museum: Museum) -> None:
    done = migrated(museum, OUT_OF_REACH)
    assert done.returncode == 1
    assert "shop on 127.0.0.1 cannot be reached" in done.stderr
    assert "hush" not in done.stdout + done.stderr


def test_the_command_that_migrates_names_no_password(museum: Museum) -> None:
    done = migrated(museum, str(museum.url).replace("crossfade@", "crossfade:hush@"))
    assert (done.returncode, done.stdout) == (0, "The database of CROSSFADE_DATABASE_URL: up to date\n")


def test_a_store_in_a_file_loads_nothing_of_postgresql(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from crossfade.adapters.store.store import open_store;"
        "open_store(Path(sys.argv[1]));"
        "print([name for name in sys.modules if 'psycopg' in name or 'dialects.postgresql' in name])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "store.db")]
    open_store(tmp_path / "store.db").close()  # for a new one Alembic is loaded, which knows all databases
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "[]\n"

"""The same journey with a server in a process of its own, and with a person who answers at a terminal."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from crossfade.core.app.services import Services
from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from .hypotheses import STREAMING
from .journey import MOST_BYTES, MOST_CALLS, Conversation, Person, Product, launch, planned

COMMAND = [sys.executable, "-m", "crossfade.server.cli.main"]
PAYLOAD = "delivery/production/growthbook.json"
SAID = next(said for said in STREAMING if said.surface == "library" and not said.slips)
"""On the one surface without blackouts: a process of its own has the machine's clock."""
READY_WITHIN = 60.0
LOOK_EVERY = 0.05


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "CROSSFADE_HOME": str(home)}


def assert_runs(home: Path, applied: dict[str, Any], talk: Conversation) -> None:
    assert (applied["status"], applied["state"]) == ("applied", "running")
    assert len(talk.calls) <= MOST_CALLS
    assert talk.bytes <= MOST_BYTES
    assert variants_met(home) == {"control", "treatment"}


def variants_met(home: Path) -> set[str]:
    """Variants that the SDK gives out of the payload, by its own tracking."""
    payload: dict[str, Any] = json.loads((home / PAYLOAD).read_bytes())
    [feature] = [name for name, each in payload["features"].items() if each.get("rules")]
    values = Product(payload).values(feature, SAID.listener, [f"unit-{number}" for number in range(300)])
    return {met[1] for met in values if met is not None}


async def test_a_hypothesis_runs_over_stdio(tmp_path: Path) -> None:
    person = Person("accept", approve=True)
    home = tmp_path / "home"
    server = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "serve"], env=environment(home))
    with (tmp_path / "log").open("w") as log:
        async with Client(stdio_client(server, errlog=log), elicitation_callback=person) as client:
            talk = Conversation(client)
            outcome = await launch(talk, SAID)
    assert len(person.asked) == 1
    assert_runs(home, outcome.applied, talk)


@contextmanager
def serving_http(home: Path, log: Path) -> Generator[str]:
    """The address of a server on a free port, for as long as the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [*COMMAND, "serve", "--http", "--port", str(port)]
    with log.open("w") as errors:
        process = subprocess.Popen(command, env=environment(home), stdout=errors, stderr=errors)
    try:
        wait_for(process, port, log)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(READY_WITHIN)


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return once the server takes connections; it has ended if the wait for its end does not time out."""
    for _ in range(round(READY_WITHIN / LOOK_EVERY)):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(LOOK_EVERY)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"the server took no connection:\n{log.read_text()}")


async def test_a_hypothesis_runs_over_http(tmp_path: Path) -> None:
    person = Person("accept", approve=True)
    home = tmp_path / "home"
    with serving_http(home, tmp_path / "log") as address:
        async with Client(address, elicitation_callback=person) as client:
            talk = Conversation(client)
            outcome = await launch(talk, SAID)
    assert len(person.asked) == 1
    assert_runs(home, outcome.applied, talk)


async def test_without_elicitation_a_person_says_yes_at_a_terminal(tmp_path: Path) -> None:
    server = CrossfadeServer(Services(lambda: build(Settings(home=tmp_path), "mcp:test")))
    async with Client(server) as client:
        talk = Conversation(client)
        _, call = await planned(talk, SAID)
        waiting = await talk.paste(call)
        assert (waiting["status"], waiting["state"]) == ("awaiting_approval", "draft")
        assert not (tmp_path / PAYLOAD).exists()

        assert f"CROSSFADE_HOME={tmp_path} " in waiting["next"]
        assert f"crossfade approve {digest_in(call)}`" in waiting["next"]
        code, said = await at_the_terminal(tmp_path, "approve", digest_in(call), "--yes")
        assert code == 0, said
        assert "opens traffic" in said
        assert not (tmp_path / PAYLOAD).exists()

        applied = await talk.paste(call)
    assert "terminal by " in applied["approval"]
    assert (applied["status"], applied["state"]) == ("applied", "running")
    assert variants_met(tmp_path) == {"control", "treatment"}


async def test_without_elicitation_a_no_at_a_terminal_is_final(tmp_path: Path) -> None:
    server = CrossfadeServer(Services(lambda: build(Settings(home=tmp_path), "mcp:test")))
    async with Client(server) as client:
        talk = Conversation(client)
        _, call = await planned(talk, SAID)
        code, said = await at_the_terminal(tmp_path, "approve", digest_in(call), "--decline")
        assert code == 0, said
        applied = await talk.paste(call)
        too_late, _ = await at_the_terminal(tmp_path, "approve", digest_in(call), "--yes")
        still = await talk.paste(call)
    assert too_late == 1
    assert (applied["status"], still["status"], still["state"]) == ("declined", "declined", "draft")
    assert not (tmp_path / PAYLOAD).exists()


async def at_the_terminal(home: Path, *arguments: str) -> tuple[int, str]:
    """(exit code, all that was printed) of a command in a process of its own."""
    done = await anyio.run_process([*COMMAND, *arguments], env=environment(home), stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode()


def digest_in(call: str) -> str:
    return call.split('"')[1]

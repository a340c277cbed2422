"""The demo from start to end: a home that lives as long as it, the journey, a neighbour, and what users get."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from . import screen
from .caller import Caller, Reply, connected
from .journey import HYPOTHESIS, MOST_BYTES, MOST_CALLS, Launch, find, launch_first, launch_second, look
from .person import Person


def run_demo(*, yes: bool) -> int:
    """0 when two experiments were launched and every promise was kept."""
    if find_spec("growthbook") is None:
        print("crossfade: the demo reads what it delivers with the GrowthBook SDK, which is missing", file=sys.stderr)
        print("  next: pip install 'crossfade[demo]', or pip install 'growthbook>=4'", file=sys.stderr)
        return 1
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if callable(reconfigure):
        reconfigure(errors="replace", line_buffering=True)  # whatever the terminal's encoding, and in order with stderr
    with TemporaryDirectory(prefix="crossfade-demo-") as folder:
        return 0 if anyio.run(_demo, Path(folder), Person(yes=yes)) else 1


async def _demo(home: Path, person: Person) -> bool:
    began = time.perf_counter()
    screen.heading("Crossfade demo: from a hypothesis to a running experiment")
    screen.show("A real MCP client talks to `crossfade serve`, a process of its own, over stdio.")
    screen.show(f"Its home is {home}, and is deleted at the end.")
    screen.show(f"\nHypothesis: {HYPOTHESIS}")
    async with connected(home, person) as caller:
        surface = await find(caller)
        first = await launch_first(caller, surface)
        kept = totals(caller.replies, first)
        if not first.applied:
            return not_launched(first, home)
        screen.heading("A second experiment in the same layer (replies cut to a line)")
        second = await launch_second(caller, first.parameter)
        if not second.applied:
            return not_launched(second, home)
        kept = await delivered(caller, home, [first, second]) and kept
    closing(kept, time.perf_counter() - began)
    return kept


def totals(journey: Sequence[Reply], launch: Launch) -> bool:
    """Print what the way to traffic cost; False when it was more than is promised."""
    size, seconds = sum(reply.size for reply in journey), sum(reply.seconds for reply in journey)
    screen.heading("What it took")
    screen.result(len(journey) <= MOST_CALLS, "tool calls", f"{len(journey)} of at most {MOST_CALLS}")
    screen.result(size <= MOST_BYTES, "bytes of results", f"{size:,} of at most {MOST_BYTES:,}")
    screen.result(launch.applied, "status", f"{launch.last.body.get('status', 'never applied')}")
    print(f"       {'time in calls':<28} {seconds:.2f} s")
    return len(journey) <= MOST_CALLS and size <= MOST_BYTES


def not_launched(launch: Launch, home: Path) -> bool:
    files = sorted(file.name for file in (home / "delivery").rglob("*.json"))
    status = launch.last.body.get("status", "no plan")
    print()
    screen.show(f"Not launched: {launch.last.tool} ended with {status}. Delivered files: {', '.join(files) or 'none'}.")
    return False


async def delivered(caller: Caller, home: Path, launches: list[Launch]) -> bool:
    """Print what users get; False when a promise is broken."""
    from .delivered import USERS, Delivery, promises, sdk_name

    first, second = [await look(caller, launch) for launch in launches]
    delivery = Delivery(home)
    file, size = delivery.payload.relative_to(home), delivery.payload.stat().st_size
    screen.heading(f"What {len(USERS):,} users get")
    screen.show(f"{sdk_name()} reads {file} ({size:,} bytes) and decides; no server is asked.")
    found = promises(delivery, delivery.meet(first), delivery.meet(second))
    for promise in found:
        screen.result(promise.kept, promise.what, promise.found)
    return all(promise.kept for promise in found)


def closing(kept: bool, seconds: float) -> None:
    verdict = "Two experiments were launched and every promise was kept" if kept else "A promise was broken (BAD above)"
    screen.heading("That was it")
    screen.show(f"{verdict}; {seconds:.1f} s in all.")
    command = Path(sys.executable).with_name("crossfade")
    shown = str(command) if command.exists() else "crossfade"
    print("\nWhat next")
    print(f"  connect a client     claude mcp add crossfade -- {shown} serve")
    print(f'  or in its settings   {{"mcpServers": {{"crossfade": {{"command": "{shown}", "args": ["serve"]}}}}}}')
    print("  your own surfaces    YAML like examples/streaming: `crossfade check FOLDER`, CROSSFADE_CATALOGUE=FOLDER")
    print("  in your product      examples/app, a service that renders what is delivered and logs exposures")

"""What every backend promises to those who write at once."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendChanged, BackendOwned

from .backends import FILES, Subject, owned_by

COMPOSE = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from crossfade.adapters.all_backends import all_backends
from crossfade.core.errors import BackendChanged
from crossfade.server.clock import SystemClock

kind, settings, document, entries = json.loads(sys.argv[1])
backend = all_backends(SystemClock())[kind]

def put(entry):
    try:
        backend.write(settings, document, entry[0], before=None, after=entry[1], fence=1)
    except BackendChanged:
        return None
    return entry[0]

with ThreadPoolExecutor(8) as pool:
    print(json.dumps([name for name in pool.map(put, entries) if name]))
"""


def test_of_stores_that_race_for_a_new_place_exactly_one_gets_it(subject: Subject) -> None:
    def put(number: int) -> bool:
        store = owned_by(subject, f"{number}")
        try:
            store.write(f"exp-{number}", None, subject.entry(f"exp-{number}", "A"))
        except BackendOwned:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(put, range(8))).count(True) == 1


def composed(subject: Subject, calls: list[list[tuple[str, JsonObject]]]) -> list[str]:
    """The entries that some processes could add, with eight threads each."""
    running: list[subprocess.Popen[str]] = []
    for entries in calls:
        call = json.dumps([subject.backend.kind, subject.settings, subject.document, entries])
        command = [sys.executable, "-c", COMPOSE, call]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    return [name for process in running for name in json.loads(process.communicate(timeout=120)[0])]


def test_processes_with_eight_threads_each_lose_no_entry_and_one_of_them_gets_what_all_want(subject: Subject) -> None:
    # Each takes seconds to import what it needs, and has all of its threads write at once in either case.
    processes, count = (4, 32) if subject.backend.kind in FILES else (2, 16)
    entries = {name: subject.entry(name, name.upper()) for name in (f"exp-{number}" for number in range(count))}
    wanted = [subject.entry("first", f"title {number}") for number in range(processes)]
    if not subject.backend.promises.compare_and_swap:
        wanted[1:] = []  # processes are kept apart by the saga's leases
    calls = [list(entries.items())[at::processes] for at in range(processes)]
    for at, entry in enumerate(wanted):
        calls[at].insert(0, ("first", entry))
    added = composed(subject, calls)
    assert sorted(added) == sorted(["first", *entries])
    assert all(subject.read(name) == entry for name, entry in entries.items())
    assert subject.read("first") in wanted


def test_of_threads_that_race_for_one_entry_exactly_one_wins(subject: Subject) -> None:
    def put(number: int) -> bool:
        try:
            subject.write("first", None, subject.entry("first", f"title {number}"))
        except BackendChanged:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(put, range(8)))
    assert won.count(True) == 1
    assert subject.read("first") == subject.entry("first", f"title {won.index(True)}")

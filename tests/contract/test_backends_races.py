"""What every backend of documents promises to those who write at once."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendChanged, BackendOwned

from .backends import Subject, owned_by

COMPOSE = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from crossfade.adapters.all_backends import all_backends
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendChanged
from crossfade.server.clock import SystemClock

kind, settings, document, entries = json.loads(sys.argv[1])
backend = all_backends(SystemClock())[kind]

def put(entry):
    try:
        backend.write(settings, document, entry[0], before=None, after=entry[1], fence=1)
    except BackendChanged:
        return 0
    return 1

with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(put, entries)))
"""


def test_of_stores_that_race_for_a_new_document_exactly_one_gets_it(subject: Subject) -> None:
    def put(number: int) -> bool:
        store = owned_by(subject, f"{number}")
        try:
            store.write(f"exp-{number}", None, subject.entry(f"exp-{number}", "A"))
        except BackendOwned:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(put, range(8))).count(True) == 1


def composed(subject: Subject, calls: list[list[tuple[str, JsonObject]]]) -> list[int]:
    """How many entries each of some processes could add, with eight threads each."""
    running: list[subprocess.Popen[str]] = []
    for entries in calls:
        call = json.dumps([subject.backend.kind, subject.settings, subject.document, entries])
        command = [sys.executable, "-c", COMPOSE, call]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    return [int(process.communicate(timeout=60)[0]) for process in running]


def test_four_processes_with_eight_threads_each_lose_no_entry(subject: Subject) -> None:
    entries = [(name, subject.entry(name, name.upper())) for name in (f"exp-{number}" for number in range(40))]
    assert composed(subject, [entries[process::4] for process in range(4)]) == [10, 10, 10, 10]
    assert all(subject.read(name) == entry for name, entry in entries)


def test_of_processes_that_race_for_one_entry_exactly_one_wins(subject: Subject) -> None:
    tries = [("first", subject.entry("first", f"title {number}")) for number in range(8)]
    assert sum(composed(subject, [tries[:4], tries[4:]])) == 1
    assert subject.read("first") in [entry for _, entry in tries]


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

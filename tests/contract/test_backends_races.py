"""What every backend of documents promises to those who write at once."""

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


def composed(subject: Subject, calls: list[list[tuple[str, JsonObject]]]) -> list[str]:
    """The entries that some processes could add, with eight threads each."""
    running: list[subprocess.Popen[str]] = []
    for entries in calls:
        call = json.dumps([subject.backend.kind, subject.settings, subject.document, entries])
        command = [sys.executable, "-c", COMPOSE, call]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    return [name for process in running for name in json.loads(process.communicate(timeout=120)[0])]


def test_processes_with_eight_threads_each_lose_no_entry_and_one_of_them_gets_what_all_want(document: Subject) -> None:
    processes = 4 if document.backend.kind in FILES else 2  # each takes seconds to import what it needs
    entries = {name: document.entry(name, name.upper()) for name in (f"exp-{number}" for number in range(32))}
    wanted = [document.entry("first", f"title {number}") for number in range(processes)]
    calls = [[("first", wanted[at]), *list(entries.items())[at::processes]] for at in range(processes)]
    added = composed(document, calls)
    assert sorted(added) == sorted(["first", *entries])
    assert all(document.read(name) == entry for name, entry in entries.items())
    assert document.read("first") in wanted


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

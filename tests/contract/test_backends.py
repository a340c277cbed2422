"""What every backend of documents promises, asked of each adapter in turn."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.adapters.documents import Folder, OneFile
from crossfade.adapters.documents import file as document_file
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.parameters import Parameters
from crossfade.core.documents import JsonObject, same
from crossfade.core.errors import BackendChanged, BackendFailed, BackendOwned
from crossfade.core.model.delivery import Assignment, Content
from crossfade.core.model.plan import BucketRange
from crossfade.core.ports.backend import Assigner, Backend, ContentStore, assigns, holds_content


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 1, 12, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


def assigned(experiment: str, title: str) -> JsonObject:
    """A GrowthBook entry of an experiment that tries a title."""
    return GrowthbookPayload(OneFile(), StoppedClock()).compile_assignment(
        Assignment(
            experiment=experiment,
            surface="home",
            environment="production",
            unit_attribute="user_id",
            layer_seed="home.top",
            ranges=[BucketRange(lo=0, hi=2_500)],
            seed=f"{experiment}.1",
            coverage=1.0,
            variants=["control", "new"],
            weights=[0.5, 0.5],
            parameters={"title": ["For you", title], "rows": [3, 4]},
            production={"title": "For you", "rows": 3},
            audience=[[]],
            exclusions=[],
            previews={"new": ["tester-1"]},
        )
    )


def shown(experiment: str, title: str) -> JsonObject:
    """A parameters entry of an experiment that tries a title."""
    variants: dict[str, JsonObject] = {"control": {"title": "For you"}, "new": {"title": title}}
    return Parameters(Folder()).compile_content(
        Content(experiment=experiment, surface="home", environment="production", variants=variants)
    )


@dataclass
class Subject:
    """One adapter with its settings, the file behind them, and a way to make entries for it."""

    backend: Backend
    settings: JsonObject
    document: str
    file: Path
    entry: Callable[[str, str], JsonObject]

    def read(self, entry: str) -> JsonObject | None:
        return self.backend.read(self.settings, self.document, entry)

    def write(self, entry: str, before: JsonObject | None, after: JsonObject | None, fence: int = 1) -> None:
        self.backend.write(self.settings, self.document, entry, before=before, after=after, fence=fence)

    def parsed(self) -> JsonObject:
        return json.loads(self.file.read_bytes())

    def leftovers(self) -> list[str]:
        return [each.name for each in self.file.parent.iterdir() if each.name.endswith(".tmp")]


def growthbook_file(folder: Path) -> Subject:
    file = folder / "delivery" / "payload.json"
    assigner: Assigner = GrowthbookPayload(OneFile(), StoppedClock())
    return Subject(assigner, {"path": str(file)}, "payload", file, assigned)


def parameters_folder(folder: Path) -> Subject:
    store: ContentStore = Parameters(Folder())
    return Subject(store, {"path": str(folder / "content")}, "home", folder / "content" / "home.json", shown)


SUBJECTS = {"growthbook_file": growthbook_file, "parameters_folder": parameters_folder}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    return SUBJECTS[request.param](tmp_path)


@pytest.fixture
def written(subject: Subject) -> Subject:
    """A subject with one entry, `first`, in place."""
    subject.write("first", None, subject.entry("first", "A"))
    return subject


def test_an_entry_that_nobody_wrote_is_absent_and_nothing_is_made(subject: Subject) -> None:
    assert subject.read("first") is None
    assert not subject.file.parent.exists()


def test_what_was_written_is_read_back(written: Subject) -> None:
    assert written.read("first") == written.entry("first", "A")
    changed = written.entry("first", "B")
    written.write("first", written.entry("first", "A"), changed)
    assert written.read("first") == changed


def test_an_entry_that_was_taken_out_is_absent(written: Subject) -> None:
    written.write("first", written.entry("first", "A"), None)
    assert written.read("first") is None
    assert b"first" not in written.file.read_bytes().replace(b'"first": 1', b"")  # the fence of its last write


@pytest.mark.parametrize("after", ["B", None])
def test_a_write_that_expects_something_else_is_refused(written: Subject, after: str | None) -> None:
    held = written.file.read_bytes()
    wanted = written.entry("first", after) if after else None
    with pytest.raises(BackendChanged) as refused:
        written.write("first", written.entry("first", "Z"), wanted)
    assert written.file.read_bytes() == held
    assert not refused.value.retryable
    shown_difference = json.dumps(refused.value.got)
    assert '\\"Z\\"' in shown_difference
    assert '\\"A\\"' in shown_difference
    assert len(json.dumps(refused.value.as_dict())) < 2_000


@pytest.mark.parametrize("before", ["A", None])
def test_a_write_that_expects_the_wrong_absence_is_refused(subject: Subject, before: str | None) -> None:
    if before is None:
        subject.write("first", None, subject.entry("first", "A"))
    with pytest.raises(BackendChanged):
        subject.write("first", subject.entry("first", before) if before else None, subject.entry("first", "B"))


@pytest.mark.parametrize("there", [True, False])
def test_a_write_under_an_older_fence_is_refused_also_when_the_entry_is_as_it_expects(
    subject: Subject, there: bool
) -> None:
    before, after = (subject.entry("first", "A"), None) if there else (None, subject.entry("first", "A"))
    subject.write("first", None, before, fence=7)
    held = subject.file.read_bytes()
    with pytest.raises(BackendChanged) as refused:
        subject.write("first", before, after, fence=6)
    assert not refused.value.retryable
    assert subject.file.read_bytes() == held
    subject.write("second", None, subject.entry("second", "B"), fence=1)
    subject.write("first", before, after, fence=7)
    assert subject.read("first") == after


def test_a_removal_of_what_is_not_there_keeps_its_fence(subject: Subject) -> None:
    subject.write("first", None, None, fence=3)
    with pytest.raises(BackendChanged):
        subject.write("first", None, subject.entry("first", "A"), fence=2)
    assert subject.read("first") is None


DAY = 24 * 3_600_000


def test_the_fence_of_what_is_gone_is_kept_for_90_days_and_of_what_is_there_for_ever(subject: Subject) -> None:
    for name in ("first", "second", "third"):
        subject.write(name, None, subject.entry(name, "A"), fence=DAY)
    subject.write("first", subject.entry("first", "A"), None, fence=DAY)
    subject.write("third", subject.entry("third", "A"), None, fence=91 * DAY)
    with pytest.raises(BackendChanged):
        subject.write("first", None, subject.entry("first", "A"), fence=DAY - 1)
    subject.write("third", None, subject.entry("third", "A"), fence=92 * DAY)
    assert b'"first"' not in subject.file.read_bytes()
    with pytest.raises(BackendChanged):
        subject.write("second", subject.entry("second", "A"), None, fence=DAY - 1)


ALICE, BOB = "a11ce000-0000-4000-8000-000000000001", "b0b00000-0000-4000-8000-000000000002"


def owned_by(subject: Subject, owner: str) -> Subject:
    """The same documents, seen by another store."""
    backend = GrowthbookPayload(OneFile(), StoppedClock(), lambda: owner)
    return replace(
        subject, backend=backend if subject.backend.kind == backend.kind else Parameters(Folder(), lambda: owner)
    )


def strangers(subject: Subject) -> dict[str, str]:
    assert assigns(subject.backend) or holds_content(subject.backend)
    one, every = (subject.backend.strangers(subject.settings, name) for name in (subject.document, None))
    assert one == every
    return every


def test_the_first_store_that_writes_owns_the_document_and_another_can_only_read(subject: Subject) -> None:
    alice, bob = owned_by(subject, ALICE), owned_by(subject, BOB)
    assert (strangers(alice), strangers(bob)) == ({}, {})
    alice.write("first", None, subject.entry("first", "A"))
    held = subject.file.read_bytes()
    assert (strangers(alice), strangers(bob)) == ({}, {subject.document: ALICE})
    assert bob.read("first") == subject.entry("first", "A")
    for entry, before, after in (("second", None, "B"), ("first", "A", None), ("first", None, "A")):
        with pytest.raises(BackendOwned) as refused:
            bob.write(entry, *(subject.entry(entry, each) if each else None for each in (before, after)), fence=9)
        assert ALICE in refused.value.message
        assert "CROSSFADE_DATABASE_URL" in refused.value.next
        assert not refused.value.retryable
    assert subject.file.read_bytes() == held
    alice.write("first", subject.entry("first", "A"), None)
    assert strangers(bob) == {subject.document: ALICE}


def test_a_document_without_a_mark_is_taken_by_the_next_write(written: Subject) -> None:
    alice, bob = owned_by(written, ALICE), owned_by(written, BOB)
    bob.write("second", None, written.entry("second", "B"))
    assert strangers(alice) == {written.document: BOB}


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


def test_a_document_is_adopted_from_the_owner_that_was_seen_and_from_no_other(subject: Subject) -> None:
    alice, bob = owned_by(subject, ALICE), owned_by(subject, BOB)
    assert assigns(bob.backend) or holds_content(bob.backend)
    alice.write("first", None, subject.entry("first", "A"))
    with pytest.raises(BackendChanged):
        bob.backend.adopt(bob.settings, bob.document, before="c")
    bob.backend.adopt(bob.settings, bob.document, before=ALICE)
    bob.backend.adopt(bob.settings, bob.document, before=ALICE)
    bob.write("first", subject.entry("first", "A"), None, fence=2)
    with pytest.raises(BackendOwned):
        alice.write("second", None, subject.entry("second", "B"))


def test_a_damaged_mark_keeps_nobody_out(written: Subject) -> None:
    alice = owned_by(written, ALICE)
    for damage in (7, "no id at all", None):
        document = written.parsed()
        section: Any = document.get("crossfade", document)
        section["owner"] = damage
        written.file.write_text(json.dumps(document))
        assert strangers(alice) == {}
    alice.write("first", written.entry("first", "A"), None)


def test_a_repeat_changes_nothing(written: Subject) -> None:
    held, inode = written.file.read_bytes(), written.file.stat().st_ino
    written.write("first", None, written.entry("first", "A"))
    assert (written.file.read_bytes(), written.file.stat().st_ino) == (held, inode)
    written.write("first", written.entry("first", "A"), None)
    held, inode = written.file.read_bytes(), written.file.stat().st_ino
    written.write("first", written.entry("first", "A"), None)
    assert (written.file.read_bytes(), written.file.stat().st_ino) == (held, inode)


ALIKE: list[tuple[JsonValue, JsonValue]] = [(1, 1.0), ({"a": 1, "b": []}, {"b": [], "a": 1}), ([None], [None])]
UNLIKE: list[tuple[JsonValue, JsonValue]] = [
    (1, True),
    (0.0, False),
    ([1], [True]),
    ({"a": False}, {"a": 0}),
    ([1, 2], [2, 1]),
    ([1], [1, 1]),
    ({"a": None}, {}),
    ("1", 1),
    (None, False),
    ([], {}),
]


@pytest.mark.parametrize(
    ("one", "other", "equal"), [(*pair, True) for pair in ALIKE] + [(*pair, False) for pair in UNLIKE]
)
def test_entries_are_compared_as_json_and_not_as_python(one: JsonValue, other: JsonValue, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal


def test_other_entries_and_unknown_parts_stay(written: Subject) -> None:
    foreign: JsonObject = {"b": [1, 2.5, None, {"z": 1, "a": "ü"}], "a": 1}
    written.file.write_text(json.dumps({**written.parsed(), "foreign": foreign}))
    written.write("second", None, written.entry("second", "B"))
    written.write("second", written.entry("second", "B"), written.entry("second", "C"))
    assert written.read("first") == written.entry("first", "A")
    written.write("second", written.entry("second", "C"), None)
    assert written.read("first") == written.entry("first", "A")
    kept = written.parsed()["foreign"]
    assert json.dumps(kept) == json.dumps(foreign)  # the order of keys means something in a literal condition


def test_a_person_can_read_the_document(written: Subject) -> None:
    written.write("second", None, written.entry("second", "Für dich"))
    text = written.file.read_text()
    assert text.endswith("}\n")
    assert "Für dich" in text
    assert max(map(len, text.splitlines())) < 120


COMPOSE = """
import json, sys
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from crossfade.adapters.documents import OneFile
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.documents import Folder
from crossfade.adapters.parameters import Parameters

class Clock:
    def now(self): return datetime(2026, 11, 1, tzinfo=UTC)

kind, settings, document, entries = json.loads(sys.argv[1])
backend = GrowthbookPayload(OneFile(), Clock()) if kind == "growthbook_file" else Parameters(Folder())

def put(entry):
    backend.write(settings, document, entry[0], before=None, after=entry[1], fence=1)

with ThreadPoolExecutor(8) as pool:
    list(pool.map(put, entries))
"""


def test_four_processes_with_eight_threads_each_lose_no_entry(subject: Subject) -> None:
    entries = [(name, subject.entry(name, name.upper())) for name in (f"exp-{number}" for number in range(40))]
    calls = [
        json.dumps([subject.backend.kind, subject.settings, subject.document, entries[process::4]])
        for process in range(4)
    ]
    running = [subprocess.Popen([sys.executable, "-c", COMPOSE, call]) for call in calls]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    assert all(subject.read(name) == entry for name, entry in entries)
    assert subject.leftovers() == []


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


FLIP = """
import json, os, signal, sys
from datetime import UTC, datetime
from crossfade.adapters.documents import OneFile
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.documents import Folder
from crossfade.adapters.parameters import Parameters

class Clock:
    def now(self): return datetime(2026, 11, 1, tzinfo=UTC)

kind, settings, document, one, other, crash = json.loads(sys.argv[1])
backend = GrowthbookPayload(OneFile(), Clock()) if kind == "growthbook_file" else Parameters(Folder())

def dying(call, after):
    def instead(*arguments):
        if after:
            call(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
    return instead

if crash:
    name, after = crash
    setattr(os, name, dying(getattr(os, name), after))
while True:
    backend.write(settings, document, "first", before=one, after=other, fence=1)
    one, other = other, one
    print("written", flush=True)
"""


def flip(subject: Subject, crash: JsonValue) -> subprocess.Popen[bytes]:
    one, other = subject.entry("first", "A"), subject.entry("first", "B")
    if subject.read("first") == other:
        one, other = other, one
    call = json.dumps([subject.backend.kind, subject.settings, subject.document, one, other, crash])
    return subprocess.Popen([sys.executable, "-c", FLIP, call], stdout=subprocess.PIPE)


def require_whole(subject: Subject) -> None:
    """The document is the old or the new one, and the next writer is neither kept out nor misled."""
    held = subject.read("first")
    assert held in (subject.entry("first", "A"), subject.entry("first", "B"))
    second = subject.read("second")
    subject.write("second", second, None if second else subject.entry("second", "S"))
    assert subject.read("second") == (None if second else subject.entry("second", "S"))
    assert subject.read("first") == held
    assert subject.leftovers() == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize(
    "crash",
    [["fsync", False], ["fsync", True], ["replace", False], ["replace", True]],
    ids=["unsynced", "synced", "before the rename", "after the rename"],
)
def test_a_writer_killed_at_any_step_leaves_a_whole_document(written: Subject, crash: JsonValue) -> None:
    with flip(written, crash) as process:
        assert process.wait(60) == -signal.SIGKILL
    require_whole(written)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_writers_killed_at_random_leave_a_whole_document(written: Subject) -> None:
    moments = random.Random(7)
    for _ in range(4):
        with flip(written, None) as process:
            assert process.stdout is not None
            for _ in range(moments.randrange(1, 60)):
                process.stdout.readline()
            process.kill()
        require_whole(written)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b'{"a":' + b"[" * 999],
    ids=["empty", "cut", "list", "null", "text", "binary", "NaN", "infinite", "deep"],
)
def test_a_file_that_holds_no_json_object_is_left_as_it_is(subject: Subject, content: bytes) -> None:
    subject.file.parent.mkdir(parents=True)
    subject.file.write_bytes(content)
    with pytest.raises(BackendFailed) as unreadable:
        subject.read("first")
    with pytest.raises(BackendFailed) as unwritable:
        subject.write("first", None, subject.entry("first", "A"))
    assert subject.file.read_bytes() == content
    for failed in (unreadable.value, unwritable.value):
        assert (failed.code, failed.retryable) == ("backend_failed", False)
        assert "Repair it" in failed.next


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")
def test_a_pipe_where_the_file_has_to_be_is_refused_and_not_waited_for(subject: Subject) -> None:
    subject.file.parent.mkdir(parents=True)
    os.mkfifo(subject.file)
    for call in (lambda: subject.read("first"), lambda: subject.write("first", None, subject.entry("first", "A"))):
        with pytest.raises(BackendFailed) as failed:
            call()
        assert failed.value.message == "The path does not lead to a document."


def test_a_byte_order_mark_is_read_over(written: Subject) -> None:
    written.file.write_bytes(b"\xef\xbb\xbf" + written.file.read_bytes())
    assert written.read("first") == written.entry("first", "A")


def test_a_file_where_a_folder_has_to_be_is_refused_in_our_words(subject: Subject) -> None:
    subject.file.parent.write_text("in the way")
    for call in (lambda: subject.read("first"), lambda: subject.write("first", None, subject.entry("first", "A"))):
        with pytest.raises(BackendFailed) as failed:
            call()
        assert not failed.value.retryable
        assert failed.value.message == "The path does not lead to a document."


def test_a_folder_where_the_file_has_to_be_is_refused_in_our_words(subject: Subject) -> None:
    subject.file.mkdir(parents=True)
    for call in (lambda: subject.read("first"), lambda: subject.write("first", None, subject.entry("first", "A"))):
        with pytest.raises(BackendFailed) as failed:
            call()
        assert "backend's `path`" in failed.value.next


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused_in_our_words(written: Subject) -> None:
    held = written.file.read_bytes()
    written.file.parent.chmod(0o500)
    try:
        with pytest.raises(BackendFailed) as failed:
            written.write("first", written.entry("first", "A"), written.entry("first", "B"))
    finally:
        written.file.parent.chmod(0o700)
    assert failed.value.message == "This process may not read or write the document."
    assert written.file.read_bytes() == held


@pytest.mark.parametrize(
    ("number", "retryable"),
    [(errno.ENOSPC, True), (errno.EROFS, False), (errno.EACCES, False), (errno.EIO, False)],
    ids=["full", "read-only", "denied", "broken"],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_refused_write_leaves_the_old_document_and_no_other_file(
    written: Subject, monkeypatch: pytest.MonkeyPatch, step: str, number: int, retryable: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "the system's own words")

    held = written.file.read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(os, step, refuse)
        with pytest.raises(BackendFailed) as failed:
            written.write("first", written.entry("first", "A"), written.entry("first", "B"))
    assert failed.value.retryable is retryable
    assert "own words" not in json.dumps(failed.value.as_dict())
    assert failed.value.next
    assert written.file.read_bytes() == held
    assert written.leftovers() == []
    written.write("first", written.entry("first", "A"), written.entry("first", "B"))


@pytest.mark.skipif(sys.platform == "win32", reason="locks by other means")
def test_a_lock_held_for_long_is_reported_and_can_be_tried_again(
    written: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr(document_file, "LOCK_SECONDS", 0.02)
    with open(f"{written.file}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackendFailed) as failed:
            written.write("first", written.entry("first", "A"), None)
        assert failed.value.retryable
        assert written.read("first") == written.entry("first", "A")  # readers need no lock
    written.write("first", written.entry("first", "A"), None)


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are others there")
def test_a_link_stays_a_link_and_the_mode_stays(written: Subject, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "real.json"
    elsewhere.parent.mkdir()
    written.file.rename(elsewhere)
    elsewhere.chmod(0o640)
    written.file.symlink_to(elsewhere)
    written.write("first", written.entry("first", "A"), written.entry("first", "B"))
    assert written.file.is_symlink()
    assert not elsewhere.is_symlink()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o640
    assert written.read("first") == written.entry("first", "B")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "A", "", ".", "a.b", "é", "a\n", "a\0", "1a"])
def test_a_name_that_could_lead_elsewhere_is_refused(written: Subject, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    for document, entry in ((name, "first"), (written.document, name)):
        with pytest.raises(BackendFailed):
            written.backend.read(written.settings, document, entry)
        with pytest.raises(BackendFailed):
            written.backend.write(
                written.settings, document, entry, before=None, after=written.entry("first", "A"), fence=1
            )
    assert sorted(tmp_path.rglob("*")) == before


WRONG_SETTINGS: list[tuple[JsonObject, list[str]]] = [
    ({}, ["/path"]),
    ({"path": "relative/x"}, ["/path"]),
    ({"path": ""}, ["/path"]),
    ({"path": "/a\0b"}, ["/path"]),
    ({"path": 5}, ["/path"]),
    ({"path": None}, ["/path"]),
    ({"path": "/tmp/x", "token": "secret", "a/b": 1}, ["/a~1b", "/token"]),
    ({"file": "/tmp/x"}, ["/file", "/path"]),
]


@pytest.mark.parametrize(("settings", "at"), WRONG_SETTINGS)
def test_wrong_settings_are_named_and_never_used(subject: Subject, settings: JsonObject, at: list[str]) -> None:
    problems = subject.backend.problems(settings)
    assert sorted(pointer for pointer, _ in problems) == at
    assert all(message and "secret" not in message for _, message in problems)
    with pytest.raises(BackendFailed):
        subject.backend.read(settings, subject.document, "first")
    with pytest.raises(BackendFailed):
        subject.backend.write(settings, subject.document, "first", before=None, after=None, fence=1)


def test_right_settings_have_no_problem_before_and_after_the_first_write(subject: Subject) -> None:
    assert subject.backend.problems(subject.settings) == []
    subject.write("first", None, subject.entry("first", "A"))
    assert subject.backend.problems(subject.settings) == []


def test_a_path_to_the_wrong_kind_of_thing_is_a_problem(subject: Subject) -> None:
    place = Path(str(subject.settings["path"]))
    place.parent.mkdir(parents=True, exist_ok=True)
    if subject.backend.kind == "growthbook_file":
        place.mkdir()
    else:
        place.write_text("{}")
    assert [pointer for pointer, _ in subject.backend.problems(subject.settings)] == ["/path"]

"""What adapters promise whose documents are files."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from crossfade.adapters.documents import file as document_file
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed

from .backends import FILES, Subject, subject_of


@pytest.fixture(params=FILES)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(request.param, tmp_path) as made:
        yield made


def test_to_read_makes_nothing(subject: Subject) -> None:
    assert subject.read("first") is None
    assert not subject.file.parent.exists()


def test_a_repeat_does_not_touch_the_file(written: Subject) -> None:
    inode = written.file.stat().st_ino
    written.write("first", None, written.entry("first", "A"))
    assert written.file.stat().st_ino == inode
    written.write("first", written.entry("first", "A"), None)
    inode = written.file.stat().st_ino
    written.write("first", written.entry("first", "A"), None)
    assert written.file.stat().st_ino == inode


FLIP = """
import json, os, signal, sys
from crossfade.adapters.all_backends import all_backends
from crossfade.server.clock import SystemClock

kind, settings, document, one, other, crash = json.loads(sys.argv[1])
backend = all_backends(SystemClock())[kind]

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


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")
def test_a_pipe_where_the_file_has_to_be_is_refused_and_not_waited_for(subject: Subject) -> None:
    subject.file.parent.mkdir(parents=True)
    os.mkfifo(subject.file)
    for call in (lambda: subject.read("first"), lambda: subject.write("first", None, subject.entry("first", "A"))):
        with pytest.raises(BackendFailed) as failed:
            call()
        assert failed.value.message == "The path does not lead to a document."


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


def test_a_path_to_the_wrong_kind_of_thing_is_a_problem(subject: Subject) -> None:
    place = Path(str(subject.settings["path"]))
    place.parent.mkdir(parents=True, exist_ok=True)
    if subject.backend.kind == "growthbook_file":
        place.mkdir()
    else:
        place.write_text("{}")
    assert [pointer for pointer, _ in subject.backend.problems(subject.settings)] == ["/path"]

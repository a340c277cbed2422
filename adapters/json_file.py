"""JSON documents on disk in which each experiment has an entry: read whole, changed by locked compare-and-swap."""

from __future__ import annotations

import errno
import glob
import json
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from ..core.documents import JsonObject, canonical, pointer, same
from ..core.errors import BackendChanged, BackendFailed
from .file_lock import try_lock
from .folders import make_folder, sync_folder

LOCK_SECONDS = 10.0
"""How long a write waits for the others: each holds the lock for milliseconds, so a longer hold is a hang."""

_GUARDS: dict[str, threading.Lock] = {}
"""One for each document: on some network file systems a file lock belongs to the process, not to the thread."""

_OBJECT = TypeAdapter(JsonObject)
_ENDLESS = re.compile(rb"NaN|Infinity|[eE]\+?\d{3}|\d{300}")
"""All that a parser could make a number of that is not finite."""


def member(document: JsonObject, key: str) -> JsonObject:
    """The object under a key, empty when the key is absent.

    Raises:
        BackendFailed: something other than an object is there.
    """
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise BackendFailed(
            "A part of the document that has to be an object is something else.",
            next="Repair that part of the document by hand; nothing was written.",
            got=key[:200],
        )
    return value


def _differences(planned: JsonValue, found: JsonValue, at: str = "") -> Iterator[str]:
    if isinstance(planned, dict) and isinstance(found, dict):
        for key in sorted(planned.keys() | found.keys()):
            if key in planned and key in found:
                yield from _differences(planned[key], found[key], at + pointer(key))
            else:
                yield f"{at}{pointer(key)}: {'missing' if key in planned else 'added'}"[-300:]
    elif isinstance(planned, list) and isinstance(found, list) and len(planned) == len(found):
        for index, (one, other) in enumerate(zip(planned, found, strict=True)):
            yield from _differences(one, other, at + pointer(index))
    elif not same(planned, found):
        yield f"{at[-120:] or 'the entry'}: planned {_shown(planned, at)}, found {_shown(found, at)}"


def _shown(value: JsonValue, at: str) -> str:
    return "none" if value is None and not at else canonical(value)[:80]


def _refusal(error: OSError, path: Path) -> BackendFailed:
    """Our words for what the system refused; its own are only in `got`."""
    name = errno.errorcode.get(error.errno or 0, "unknown")
    message, then, retryable = _REFUSALS.get(
        name, ("The document cannot be read or written.", "See the system's reason in `got`.", False)
    )
    return BackendFailed(message, next=then, got={"path": str(path), "reason": name}, retryable=retryable)


_FULL = ("No space is left for the document.", "Free some space, then repeat the call.", True)
_DENIED = (
    "This process may not read or write the document.",
    "Let it read and write the file and its folder, or correct the backend's `path`.",
    False,
)
_READ_ONLY = (
    "The document is on a read-only file system.",
    "Make it writable, or correct the backend's `path`.",
    False,
)
_ASTRAY = ("The path does not lead to a document.", "Correct the backend's `path`, or clear the way to it.", False)
_BUSY = ("The system could not serve the document just now.", "Repeat the call.", True)
_REFUSALS = {
    **dict.fromkeys(("ENOSPC", "EDQUOT"), _FULL),
    **dict.fromkeys(("EACCES", "EPERM"), _DENIED),
    "EROFS": _READ_ONLY,
    **dict.fromkeys(("ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "EEXIST"), _ASTRAY),
    **dict.fromkeys(("EAGAIN", "EBUSY", "EINTR", "EMFILE", "ENFILE", "ENOMEM", "ESTALE", "ETIMEDOUT"), _BUSY),
}


class JsonFile:
    """One JSON object in a file. A link is followed, so that the file it leads to is replaced and the link stays."""

    def __init__(self, path: Path) -> None:
        self._named = path
        self._path = Path(os.path.realpath(path))

    def read(self) -> JsonObject | None:
        """The document, or None when there is no such file. It is whole: a write replaces the file at once.

        Raises:
            BackendFailed: it cannot be read, or does not hold a JSON object.
        """
        try:
            if not stat.S_ISREG(self._path.stat().st_mode):
                raise OSError(errno.EISDIR, "not a file")  # to open a pipe would wait for whoever writes to it
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refusal(error, self._named) from error
        return self._parse(raw)

    def swap(
        self,
        *,
        before: JsonObject | None,
        after: JsonObject | None,
        fence: int,
        find: Callable[[JsonObject], JsonObject | None],
        fence_of: Callable[[JsonObject], int],
        place: Callable[[JsonObject], JsonObject],
        guard: Callable[[JsonObject], None],
    ) -> None:
        """Replace the document by `place(document)`, which sets the fence too, when `find(document)` equals `before`
        and `guard(document)` raises nothing; durable on return.

        When it equals `after` already and the fence is set, nothing is written. A missing file counts as {}.

        Raises:
            BackendChanged: what was found is neither, and `got` says where it differs from `before`; or `fence_of` the
                document is higher than `fence`.
            BackendFailed: the document cannot be read or written, or somebody holds its lock.
        """
        try:
            with self._locked():
                document = self.read()
                guard(document or {})
                found, last = find(document or {}), fence_of(document or {})
                if last > fence:
                    raise _late()
                if not same(found, after):
                    self._require(found, before)
                if not same(found, after) or last < fence:
                    self._replace(place(document or {}))
                else:
                    self._settle()  # the one who wrote it may have died before it was durable
        except OSError as error:
            raise _refusal(error, self._named) from error

    def change(self, edit: Callable[[JsonObject], JsonObject]) -> None:
        """Replace the document by `edit(document)`, which may refuse; durable on return. A missing file stays missing.

        Raises:
            BackendFailed: the document cannot be read or written, or somebody holds its lock.
        """
        try:
            with self._locked():
                document = self.read()
                if document is not None:
                    self._replace(edit(document))
        except OSError as error:
            raise _refusal(error, self._named) from error

    def _parse(self, raw: bytes) -> JsonObject:
        try:
            document = _OBJECT.validate_json(raw.removeprefix(b"\xef\xbb\xbf"))
            if _ENDLESS.search(raw):  # rare, and a second walk through a large document takes as long as the first
                json.dumps(document, allow_nan=False)
        except ValueError as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "a number is not finite"
            raise BackendFailed(
                "The document does not hold a JSON object, so it was left as it is.",
                next="Repair the file, or move it away to start a new one, then repeat the call.",
                got={"path": str(self._named), "reason": reason[:200]},
            ) from error
        return document

    def _require(self, found: JsonObject | None, before: JsonObject | None) -> None:
        if not same(found, before):
            raise BackendChanged(
                "Somebody else changed our entry in this document since the plan was made; nothing was written.",
                next="Make a new plan, which starts from what is there now, or put the entry back as it was.",
                got=list[JsonValue](list(_differences(before, found))[:5]),
            )

    @contextmanager
    def _locked(self) -> Generator[None]:
        deadline = time.monotonic() + LOCK_SECONDS
        guard = _GUARDS.setdefault(str(self._path), threading.Lock())
        if not guard.acquire(timeout=LOCK_SECONDS):
            raise self._held()
        try:
            if not self._path.exists():
                make_folder(self._path.parent)
            with open(f"{self._path}.lock", "ab") as lock:
                while not try_lock(lock.fileno()):
                    if time.monotonic() > deadline:
                        raise self._held()
                    time.sleep(0.005)
                yield
        finally:
            guard.release()

    def _held(self) -> BackendFailed:
        return BackendFailed(
            f"Another process held the document's lock for more than {LOCK_SECONDS:.0f} seconds.",
            next="Repeat the call; if it stays so, find the process that hangs with the `.lock` file open.",
            got={"path": str(self._named)},
            retryable=True,
        )

    def _replace(self, document: JsonObject) -> None:
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        self._sweep()
        temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with open(temporary, "xb") as file:
                if self._path.exists():
                    os.chmod(temporary, stat.S_IMODE(self._path.stat().st_mode))
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(self._path.parent)

    def _sweep(self) -> None:
        """Remove what writers that were killed left; who holds the lock is alone, so none of it is in use."""
        for leftover in self._path.parent.glob(f".{glob.escape(self._path.name)}.*.tmp"):
            leftover.unlink(missing_ok=True)

    def _settle(self) -> None:
        with open(self._path, "rb") as file:
            os.fsync(file.fileno())
        sync_folder(self._path.parent)


def _late() -> BackendChanged:
    return BackendChanged(
        "A later change of this experiment has been written to the document, so this one came too late; nothing was "
        "written.",
        next="Look at the experiment, and make a new plan for what it still needs.",
    )

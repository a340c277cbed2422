"""Documents on disk: read whole, changed under a lock, replaced at once."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Literal

from ...core.documents import JsonObject
from ...core.errors import BackendDenied, BackendFailed
from ...core.ports.backend import Location
from ...core.ports.capabilities import Promises
from ..entries import is_name, require_name
from ..file_lock import try_lock
from ..folders import make_folder, sync_folder
from ..turns import turns_of
from .document import Edit, untold
from .paths import location_of, path_of, path_problems
from .text import parsed, written

LOCK_SECONDS = 10.0
"""How long a write waits for the others: each holds the lock for milliseconds, so a longer hold is a hang."""


def _refusal(error: OSError, path: Path) -> BackendFailed:
    """Our words for what the system refused; its own are only in `got`."""
    name = errno.errorcode.get(error.errno or 0, "unknown")
    message, then, retryable = _REFUSALS.get(
        name, ("The document cannot be read or written.", "See the system's reason in `got`.", False)
    )
    failure = BackendDenied if name in ("EACCES", "EPERM") else BackendFailed
    return failure(message, next=then, got={"path": str(path), "reason": name}, retryable=retryable)


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

    @cached_property
    def _path(self) -> Path:
        """Where a write goes; to find it costs as much as a read, which follows links by itself."""
        return Path(os.path.realpath(self._named))

    def read(self) -> JsonObject | None:
        """The document, or None when there is no such file. It is whole: a write replaces the file at once.

        Raises:
            BackendFailed: it cannot be read, or does not hold a JSON object.
        """
        try:
            if not stat.S_ISREG(self._named.stat().st_mode):
                raise OSError(errno.EISDIR, "not a file")  # to open a pipe would wait for whoever writes to it
            raw = self._named.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refusal(error, self._named) from error
        return parsed(raw, {"path": str(self._named)})

    def update(self, edit: Edit) -> None:
        """As in `Document`. Others wait while `edit` runs.

        Raises:
            BackendFailed: the document cannot be read or written, or somebody holds its lock.
        """
        try:
            with self._locked():
                found = self.read()
                changed = edit(found)
                if changed is not None:
                    self._replace(changed)
                elif found is not None:
                    self._settle()  # the one who wrote it may have died before it was durable
        except OSError as error:
            raise _refusal(error, self._named) from error

    @contextmanager
    def _locked(self) -> Generator[None]:
        deadline = time.monotonic() + LOCK_SECONDS
        # On some network file systems a file lock belongs to the process, not to the thread.
        guard = turns_of(str(self._path))
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
        self._sweep()
        temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with open(temporary, "xb") as file:
                if self._path.exists():
                    os.chmod(temporary, stat.S_IMODE(self._path.stat().st_mode))
                file.write(written(document))
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


PROMISES = Promises(compare_and_swap=True, atomic=True)


class _OnDisk:
    kind: str
    local_paths: tuple[str, ...] = ("path",)
    promises: Promises = PROMISES
    version = untold
    what: Literal["file", "folder"]
    """What the one setting, `path`, leads to."""

    def location(self, settings: JsonObject) -> str | None:
        return location_of(settings)

    def locations(self, settings: JsonObject) -> list[Location]:
        where = self.location(settings)
        if where is None:
            return []
        return [Location(where)] if self.what == "file" else [Location(f"{where}/", ".json")]

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return path_problems(settings, self.what)


class OneFile(_OnDisk):
    """A place of one document. Its one setting is `path`, the absolute path of the file, made by the first write."""

    kind: str = "file"
    what = "file"

    def document(self, settings: JsonObject, name: str) -> JsonFile:
        return JsonFile(path_of(settings))


class Folder(_OnDisk):
    """A file a document. The one setting is `path`, the absolute path of the folder, made by the first write."""

    kind: str = "folder"
    what = "folder"

    def document(self, settings: JsonObject, name: str) -> JsonFile:
        return JsonFile(path_of(settings) / f"{require_name(name, 'document')}.json")

    def names(self, settings: JsonObject) -> list[str]:
        return sorted(each.stem for each in path_of(settings).glob("*.json") if is_name(each.stem))

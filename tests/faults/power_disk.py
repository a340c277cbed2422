"""A disk as a log of `power_record.c` tells it, and what a power loss may leave of it.

What is certain is what POSIX promises: a file's content once the file was synced, and a name once its folder was. Of
the rest anything may be there: some writes and not others, in any order, and of a write some sectors."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
HEAD = struct.Struct("<cQqII")


@dataclass(frozen=True)
class Record:
    op: str
    inode: int
    number: int
    path: str
    data: bytes


Lies = Callable[[Record], bool]


def read_log(path: Path) -> list[Record]:
    return list(_records(path.read_bytes()))


def _records(log: bytes) -> Iterator[Record]:
    at = 0
    while at < len(log):
        op, inode, number, named, length = HEAD.unpack_from(log, at)
        at += HEAD.size
        name, data = log[at : at + named], log[at + named : at + named + length]
        at += named + length
        yield Record(op.decode(), inode, number, name.decode(), data)


@dataclass
class File:
    """`pending` are writes (offset, data) and sizes (size, None) since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list[tuple[int, bytes | None]])

    def sync(self) -> None:
        for change in self.pending:
            _change(self.durable, *change)
        self.pending.clear()

    def left(self, rng: random.Random, kept: float) -> bytes:
        """What may be there: of each write since the last sync all, nothing or some sectors; `kept` is the share."""
        content = bytearray(self.durable)
        for at, data in self.pending:
            if rng.random() < 0.5:
                if rng.random() < kept:
                    _change(content, at, data)
            else:
                for start, part in _sectors(at, data):
                    if rng.random() < kept:
                        _change(content, start, part)
        return bytes(content)


def _change(content: bytearray, at: int, data: bytes | None) -> None:
    end = at if data is None else at + len(data)
    if len(content) < end:
        content += bytes(end - len(content))
    if data is None:
        del content[at:]
    else:
        content[at:end] = data


def _sectors(at: int, data: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    if data is None:
        yield at, None
        return
    start = at
    while start < at + len(data):
        end = min(at + len(data), (start // SECTOR + 1) * SECTOR)
        yield start, data[start - at : end - at]
        start = end


Node = File | None
"""A file, or a folder."""
Names = dict[str, tuple[Node] | None]
"""Path -> what is there; None where something was removed."""


class Disk:
    """Of a sync that `lies`, the caller is told that it was done, and nothing is."""

    def __init__(self, lies: Lies) -> None:
        self._lies = lies
        self._files: dict[int, File] = {}
        self._names: Names = {}
        self._durable: Names = {}
        self._pending: list[Names] = []

    def happen(self, record: Record) -> None:
        if record.path.endswith("-shm"):
            return  # SQLite makes it anew
        doing = {"C": self._made, "M": self._made, "R": self._renamed, "L": self._linked, "U": self._removed}
        if record.op in doing:
            doing[record.op](record)
        elif record.op == "D":
            if not self._lies(record):
                self._sync_folder(record.path)
        elif record.op == "S":
            if not self._lies(record):
                self._files[record.inode].sync()
        else:
            self._files[record.inode].pending.append((record.number, record.data if record.op == "W" else None))

    def leave(self, rng: random.Random) -> None:
        """Write to the paths of the log, which must be free, what a power loss at this moment may leave there."""
        kept = rng.choice((0.0, 0.5, 0.95))
        names = dict(self._durable)
        for change in self._pending:
            if rng.random() < kept:
                names.update(change)
        for path, there in sorted(names.items()):
            if there is None or not os.path.isdir(os.path.dirname(path)):
                continue
            if there[0] is None:
                os.mkdir(path)
            else:
                Path(path).write_bytes(there[0].left(rng, kept))

    def _name(self, change: Names) -> None:
        self._names.update(change)
        self._pending.append(change)

    def _made(self, record: Record) -> None:
        node = None
        if record.op == "C":
            node = self._files[record.inode] = File()
        self._name({record.path: (node,)})

    def _renamed(self, record: Record) -> None:
        self._name({record.path: None, record.data.decode(): self._names[record.path]})

    def _linked(self, record: Record) -> None:
        self._name({record.data.decode(): self._names[record.path]})

    def _removed(self, record: Record) -> None:
        self._name({record.path: None})

    def _sync_folder(self, folder: str) -> None:
        for change in [each for each in self._pending if any(os.path.dirname(path) == folder for path in each)]:
            self._durable.update(change)
            self._pending.remove(change)

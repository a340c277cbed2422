"""A lock on an open file, that other processes respect: whoever closes the file, or dies, gives it up."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def try_lock(descriptor: int) -> bool:
    """Whether the lock is ours now; False while somebody else has it.

    Raises:
        OSError: the file system has no such locks.
    """
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):  # Windows and some network file systems say PermissionError
        return False
    return True

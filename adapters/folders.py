"""Folders whose names outlive a power loss."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


def make_folder(folder: Path) -> None:
    """The folder and those above it, each durable before anything is put into it.

    Raises:
        OSError: the system refuses.
    """
    if folder.is_dir():
        with suppress(OSError):  # whoever cannot sync it has not made it; who has just made it may be late with that
            sync_folder(folder.parent)
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a new file, a rename.

    Raises:
        OSError: the system refuses.
    """
    if sys.platform == "win32":
        return  # a folder cannot be opened there, and NTFS journals the rename
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

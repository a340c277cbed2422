"""What servers that the tests start have in common."""

from __future__ import annotations

import importlib.util
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

STARTS_WITHIN = 30.0
"""Seconds after which a server that does not answer has failed."""


def folder_of(package: str) -> Path:
    """Where a package is installed. Without it the test is skipped, or fails where CI is set."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        missing = f"{package} is not installed: make .venv brings it"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return Path(found.origin).parent


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def await_answer(answers: Callable[[], bool], log: Path) -> None:
    """
    Raises:
        AssertionError: nothing answers in time; it holds the server's log.
    """
    end = time.monotonic() + STARTS_WITHIN
    while not answers():
        if time.monotonic() > end:
            raise AssertionError(log.read_text())
        time.sleep(0.02)

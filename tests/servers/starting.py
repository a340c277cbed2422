"""What servers that the tests start have in common."""

from __future__ import annotations

import importlib.util
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

STARTS_WITHIN = 30.0
"""Seconds after which a server that does not answer has failed."""


def give_up(reason: str) -> NoReturn:
    """CI has to run this; elsewhere one visible line says that it was left out."""
    pytest.fail(reason, pytrace=False) if os.environ.get("CI") == "true" else pytest.skip(reason)


def folder_of(package: str) -> Path:
    """Where a package is installed. Without it the test is skipped, or fails where CI is set."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        give_up(f"{package} is not installed: make .venv brings it")
    return Path(found.origin).parent


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def await_answer(answers: Callable[[], bool], log: Path, within: float = STARTS_WITHIN) -> None:
    """
    Raises:
        AssertionError: nothing answers in time; it holds the server's log.
    """
    end = time.monotonic() + within
    while not answers():
        if time.monotonic() > end:
            raise AssertionError(log.read_text())
        time.sleep(0.02)

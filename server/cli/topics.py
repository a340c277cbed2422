"""What a file of commands offers to the parser."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Protocol


class Commands(Protocol):
    """The part of argparse's subparsers that a topic uses."""

    def add_parser(self, name: str, *, help: str) -> ArgumentParser: ...

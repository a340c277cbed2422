"""The calls that replies propose are written in one place, so that a renamed argument is renamed in all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import crossfade.core
from crossfade.tools.all_tools import TOOLS

CORE = Path(next(iter(crossfade.core.__path__)))
CALL = re.compile(rf"\b({'|'.join(spec.run.__name__ for spec in TOOLS)})\(")


def texts(file: Path) -> Iterator[str]:
    """Every text of a module that is no docstring."""
    tree = ast.parse(file.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_no_other_module_of_the_core_writes_a_call_out() -> None:
    found = {
        str(file.relative_to(CORE)): text
        for file in CORE.rglob("*.py")
        if file.name != "calls.py"
        for text in texts(file)
        if CALL.search(text)
    }
    assert found == {}

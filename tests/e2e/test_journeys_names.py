"""The journeys run on any catalogue because the program knows the names of none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.adapters.catalogue_yaml import YamlCatalogue
from crossfade.core.model.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "tools", "resources", "prompts", "adapters", "server")
FOLDERS = {"streaming": "examples/streaming", "grocery": "tests/catalogues/grocery"}
ANYWHERE = ""

ALLOWED: dict[str, dict[str, str]] = {
    "plan": {ANYWHERE: "what is applied after a yes; the attribute of the same name is a subscription"},
    "view": {ANYWHERE: "a consistent view of the store"},
    "title": {
        "core/catalogue_rules.py": "a keyword of JSON Schema",
        "server/tool_schemas.py": "a keyword of JSON Schema",
        "tools/spec.py": "the title of a tool",
        "adapters/http/failures.py": "a member of a system's refusal (RFC 9457)",
        "adapters/unleash": "a member of Unleash's strategies",
        "adapters/confidence": "the display name of a segment",
    },
    "region": {
        "adapters/documents": "where a bucket of S3 is",
        "adapters/confidence": "where an account of Confidence is",
    },
    "saves": {"adapters/growthbook_rest": "a verb, in a docstring: a draft that begins late spares a call"},
    "connection": {ANYWHERE: "a connection to the database, or of a client"},
    "triggers": {"adapters/store": "triggers of the database"},
    "home": {
        "tools/surfaces.py": "an example in a parameter's description: what a query looks like",
        "adapters/catalogue_yaml/fault.py": "an example in a docstring: what a place in a file looks like",
        "server": "the server's home folder",
    },
    "country": {
        "core/checks/audience.py": "an example in a docstring: what a misspelt value is",
        "core/model/catalogue.py": "an example in a description: what never changes",
        "server/cli/look_commands.py": "an example in a docstring: how an attribute is typed",
    },
    "age": {"server/cli/look_commands.py": "an example in a docstring: how an attribute is typed"},
    "library": {"server/demo": "the demonstration speaks of the bundled example, in words"},
}
"""Name -> where it may stand (a path's beginning) -> why it is not the catalogue's name there."""


def names_of(catalogue: Catalogue) -> set[str]:
    """Keys of surfaces, their parameters, metrics and attributes."""
    parameters = {name for surface in catalogue.surfaces.values() for name in surface.parameters}
    return {*catalogue.surfaces, *catalogue.metrics, *catalogue.attributes, *parameters}


def literals_in(file: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string of a module, docstrings and the parts of f-strings among them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def named_in_the_program() -> list[tuple[str, str, int]]:
    """(name, file, line) of every name of a catalogue that stands in a string as a word of its own."""
    names = {name for folder in FOLDERS.values() for name in names_of(YamlCatalogue(ROOT / folder).current())}
    word = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(names)))})(?![\w-])")
    return [
        (name, file.relative_to(ROOT).as_posix(), line)
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        for line, text in literals_in(file)
        for name in sorted(set(word.findall(text)))
    ]


@pytest.fixture(scope="module")
def named() -> list[tuple[str, str, int]]:
    return named_in_the_program()


def test_no_string_of_the_program_names_what_a_catalogue_holds(named: list[tuple[str, str, int]]) -> None:
    unexplained = [
        f"{file}:{line} {name}"
        for name, file, line in named
        if not any(file.startswith(where) for where in ALLOWED.get(name, {}))
    ]
    assert unexplained == []


def test_nothing_is_allowed_that_no_longer_stands_there(named: list[tuple[str, str, int]]) -> None:
    unused = [
        (name, where)
        for name, places in ALLOWED.items()
        for where in places
        if not any(found == name and file.startswith(where) for found, file, _ in named)
    ]
    assert unused == []

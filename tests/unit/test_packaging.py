"""What is installed is what the folders hold, and type checkers see the same."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LISTED: list[str] = PYPROJECT["tool"]["setuptools"]["packages"]
ROOMS: dict[str, str] = PYPROJECT["tool"]["setuptools"]["package-dir"]


def packages_below(name: str, folder: str) -> list[str]:
    """The dotted names of a room and of every package inside it."""
    room = ROOT / folder
    markers = sorted(room.rglob("__init__.py"))
    return [".".join((name, *marker.parent.relative_to(room).parts)) for marker in markers]


def test_every_package_in_the_rooms_is_listed_and_nothing_else() -> None:
    found = [package for name, folder in ROOMS.items() for package in packages_below(name, folder)]
    assert sorted(LISTED) == sorted(found)


@pytest.mark.parametrize("folder", [folder for folder in ROOMS.values() if folder != "examples"])
def test_every_module_of_a_room_lies_in_a_package(folder: str) -> None:
    outside = [module for module in (ROOT / folder).rglob("*.py") if not (module.parent / "__init__.py").is_file()]
    assert outside == []


def test_the_links_for_type_checkers_lead_to_every_room() -> None:
    links = {f"crossfade.{link.name}": link.readlink() for link in (ROOT / ".dev" / "crossfade").iterdir()}
    assert links == {name: Path("../..") / folder for name, folder in ROOMS.items()}
    assert all((ROOT / ".dev" / "crossfade" / target).is_dir() for target in links.values())


@pytest.mark.parametrize("folder", ROOMS.values())
def test_every_room_says_that_it_is_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


def test_the_lock_pins_every_dependency() -> None:
    project = PYPROJECT["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    asked: list[str] = [*project["dependencies"], *(each for extra in extras.values() for each in extra)]
    asked += PYPROJECT["dependency-groups"]["dev"]
    names = {re.split(r"[^A-Za-z0-9-]", requirement, maxsplit=1)[0] for requirement in asked}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert names - set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE)) == set()

"""What the catalogue says to an adapter of files: one path, and names that lead nowhere else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationError

from ...core.documents import JsonObject, pointer
from ...core.errors import BackendFailed
from ...core.model.strict import StrictModel


def _absolute(path: str) -> str:
    if "\0" in path or not os.path.isabs(path):
        raise ValueError
    return path


class PathSettings(StrictModel):
    path: Annotated[str, AfterValidator(_absolute)]


def path_problems(settings: JsonObject, what: Literal["file", "folder"]) -> list[tuple[str, str]]:
    """(pointer, message) of each setting that is wrong, when the one setting is the path of a file or a folder."""
    words = {
        "extra_forbidden": "There is no such setting; the only one is `path`.",
        "missing": f"`path` is missing: the absolute path of the {what}.",
    }
    try:
        path = PathSettings.model_validate(settings).path
    except ValidationError as error:
        otherwise = f"`path` has to be the absolute path of the {what}, as text."
        return [(pointer(*each["loc"]), words.get(each["type"], otherwise)) for each in error.errors()]
    if os.path.lexists(path) and os.path.isdir(path) != (what == "folder"):
        return [("/path", f"`path` has to lead to a {what}, and something else is there.")]
    return []


def path_of(settings: JsonObject) -> Path:
    """The path in settings that `path_problems` finds no fault with.

    Raises:
        BackendFailed: the settings are wrong.
    """
    try:
        return Path(PathSettings.model_validate(settings).path)
    except ValidationError as error:
        raise BackendFailed(
            "The settings of this backend do not name one absolute path.",
            next="Correct the backend's settings in the catalogue.",
            got=settings,
        ) from error


def location_of(settings: JsonObject) -> str | None:
    """The real path in settings, links followed; None where there is none."""
    path = settings.get("path")
    return os.path.realpath(path) if isinstance(path, str) and "\0" not in path else None

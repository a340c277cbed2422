"""What Unleash says of a token, held against what a launch and a stop take."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from crossfade.adapters.unleash.rights import IN_ENVIRONMENT, IN_PROJECT, require_rights
from crossfade.core.errors import BackendDenied


def permissions(project: str = "default", environment: str = "production") -> list[JsonValue]:
    held: list[JsonValue] = [{"permission": each, "project": project} for each in IN_PROJECT]
    return held + [{"permission": each, "project": project, "environment": environment} for each in IN_ENVIRONMENT]


@pytest.mark.parametrize("told", [permissions(), permissions("*", "*"), [{"permission": "ADMIN"}]])
def test_all_rights_here_are_enough(told: JsonValue) -> None:
    require_rights(told, "default", "production")


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        (permissions("other"), [*IN_PROJECT, *IN_ENVIRONMENT]),
        (permissions(environment="development"), [*IN_ENVIRONMENT]),
        (permissions()[1:], ["CREATE_FEATURE"]),
        ([], [*IN_PROJECT, *IN_ENVIRONMENT]),
        (None, [*IN_PROJECT, *IN_ENVIRONMENT]),
    ],
)
def test_rights_elsewhere_are_none_here(told: JsonValue, missing: list[str]) -> None:
    with pytest.raises(BackendDenied) as denied:
        require_rights(told, "default", "production")
    assert denied.value.got == missing

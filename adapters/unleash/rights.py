"""What a token has to be allowed, by Unleash's own names of its rights."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import objects
from ...core.errors import BackendDenied

IN_PROJECT = ("CREATE_FEATURE", "UPDATE_FEATURE", "DELETE_FEATURE", "UPDATE_FEATURE_DEPENDENCY")
IN_ENVIRONMENT = (
    "CREATE_FEATURE_STRATEGY",
    "UPDATE_FEATURE_STRATEGY",
    "DELETE_FEATURE_STRATEGY",
    "UPDATE_FEATURE_ENVIRONMENT",
)
THEN = "A person sets a token of the admin API that may change flags of this project: an Editor's personal one, say."
_EVERYTHING, _EVERYWHERE = "ADMIN", "*"


def require_rights(permissions: JsonValue, project: str, environment: str) -> None:
    """
    Args:
        permissions: what Unleash says of the token: {"permission", "project"?, "environment"?} each.

    Raises:
        BackendDenied: a right is missing without which a launch or a stop would end half way.
    """
    held = [each for each in objects(permissions) if each.get("project") in (None, project, _EVERYWHERE)]
    here = [each for each in held if each.get("environment") in (None, environment, _EVERYWHERE)]
    if _EVERYTHING in [each.get("permission") for each in held]:
        return
    missing = [right for right in IN_PROJECT if right not in [each.get("permission") for each in held]]
    missing += [right for right in IN_ENVIRONMENT if right not in [each.get("permission") for each in here]]
    if missing:
        raise BackendDenied("The token may read Unleash and lacks rights to change it.", next=THEN, got=[*missing])

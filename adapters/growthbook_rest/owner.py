"""Whose an environment is: a feature that is on nowhere, whose description holds the store's id."""

from __future__ import annotations

from ...core.documents import JsonObject
from ...core.errors import BackendChanged
from ..descriptions import section_in, section_text
from ..owners import adopted, owner_of, require_ours, with_owner
from .api import Api
from .drafts import Edit, published
from .settings import GrowthbookSettings

COMMENT = "Crossfade: owner"


def owner_name(environment: str) -> str:
    return f"crossfade.owner.{environment}"


def owner_section(api: Api, where: GrowthbookSettings) -> JsonObject:
    return section_in(api.feature(owner_name(where.environment))) or {}


def require_owner(api: Api, where: GrowthbookSettings, owner: str | None) -> None:
    """Mark the environment as ours, unless it is another store's. Of stores that race for it one gets it.

    Raises:
        BackendOwned: it belongs to another store.
        BackendFailed: GrowthBook cannot be reached, or refuses.
    """
    name = owner_name(where.environment)
    feature = api.feature(name)
    if feature is None and owner is not None and api.create_feature(_body(name, where, owner)) is None:
        feature = api.feature(name)
    if feature is None:
        return
    section = section_in(feature) or {}
    require_ours(section, owner)
    if owner is not None and owner_of(section) is None and not _write(api, where, feature, with_owner({}, owner)):
        require_ours(owner_section(api, where), owner)


def adopt(api: Api, where: GrowthbookSettings, before: str, owner: str | None) -> None:
    """
    Raises:
        BackendChanged: the environment belongs to somebody else by now.
        BackendFailed: GrowthBook cannot be reached, or refuses.
    """
    feature = api.feature(owner_name(where.environment))
    if feature is None:
        return
    section = section_in(feature) or {}
    due = adopted(section, before, owner)
    if due != section and not _write(api, where, feature, due):
        raise BackendChanged("The document has another owner by now; nothing was written.", next="Look again.")


def _write(api: Api, where: GrowthbookSettings, feature: JsonObject, section: JsonObject) -> bool:
    return published(api, feature, where.environment, Edit(description=section_text(section)), COMMENT)


def _body(name: str, where: GrowthbookSettings, owner: str) -> JsonObject:
    return {
        "id": name,
        "valueType": "boolean",
        "defaultValue": "false",
        "description": section_text({"owner": owner}),
        "owner": where.owner,
        **({"project": where.project} if where.project else {}),
        "environments": {where.environment: {"enabled": False}},
    }

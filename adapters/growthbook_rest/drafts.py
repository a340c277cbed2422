"""A change of a feature, made in a draft revision and published as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from .api import Api, Method


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What is to change; None leaves as it is."""

    description: str | None = None
    default: str | None = None
    enabled: bool | None = None
    """In our environment."""
    unarchived: bool = False
    drop: Sequence[str] = ()
    """Ids of rules."""
    add: Sequence[JsonObject] = ()
    """Rules, at the end."""
    order: Callable[[list[JsonObject]], list[str]] | None = field(default=None, repr=False)
    """From the rules that are there then to their ids in the order that they are to have."""

    @property
    def nothing(self) -> bool:
        said = (self.description, self.default, self.enabled)
        return all(each is None for each in said) and not (self.unarchived or self.drop or self.add)


def published(api: Api, feature: JsonObject, environment: str, edit: Edit, comment: str) -> bool:
    """Make an edit live; False when somebody else published a change of the feature since it was read, and nothing was
    done. GrowthBook merges what others publish between our draft and our publishing, and refuses what contradicts it.

    Args:
        feature: as it was read, with its drafts.
        comment: names the drafts as ours; others of that name were left by a write that broke off, and are discarded.
    """
    name = str(feature["id"])
    for each in objects(feature.get("revisions")):
        if each.get("comment") == comment and each.get("status") not in ("published", "discarded"):
            api.discard(name, str(each.get("version")))
    if edit.nothing:
        return True
    draft = _Draft(api, name, comment)
    for method, path, body in _calls(edit, environment):
        revision = draft.edit(method, path, body)
        if revision.get("baseVersion") != version_of(feature):
            api.discard(name, draft.version)
            return False
    if edit.order is not None:
        rules = objects(draft.revision.get("rules"))
        wanted = edit.order(rules)
        if wanted != [str(each.get("id")) for each in rules]:
            draft.edit("POST", "rules/reorder", {"ruleIds": list[JsonValue](wanted)})
    if api.publish(name, draft.version, comment):
        return True
    api.discard(name, draft.version)
    return False


def version_of(feature: JsonObject) -> JsonValue:
    """The revision of a feature that is live."""
    revision = feature.get("revision")
    return revision.get("version") if isinstance(revision, dict) else None


class _Draft:
    """A draft that begins with its first edit, which saves a call."""

    def __init__(self, api: Api, feature: str, comment: str) -> None:
        self._api, self._feature, self._comment = api, feature, comment
        self.version = "new"
        self.revision: JsonObject = {}

    def edit(self, method: Method, path: str, body: JsonObject) -> JsonObject:
        begins = self.version == "new"
        named: JsonObject = (
            {} if not begins else {"comment" if path == "metadata" else "revisionComment": self._comment}
        )
        self.revision = self._api.edit(self._feature, self.version, method, path, {**body, **named})
        self.version = str(self.revision.get("version"))
        return self.revision


def _calls(edit: Edit, environment: str) -> list[tuple[Method, str, JsonObject]]:
    calls: list[tuple[Method, str, JsonObject]] = []
    if edit.unarchived:
        calls.append(("PUT", "archive", {"archived": False}))
    if edit.description is not None:
        calls.append(("PUT", "metadata", {"description": edit.description}))
    if edit.default is not None:
        calls.append(("PUT", "default-value", {"defaultValue": edit.default}))
    calls.extend(("DELETE", f"rules/{rule}", {}) for rule in edit.drop)
    calls.extend(("POST", "rules", {"rule": rule}) for rule in edit.add)
    if edit.enabled is not None:
        calls.append(("POST", "toggle", {"environment": environment, "enabled": edit.enabled}))
    return calls

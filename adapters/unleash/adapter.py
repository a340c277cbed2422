"""The adapter: one environment of a project in Unleash, whose SDKs assign the units."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

from ...core.assignment import Hashing
from ...core.documents import JsonObject, same
from ...core.errors import BackendFailed
from ...core.model.delivery import Assignment
from ...core.model.experiment import EXPERIMENT_KEY
from ...core.ports.backend import Foreign, Probe, Standing
from ...core.ports.capabilities import Capabilities, Promises
from ..documents import require_before, require_name, too_late
from ..owners import Owner, adopted, nobody, owner_of, require_ours, stranger, with_owner
from ..owners import is_ours as bears_our_mark
from ..settings import checked_settings, location_in, setting_problems
from ..turns import turns_of
from .api import Api, api_of
from .capabilities import CAPABILITIES, PROMISES
from .entry import compile_entry, replace_coverage, replace_previews
from .foreign import foreign_in
from .hashing import UnleashHashing, layer_flag
from .marks import Mark, begun, mark_of, section_of, section_text, text_of
from .reading import LAYERS, depending_on, entry_of, is_ours, lets_in
from .settings import UnleashSettings
from .writing import clear_archived, name_taken, put, take_out

DOCUMENT = "flags"
LOCK_SECONDS = 30.0
"""How long a write waits for the others of this process; each takes a dozen calls."""


class Unleash:
    """An assigner. `Capabilities` says what Unleash cannot express; `entry.py` what an entry is.

    An experiment is a flag of its name, whose variants carry its parameters as JSON. It depends on slots of the flag
    `crossfade.<environment>.<surface>.<layer>`. The flag `crossfade.owner.<Unleash's environment>` is the owner's mark.
    """

    kind: str = "unleash"
    local_paths: tuple[str, ...] = ()
    promises: Promises = PROMISES
    capabilities: Capabilities = CAPABILITIES

    def __init__(self, owner: Owner = nobody) -> None:
        self.hashing: Hashing = UnleashHashing()
        self._owner = owner

    def location(self, settings: JsonObject) -> str | None:
        return location_in(UnleashSettings, settings)

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return setting_problems(UnleashSettings, settings)

    def assignment_document(self, assignment: Assignment) -> str:
        return DOCUMENT

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        """The entry for an assignment. Pure.

        Raises:
            Invalid: Unleash cannot express it.
        """
        return compile_entry(assignment)

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        where = checked_settings(UnleashSettings, settings)
        api = api_of(where)
        if layer is not None:
            found = {name for name in depending_on(api, layer_flag(layer)) if lets_in(api, api.flag(name))}
        else:
            described = api.descriptions()
            marks = {name: mark for name, text in described.items() if (mark := mark_of(text)) is not None}
            found = {*marks}
            for name in described:
                if name.startswith(LAYERS):
                    found |= {*depending_on(api, name)}
            found -= {name for name, mark in marks.items() if not mark.is_of(where.environment)}
        return [(DOCUMENT, name) for name in sorted(found) if re.fullmatch(EXPERIMENT_KEY, name)]

    def fitted(self, settings: JsonObject, document: str, entry: str, wanted: JsonObject) -> JsonObject:
        """Raises BackendChanged where the flag's name is somebody else's, which a launch would find out last."""
        api = api_of(_checked(settings, document))
        flag = api.flag(require_name(entry, "entry"))
        if flag is not None and not is_ours(api, flag):
            raise name_taken(entry)
        return wanted

    def standing(self, settings: JsonObject, document: str, entry: str, delivered: JsonObject) -> Standing:
        return Standing(actual=self.read(settings, document, entry), due=delivered, shadows=[])

    def foreign(self, settings: JsonObject) -> list[Foreign]:
        return foreign_in(api_of(checked_settings(UnleashSettings, settings)))

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        """Raises Invalid where they are more units than Unleash takes."""
        return replace_previews(entry, previews)

    def with_coverage(self, entry: JsonObject, coverage: float) -> JsonObject:
        """Raises Invalid where the coverage is no whole percentage."""
        return replace_coverage(entry, coverage)

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        where = checked_settings(UnleashSettings, settings)
        return self._strangers(_section(api_of(where).flag(_owner_flag(where))))

    def probe(self, settings: JsonObject) -> Probe:
        where = checked_settings(UnleashSettings, settings)
        api = api_of(where)
        api.require_environment()
        api.require_rights()
        section = _section(api.flag(_owner_flag(where)))
        return Probe(bears_our_mark(section, self._owner()), self._strangers(section), api.version())

    def _strangers(self, section: JsonObject) -> dict[str, str]:
        other = stranger(section, self._owner())
        return {DOCUMENT: other} if other is not None else {}

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        where = checked_settings(UnleashSettings, settings)
        api, name = api_of(where), _owner_flag(where)
        with _alone(where.location):
            flag = api.flag(name)
            if flag is not None:
                api.change(name, description=section_text(adopted(_section(flag), before, self._owner())))

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        where = _checked(settings, document)
        api = api_of(where)
        return entry_of(api, entry, api.flag(require_name(entry, "entry")))

    def write(
        self,
        settings: JsonObject,
        document: str,
        entry: str,
        *,
        before: JsonObject | None,
        after: JsonObject | None,
        fence: int,
    ) -> None:
        where, name = _checked(settings, document), require_name(entry, "entry")
        api = api_of(where)
        with _alone(where.location):
            self._require_ours(api, _owner_flag(where))
            flag = api.flag(name)
            mark = _mark(api, name, flag)
            if mark is not None and mark.fence > fence:
                raise too_late()
            found = entry_of(api, name, flag)
            known = flag if flag is not None and is_ours(api, flag) else None
            if same(found, after):
                if known is not None or flag is None:
                    _settle(api, name, known, mark, fence)
                return
            half = mark is not None and mark.is_of(where.environment) and mark.covers(before, after)
            begins = begun(before, after, fence, where.environment)
            if not half and not _is_closing(found, before, after):
                require_before(found, before)
            if after is None:
                take_out(api, name, known, _layer_of(found) or _layer_of(before), begins)
            else:
                put(api, name, known, after, begins)

    def _require_ours(self, api: Api, name: str) -> None:
        """Mark the environment as ours, unless it is another store's. Of stores that race for it one makes the flag."""
        flag, owner = api.flag(name), self._owner()
        if flag is None and owner is not None:
            api.require_environment()  # before the first flag is there
        if flag is None and owner is not None and not api.create(name, "operational", section_text({"owner": owner})):
            flag = api.flag(name)
            if flag is None:
                api.revive(name)
                flag = api.flag(name)
        section = _section(flag)
        require_ours(section, owner) if flag is not None else None
        if flag is not None and owner is not None and owner_of(section) is None:
            api.change(name, description=section_text(with_owner({}, owner)))


def _checked(settings: JsonObject, document: str) -> UnleashSettings:
    if document != DOCUMENT:
        raise BackendFailed("An environment of Unleash is one document.", got=document[:200])
    return checked_settings(UnleashSettings, settings)


def _owner_flag(settings: UnleashSettings) -> str:
    return f"{LAYERS}owner.{settings.environment}"


def _section(flag: JsonObject | None) -> JsonObject:
    description = flag.get("description") if flag is not None else None
    return section_of(description if isinstance(description, str) else None) or {}


def _mark(api: Api, name: str, flag: JsonObject | None) -> Mark | None:
    """The mark of the last write, also of one that archived the flag."""
    there = flag if flag is not None else api.archived(name)
    description = there.get("description") if there is not None else None
    return mark_of(description if isinstance(description, str) else None)


def _settle(api: Api, name: str, flag: JsonObject | None, mark: Mark | None, fence: int) -> None:
    """Keep the fence of a write that finds its work done."""
    due = Mark(fence=fence, environment=api.environment)
    if mark == due:
        return
    if flag is None and mark is not None and mark.is_of(api.environment):
        clear_archived(api, name)
    if flag is not None or mark is not None:
        api.change(name, description=text_of(due))
    elif api.create(name, "experiment", text_of(due)):
        api.archive(name)


def _is_closing(found: JsonObject | None, before: JsonObject | None, after: JsonObject | None) -> bool:
    """Whether a removal, or what undoes one, finds what a removal leaves that ended after its first call: closing comes
    before anything is written about it."""
    entry = before if after is None else after if before is None else None
    flag = entry.get("flag") if entry is not None else None
    return entry is not None and isinstance(flag, dict) and same(found, {**entry, "flag": {**flag, "on": False}})


def _layer_of(entry: JsonObject | None) -> str | None:
    layer = entry.get("layer") if entry is not None else None
    name = layer.get("flag") if isinstance(layer, dict) else None
    return name if isinstance(name, str) else None


@contextmanager
def _alone(location: str) -> Generator[None]:
    """Unleash takes every write, so those of ours at least take turns."""
    guard = turns_of(location)
    if not guard.acquire(LOCK_SECONDS):
        raise BackendFailed(
            f"Another write to this environment of Unleash took more than {LOCK_SECONDS:.0f} seconds.",
            next="Repeat the call.",
            retryable=True,
        )
    try:
        yield
    finally:
        guard.release()

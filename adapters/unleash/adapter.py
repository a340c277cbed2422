"""The adapter: one environment of a project in Unleash, whose SDKs assign the units."""

from __future__ import annotations

import re

from ...core.assignment import Hashing
from ...core.documents import JsonObject, same
from ...core.model.delivery import Assignment
from ...core.model.experiment import EXPERIMENT_KEY
from ...core.ports.backend import Foreign, Probe, Standing
from ...core.ports.capabilities import Capabilities, Promises
from ..descriptions import section_in, section_text
from ..entries import require_before, require_name, too_late
from ..owners import Owner, adopted, nobody, owner_of, require_ours, with_owner
from ..owners import is_ours as bears_our_mark
from ..system import SystemAssigner
from ..turns import alone
from .api import Api, api_of
from .capabilities import CAPABILITIES, PROMISES
from .entry import compile_entry, replace_coverage, replace_previews
from .foreign import foreign_in
from .hashing import UnleashHashing, layer_flag
from .marks import Mark, mark_of
from .reading import LAYERS, depending_on, entry_of, is_ours, lets_in
from .settings import UnleashSettings
from .writing import clear_archived, name_taken, put, take_out

DOCUMENT = "flags"
LOCK_SECONDS = 30.0
"""How long a write waits for the others of this process; each takes a dozen calls."""


class Unleash(SystemAssigner[UnleashSettings]):
    """An assigner. `Capabilities` says what Unleash cannot express; `entry.py` what an entry is.

    An experiment is a flag of its name, whose variants carry its parameters as JSON. It depends on slots of the flag
    `crossfade.<environment>.<surface>.<layer>`. The flag `crossfade.owner.<Unleash's environment>` is the owner's mark.
    """

    kind: str = "unleash"
    model = UnleashSettings
    document: str = DOCUMENT
    told: str = "An environment of Unleash"
    promises: Promises = PROMISES
    capabilities: Capabilities = CAPABILITIES

    def __init__(self, owner: Owner = nobody) -> None:
        self.hashing: Hashing = UnleashHashing()
        super().__init__(owner)

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        """The entry for an assignment. Pure.

        Raises:
            Invalid: Unleash cannot express it.
        """
        return compile_entry(assignment)

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        where = self._chosen(settings)
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
        api = api_of(self._chosen(settings, document))
        flag = api.flag(require_name(entry, "entry"))
        if flag is not None and not is_ours(api, flag):
            raise name_taken(entry)
        return wanted

    def standing(self, settings: JsonObject, document: str, entry: str, delivered: JsonObject) -> Standing:
        return Standing(actual=self.read(settings, document, entry), due=delivered, shadows=[])

    def foreign(self, settings: JsonObject) -> list[Foreign]:
        return foreign_in(api_of(self._chosen(settings)))

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        """Raises Invalid where they are more units than Unleash takes."""
        return replace_previews(entry, previews)

    def with_coverage(self, entry: JsonObject, coverage: float) -> JsonObject:
        """Raises Invalid where the coverage is no whole percentage."""
        return replace_coverage(entry, coverage)

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        where = self._chosen(settings)
        return self._strangers(section_in(api_of(where).flag(_owner_flag(where))) or {})

    def probe(self, settings: JsonObject) -> Probe:
        where = self._chosen(settings)
        api = api_of(where)
        api.require_environment()
        api.require_rights()
        section = section_in(api.flag(_owner_flag(where))) or {}
        return Probe(bears_our_mark(section, self._owner()), self._strangers(section), api.version())

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        where = self._chosen(settings)
        api, name = api_of(where), _owner_flag(where)
        with alone(where.location, "this environment of Unleash", LOCK_SECONDS):
            flag = api.flag(name)
            if flag is not None:
                api.change(name, description=section_text(adopted(section_in(flag) or {}, before, self._owner())))

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        where = self._chosen(settings, document)
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
        where, name = self._chosen(settings, document), require_name(entry, "entry")
        api = api_of(where)
        with alone(where.location, "this environment of Unleash", LOCK_SECONDS):
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
            begins = Mark.begun(before, after, fence, environment=where.environment)
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
        section = section_in(flag) or {}
        if flag is None:
            return
        require_ours(section, owner)
        if owner is not None and owner_of(section) is None:
            api.change(name, description=section_text(with_owner({}, owner)))


def _owner_flag(settings: UnleashSettings) -> str:
    return f"{LAYERS}owner.{settings.environment}"


def _mark(api: Api, name: str, flag: JsonObject | None) -> Mark | None:
    """The mark of the last write, also of one that archived the flag."""
    there = flag if flag is not None else api.archived(name)
    return mark_of(there.get("description")) if there is not None else None


def _settle(api: Api, name: str, flag: JsonObject | None, mark: Mark | None, fence: int) -> None:
    """Keep the fence of a write that finds its work done."""
    due = Mark(fence=fence, environment=api.environment)
    if mark == due:
        return
    if flag is None and mark is not None and mark.is_of(api.environment):
        clear_archived(api, name)
    if flag is not None or mark is not None:
        api.change(name, description=due.text)
    elif api.create(name, "experiment", due.text):
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

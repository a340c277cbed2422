"""The adapter: an account of Confidence, whose resolver assigns the units."""

from __future__ import annotations

import re

from ...core.assignment import Hashing
from ...core.documents import JsonObject, same
from ...core.model.delivery import Assignment
from ...core.model.experiment import EXPERIMENT_KEY
from ...core.ports.backend import Probe, Standing
from ...core.ports.capabilities import Capabilities, Promises
from ..descriptions import section_in, section_text
from ..entries import require_before, require_name, too_late
from ..owners import Owner, adopted, nobody, owner_of, require_ours, with_owner
from ..owners import is_ours as bears_our_mark
from ..system import SystemAssigner
from ..turns import alone
from .api import Api, api_of
from .capabilities import CAPABILITIES, PROMISES
from .entry import OWNER_FLAG, closed, compile_entry, layer_tag, replace_coverage, replace_previews
from .marks import Mark
from .reading import entry_of, is_our_flag, lets_in, mark_in
from .settings import ConfidenceSettings
from .writing import put, take_out

DOCUMENT = "flags"
LOCK_SECONDS = 30.0
"""How long a write waits for the others of this process; each takes a dozen calls."""


class Confidence(SystemAssigner[ConfidenceSettings]):
    """An assigner that gives out units itself. `Capabilities` says what it cannot express; `entry.py` what an entry is.

    An experiment is a flag of its name, whose variants carry its parameters. Its rule meets a segment of its own, which
    excludes all others with its layer's tag. The flag `crossfade-owner` is the owner's mark.
    """

    kind: str = "confidence"
    model = ConfidenceSettings
    document: str = DOCUMENT
    told: str = "An account of Confidence"
    promises: Promises = PROMISES
    capabilities: Capabilities = CAPABILITIES
    hashing: Hashing | None = None

    def __init__(self, owner: Owner = nobody) -> None:
        super().__init__(owner)

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        """The entry for an assignment. Pure.

        Raises:
            Invalid: Confidence cannot express it.
        """
        return compile_entry(assignment)

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        where = self._chosen(settings)
        found = lets_in(api_of(where), where, layer_tag(layer) if layer is not None else None)
        return [(DOCUMENT, name) for name in sorted(found) if re.fullmatch(EXPERIMENT_KEY, name)]

    def fitted(self, settings: JsonObject, document: str, entry: str, wanted: JsonObject) -> JsonObject:
        return wanted

    def standing(self, settings: JsonObject, document: str, entry: str, delivered: JsonObject) -> Standing:
        return Standing(actual=self.read(settings, document, entry), due=delivered, shadows=[])

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        return replace_previews(entry, previews)

    def with_coverage(self, entry: JsonObject, coverage: float) -> JsonObject:
        return replace_coverage(entry, coverage)

    def closed(self, entry: JsonObject) -> JsonObject | None:
        return closed(entry)

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        api = api_of(self._chosen(settings))
        return self._strangers(section_in(api.flag(OWNER_FLAG)) or {})

    def probe(self, settings: JsonObject) -> Probe:
        api = api_of(self._chosen(settings))
        section = section_in(api.flag(OWNER_FLAG)) or {}
        return Probe(bears_our_mark(section, self._owner()), self._strangers(section))

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        where = self._chosen(settings)
        api = api_of(where)
        with alone(f"confidence {where.flags_url}", "Confidence", LOCK_SECONDS):
            flag = api.flag(OWNER_FLAG)
            if flag is not None:
                section = adopted(section_in(flag) or {}, before, self._owner())
                api.change_flag(OWNER_FLAG, description=section_text(section))

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        where = self._chosen(settings, document)
        api = api_of(where)
        return entry_of(api, where, entry, api.flag(require_name(entry, "entry")))

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
        with alone(f"confidence {where.flags_url}", "Confidence", LOCK_SECONDS):
            self._require_ours(api)
            flag = api.flag(name)
            mark = mark_in(flag)
            if mark is not None and mark.fence > fence:
                raise too_late()
            found = entry_of(api, where, name, flag)
            half = mark is not None and mark.covers(before, after)
            if same(found, after) and not _is_owing(mark, after):
                _settle(api, name, flag, mark, fence, where.place)
                return
            if not half and not same(found, after):
                require_before(found, before)
            # What the last write left is remembered.
            segments = mark.segments if mark is not None else {}
            due = Mark.begun(before, after, fence, place=where.place, segments=segments)
            if after is None:
                take_out(api, where, name, flag, due)
            else:
                put(api, where, name, flag, after, due)

    def _require_ours(self, api: Api) -> None:
        """Mark the account as ours, unless it is another store's. Of stores that race for it one makes the flag."""
        flag, owner = api.flag(OWNER_FLAG), self._owner()
        if flag is None and owner is not None and not api.create_flag(OWNER_FLAG, "owner", _owned_by(owner)):
            flag = api.flag(OWNER_FLAG)
        if flag is None:
            return
        section = section_in(flag) or {}
        require_ours(section, owner)
        if owner is not None and owner_of(section) is None:
            api.change_flag(OWNER_FLAG, description=_owned_by(owner))


def _owned_by(owner: str) -> str:
    return section_text(with_owner({}, owner))


def _is_owing(mark: Mark | None, after: JsonObject | None) -> bool:
    """Whether a write that finds its work done has to go on: one broke off, or segments of what is gone have units."""
    return mark is not None and (not mark.done or (after is None and mark.holds_units))


def _settle(api: Api, name: str, flag: JsonObject | None, mark: Mark | None, fence: int, place: str) -> None:
    """Keep the fence of a write that finds its work done."""
    if flag is None:
        api.create_flag(name, "experiment", Mark(fence=fence, place=place).text)
    elif is_our_flag(flag):
        known = mark.segments if mark is not None else {}
        due = Mark(fence=fence, place=place, segments=known)
        if mark != due:
            api.change_flag(name, description=due.text)

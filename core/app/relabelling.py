"""Change how an experiment that was launched is described, and nothing of what it does."""

from __future__ import annotations

from pydantic import JsonValue

from ..documents import JsonObject, canonical, patch_object, require_storable
from ..errors import Conflict, NotAllowed
from ..model.answers import Checked
from ..model.experiment import DESCRIPTIVE, Record, Spec
from ..model.plan import AuditEvent
from ..ports.store import Reader
from . import calls
from .dependencies import Dependencies
from .views import checked, differences

SHOWN = 60


def relabel(deps: Dependencies, record: Record, version: int, fixes: list[str], changes: JsonObject) -> Checked:
    """The next version of an experiment in flight, with other words. A repeat of the call that made it is safe.

    Raises:
        NotAllowed: the changes touch what units get or what is concluded, which is a restart; the launch still waits
            for its day, and rests on the spec as it was agreed to; or it would be no spec any more.
        Conflict: another call has changed it since `version`.
        Invalid: the changes cannot be stored.
    """
    if fixes or record.state == "scheduled" or not changes.keys() <= set(DESCRIPTIVE):
        raise _restart(record, [name for name in changes if name not in DESCRIPTIVE])
    with deps.store.write() as tx:
        if record.version == version + 1:
            return _repeated(tx, record, version, changes)
        document = patch_object(record.document, changes)
        require_storable(document, "the spec")
        if Spec.of(document) is None:
            message = "With these changes it would be no spec any more."
            raise NotAllowed(message, pointer="/changes", allowed=list(DESCRIPTIVE), next=calls.look_at(record.key))
        now = deps.clock.now()
        newer = record.model_copy(update={"version": record.version + 1, "document": document, "updated": now})
        tx.update_experiment(newer, version)
        before, after, what = _told(record.document, changes), _told(document, changes), "experiment_relabelled"
        tx.audit(AuditEvent(at=now, who=deps.actor, what=what, subject=record.key, before=before, after=after))
    return _answer(record.document, newer)


def _repeated(view: Reader, record: Record, version: int, changes: JsonObject) -> Checked:
    earlier = view.experiment(record.key, version)
    if earlier is None or canonical(patch_object(earlier.document, changes)) != canonical(record.document):
        raise Conflict(
            f"{record.key} is at version {record.version} now.",
            pointer="/version",
            got=version,
            allowed=[str(record.version)],
            next=calls.look_at(record.key),
        )
    return _answer(earlier.document, record)


def _told(document: JsonObject, changes: JsonObject) -> JsonObject:
    return {name: document.get(name) for name in changes}


def _answer(before: JsonObject, record: Record) -> Checked:
    changed = differences(before, record.document, SHOWN)
    return checked(None, [], record, following=calls.look_at(record.key), changed=changed)


def _restart(record: Record, names: list[str]) -> NotAllowed:
    what = f"{', '.join(names)}: that is what units get or what is concluded" if names else "A launched spec stands"
    return NotAllowed(
        f"{record.key} is {record.state}. {what}, so another value is another experiment: create one with "
        f'from="{record.key}". Only words can change now, and by a ramp how many units are let in.',
        pointer="/changes",
        got=list[JsonValue](names[:10]) or record.state,
        allowed=list(DESCRIPTIVE),
        next=calls.follow_up(record),
    )

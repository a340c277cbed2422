"""Create, change and validate drafts."""

from __future__ import annotations

from ..checks.all_checks import LAUNCH_CHECKS
from ..checks.engine import Case, findings_of
from ..checks.shape import read_spec
from ..documents import JsonObject, changed_leaves, digest, patch_object, require_storable, same
from ..errors import Conflict, Invalid, NotAllowed, NotFound
from ..model.answers import Checked
from ..model.brief import Brief
from ..model.catalogue import Catalogue
from ..model.experiment import Record, Spec, changes_from, substance
from ..model.finding import Finding
from ..model.plan import AuditEvent
from ..names import nearest, same_name
from ..planning.buckets import free_by_layer, layer_name
from ..planning.generate import generate, generated_key, still_generated
from ..planning.slots import whole_slots
from ..ports.capabilities import ANYTHING
from ..ports.store import Reader, Writer
from . import calls
from .cases import examine, production_of, require
from .dependencies import Dependencies
from .following import next_call
from .refusing import require_no_claims
from .relabelling import relabel
from .resizing import is_sized, resized
from .views import checked, differences

SHOWN_CHANGE = 140
"""Most characters of a value in the list of changes: an order of ten items fits."""


def create(deps: Dependencies, brief: Brief) -> Checked:
    """Generate a full spec from a brief, check it and keep it as a draft.

    The same brief under the same key gives the same draft again, whatever has become of it since.

    Raises:
        NotFound: unknown surface, or `iterates` names no experiment.
        Conflict: the key belongs to an experiment made from another brief.
        Invalid: text too long, nesting too deep, a number that is not finite.
        NotAllowed: `more` decides what only a person decides.
    """
    catalogue = deps.catalogue.current()
    asked = brief.model_dump(mode="json")
    require_storable(asked, "the brief")
    require_no_claims(deps, "create_experiment", None, brief.more, "/more")
    brief = brief.model_copy(update={"surface": known_surface(catalogue, brief.surface)})
    request = digest(asked)
    with deps.store.read() as view:
        key = _key_for(view, brief, request)
        again = view.experiment(key)
        if again is not None:
            return _same_request(deps, catalogue, view, again, request)
        can = deps.capabilities(catalogue, brief.surface, catalogue.default_environment) or ANYTHING
        situation = _situation(deps, catalogue, view, brief, can.slots)
        draft = generate(brief, catalogue, *situation, deps.clock.now().date(), can)
        _require_earlier(view, draft.document, "/more/iterates")
        now = deps.clock.now()
        record = Record(
            key=key,
            version=1,
            state="draft",
            document=draft.document,
            generated=draft.generated,
            request_digest=request,
            created=now,
            updated=now,
        )
        case, findings = examine(deps, catalogue, view, key, draft.document, chosen=draft.generated)
        following = next_call(deps, catalogue, view, record, findings)
    try:
        with deps.store.write() as tx:
            tx.insert_experiment(record)
            tx.audit(_event(deps, "experiment_created", key, None, draft.document))
    except Conflict:
        with deps.store.read() as view:
            return _same_request(deps, catalogue, view, require(view, key), request)
    return checked(case, findings, record, following=following, generated=draft.generated)


def _key_for(view: Reader, brief: Brief, request: str) -> str:
    """The key asked for, or one made from the brief. An iteration may well have its predecessor's words: it gets a
    number."""
    made = brief.key or generated_key(brief)
    if brief.key is not None or brief.iterates is None:
        return made
    key, number = made, 2
    while (taken := view.experiment(key)) is not None and taken.request_digest != request:
        key, number = f"{made}-{number}", number + 1
    return key


def known_surface(catalogue: Catalogue, name: str) -> str:
    """The surface's key, forgiving case and `_`/`-`.

    Raises:
        NotFound: with the nearest keys.
    """
    found = name if name in catalogue.surfaces else same_name(name, catalogue.surfaces)
    if found is None:
        raise NotFound(
            "The catalogue has no such surface.",
            pointer="/surface",
            got=name[:100],
            allowed=sorted(catalogue.surfaces)[:20],
            nearest=nearest(name, catalogue.surfaces),
            next=calls.find_surfaces(),
        )
    return found


def _require_earlier(view: Reader, document: JsonObject, at: str) -> None:
    """
    Raises:
        NotFound: the document iterates on an experiment that there is not.
    """
    earlier = document.get("iterates")
    if isinstance(earlier, str) and view.experiment(earlier) is None:
        raise NotFound(
            "It is to follow an experiment that does not exist.",
            pointer=at,
            got=earlier[:100],
            nearest=nearest(earlier, view.keys()),
            next=calls.find_experiments(),
        )


def _situation(
    deps: Dependencies, catalogue: Catalogue, view: Reader, brief: Brief, slots: int
) -> tuple[JsonObject, dict[str, int], Spec | None]:
    environment = catalogue.default_environment
    surface = catalogue.surfaces[brief.surface]
    names = {layer: layer_name(environment, brief.surface, layer) for layer in surface.layers}
    held = whole_slots(view.held(*names.values()), slots)
    room = free_by_layer(held, names.values())
    free = {layer: room[name] for layer, name in names.items()}
    earlier: Spec | None = None
    if brief.iterates is not None:
        read = read_spec(require(view, brief.iterates).document)
        earlier = read if isinstance(read, Spec) else None
    return production_of(deps, catalogue, brief.surface, environment), free, earlier


def _same_request(deps: Dependencies, catalogue: Catalogue, view: Reader, record: Record, request: str) -> Checked:
    if record.request_digest != request:
        raise Conflict(
            "The key belongs to an experiment with another brief.",
            pointer="/key",
            got=record.key,
            next=f"pass another key, or {calls.update(record.key, record.version, changes='{...}')}",
        )
    case, findings = examine(deps, catalogue, view, record.key, record.document, chosen=record.generated)
    draft = record.state == "draft"
    following = next_call(deps, catalogue, view, record, findings) if draft else calls.look_at(record.key)
    return checked(case, findings, record, following=following, generated=record.generated)


def validate(deps: Dependencies, spec: JsonObject) -> Checked:
    """Check a spec that is stored nowhere.

    Raises:
        Invalid: as for `create`.
        NotAllowed: the spec decides what only a person decides.
    """
    require_storable(spec, "the spec")
    require_no_claims(deps, "validate_experiment", None, spec, "/spec")
    catalogue = deps.catalogue.current()
    with deps.store.read() as view:
        case, findings = examine(deps, catalogue, view, "", spec)
    blocked = any(finding.blocks for finding in findings)
    following = "mend the spec and validate it again" if blocked else calls.create_the_same()
    return checked(case, findings, None, following=following)


def update(deps: Dependencies, key: str, version: int, fixes: list[str], changes: JsonObject) -> Checked:
    """Apply fixes by id, then a merge patch, to a draft's version; of what was launched, other words only.

    A repeat of the call that made the current version answers with that version.

    Raises:
        NotFound: no such experiment.
        NotAllowed: it is no draft any more, or the changes decide what only a person decides.
        Conflict: another call has changed the draft since `version`.
        Invalid: a fix id that no finding offers; or nothing to change.
    """
    require_storable(changes, "the changes")
    require_no_claims(deps, "update_experiment", key, changes, "/changes")
    catalogue = deps.catalogue.current()
    with deps.store.read() as view:
        record = require(view, key)
        if not fixes and not changes:
            raise Invalid("Name fixes or changes.", next=calls.look_at(key))
        launched = record.state != "draft"
    if launched:
        return relabel(deps, record, version, fixes, changes)
    with deps.store.read() as view:
        record = require(view, key)
        _require_draft(record)
        if record.version != version:
            return _repeat(deps, catalogue, view, record, version, fixes, changes)
        document, reasons = _changed(deps, catalogue, view, record, fixes, changes)
        require_storable(document, "the spec")
        _require_earlier(view, document, "/changes/iterates")
        changed = [at for at, _, _ in changed_leaves(record.document, document)]
        newer = _next_version(deps, record, document, changed, reasons) if changed else record
        other = substance(document) != substance(record.document)
        case, findings = examine(deps, catalogue, view, key, document, chosen=newer.generated, fresh=other)
        following = next_call(deps, catalogue, view, newer, findings)
    if changed:
        try:
            with deps.store.write() as tx:
                _require_draft(require(tx, key))  # a launch that has begun since keeps the version
                tx.update_experiment(newer, version)
                if other:
                    _end_overrides(tx, key, document)
                tx.audit(_event(deps, "experiment_updated", key, record.document, document))
        except Conflict:
            with deps.store.read() as view:
                return _repeat(deps, catalogue, view, require(view, key), version, fixes, changes)
    return _updated(case, findings, newer, following, record.document, reasons)


def _updated(
    case: Case | None,
    findings: list[Finding],
    record: Record,
    following: str,
    before: JsonObject,
    reasons: dict[str, str],
) -> Checked:
    """The answer to an update: what is different now. What only informs was told when the draft was made, and the size
    depends on no variant's values."""
    news = [finding for finding in findings if finding.severity != "info"]
    changed = differences(before, record.document, SHOWN_CHANGE)
    resized = any("/parameters/" not in at for at in changed)
    return checked(case if resized else None, news, record, following=following, generated=reasons, changed=changed)


def _next_version(
    deps: Dependencies, record: Record, document: JsonObject, changed: list[str], reasons: dict[str, str]
) -> Record:
    return record.model_copy(
        update={
            "version": record.version + 1,
            "document": document,
            "generated": still_generated(record.generated, changed) | reasons,
            "updated": deps.clock.now(),
        }
    )


def _end_overrides(tx: Writer, key: str, document: JsonObject) -> None:
    """What was said of the same document before it was changed, and changed back, ended with the first change."""
    spec = substance(document)
    for each in tx.overrides(key, spec):
        tx.remove_override(key, spec, each.code, each.pointer)


def _require_draft(record: Record) -> None:
    if record.state != "draft":
        allowed = changes_from(record.state)
        raise NotAllowed(
            f"{record.key} is {record.state}; only a draft can be changed. To try something else, create an experiment "
            f'with from="{record.key}".',
            got=record.state,
            allowed=list(allowed),
            next=calls.plan(record.key, allowed[0]) if allowed else calls.follow_up(record),
        )


def _changed(
    deps: Dependencies, catalogue: Catalogue, view: Reader, record: Record, fixes: list[str], changes: JsonObject
) -> tuple[JsonObject, dict[str, str]]:
    """(the document after fixes and changes, pointer -> why for what was chosen again)."""
    document = record.document
    if fixes:
        case, findings = examine(deps, catalogue, view, record.key, document, chosen=record.generated)
        if case is not None:
            findings = [*findings, *findings_of(LAUNCH_CHECKS, case)]  # a plan's reply offers their fixes too
        for patch in _patches(findings, fixes, record):
            document = patch_object(document, patch)
    document = patch_object(document, changes)
    if fixes or not is_sized(deps, catalogue, record):
        return resized(deps, catalogue, view, record, document)
    return document, {}


def _patches(findings: list[Finding], fixes: list[str], record: Record) -> list[JsonObject]:
    offered = {fix.id: fix.patch for finding in findings for fix in finding.fixes}
    unknown = [fix for fix in fixes if fix not in offered]
    if unknown:
        raise Invalid(
            f"No finding of version {record.version} offers this fix.",
            pointer="/fixes",
            got=unknown[0][:100],
            allowed=sorted(offered)[:20],
            nearest=nearest(unknown[0], offered),
            next=calls.look_at(record.key),
        )
    return [offered[fix] for fix in fixes]


def _repeat(
    deps: Dependencies,
    catalogue: Catalogue,
    view: Reader,
    record: Record,
    version: int,
    fixes: list[str],
    changes: JsonObject,
) -> Checked:
    """The answer to a call that names an older version: the same answer when it made the current one."""
    before = view.experiment(record.key, version) if version == record.version - 1 else None
    if before is not None:
        try:
            document, reasons = _changed(deps, catalogue, view, before, fixes, changes)
        except Invalid:
            document, reasons = {}, {}
        if same(document, record.document):
            case, findings = examine(deps, catalogue, view, record.key, record.document, chosen=record.generated)
            following = next_call(deps, catalogue, view, record, findings)
            return _updated(case, findings, record, following, before.document, reasons)
    raise Conflict(
        f"{record.key} is at version {record.version} now.",
        pointer="/version",
        got=version,
        allowed=[str(record.version)],
        next=f"{calls.look_at(record.key)}, then {calls.update(record.key, record.version, changes='{...}')}",
    )


def _event(
    deps: Dependencies, what: str, subject: str, before: JsonObject | None, after: JsonObject | None
) -> AuditEvent:
    return AuditEvent(at=deps.clock.now(), who=deps.actor, what=what, subject=subject, before=before, after=after)

"""Find experiments, and look at one."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from .. import audience as audiences
from ..checks.schedule import SWEEPER_LIVE
from ..checks.shape import read_spec
from ..documents import JsonObject, canonical
from ..errors import CatalogueBroken, Invalid
from ..model.answers import Experiment, ExperimentLine, Experiments, OperationView, VariantView
from ..model.experiment import Change, MetricUse, Record, Spec, State, Variant, changes_from, substance
from ..model.finding import Finding
from ..model.plan import BucketRange, Operation, Place, width
from ..planning.agenda import due_text, stage_text
from ..planning.drift import Delivery
from ..ports.backend import allocates
from ..ports.store import Due, Exposure, Match, Reader, Summary
from ..wording import cut
from . import calls
from .approving import one_line, reason
from .cases import examine, require
from .dependencies import Dependencies
from .drift import drift_of, watched
from .excerpts import readable
from .following import next_call, sweeper_hint
from .inflight import in_flight
from .operations import told_time
from .views import bucket_texts, finding_view, first_of, listed_first, short, with_findings
from .widening import overrides_of

At = TypeVar("At", float, datetime)

SHOWN_NAME = 60
SHOWN_TITLE = 100
SHOWN_HYPOTHESIS = 300
SHOWN_WANTED = 160
"""Most characters of a parameter's value; `full` has the spec."""
SHOWN_AUDIENCE = 400
SHOWN_ALTERNATIVES = 8
SHOWN_VARIANTS = 6
SHOWN_NAMED = 8
SHOWN_METRICS = 12
MAX_WORDS = 32
MAX_CURSOR = 400


def find_experiments(
    deps: Dependencies,
    query: str,
    surface: str | None,
    state: State | None,
    owner: str | None,
    limit: int,
    cursor: str | None,
) -> Experiments:
    """Experiments by words, the best fit first, or without words the last changed first."""
    words = query.split()
    if len(words) > MAX_WORDS:
        raise Invalid(f"A query has at most {MAX_WORDS} words.", pointer="/query", got=len(words))
    states = frozenset[State]({state}) if state else None
    with deps.store.read() as view:
        if words:
            last = _decode(cursor, _score) if cursor else None
            found: Sequence[Summary] = view.matching(
                query, surface=surface, states=states, owner=owner, after=last, limit=limit + 1
            )
        else:
            seen = _decode(cursor, _moment) if cursor else None
            found = view.search(surface=surface, states=states, owner=owner, after=seen, limit=limit + 1)
        shown, more = found[:limit], len(found) > limit
        exposures = view.exposures([each.key for each in shown])
    first = shown[0].key if shown else None
    return Experiments(
        experiments=[_line(each, exposures.get(each.key)) for each in shown],
        cursor=_encode(shown[-1]) if more else None,
        next=calls.look_at(first) if first else f"{calls.find_surfaces()} starts a new one",
    )


def _line(summary: Summary, exposure: Exposure | None) -> ExperimentLine:
    return ExperimentLine(
        key=summary.key,
        state=summary.state,
        name=cut(summary.name, SHOWN_NAME),
        surface=summary.surface,
        owner=summary.owner,
        updated=f"{summary.updated:%Y-%m-%d %H:%M}",
        stage=_stage(exposure),
    )


def _stage(exposure: Exposure | None) -> str | None:
    """The stage of a ramp, while it lets in a part only."""
    if exposure is None or exposure.coverage >= 1:
        return None
    return stage_text(exposure.stage, exposure.stages, exposure.coverage)


def _encode(last: Summary) -> str:
    """Where the next page goes on: after a score among matches, else after a moment; ties by key."""
    at = last.score if isinstance(last, Match) else last.updated.isoformat()
    return base64.urlsafe_b64encode(json.dumps([at, last.key]).encode()).decode().rstrip("=")


def _decode(cursor: str, read: Callable[[Any], At]) -> tuple[At, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, key = json.loads(base64.urlsafe_b64decode(padded[:MAX_CURSOR]))
        return read(at), str(key)
    except (ValueError, TypeError, OverflowError) as error:
        message = "Pass the cursor as the last reply gave it, with the same query."
        raise Invalid(message, pointer="/cursor", got=cursor[:40]) from error


def _score(number: Any) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError("a cursor's score is a number")
    return float(number)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a cursor's time is aware")
    return moment.astimezone(UTC)


def get_experiment(deps: Dependencies, key: str, *, full: bool, version: int | None, whole: bool = False) -> Experiment:
    """One experiment as it is now, or as it was at a version. What was launched is looked for in its backends, after
    the store has been read; a backend that is down is told.

    Args:
        full: also every finding, the spec, and why values were chosen, as far as a model can read at once.
        whole: all of that, whatever its size.

    Raises:
        NotFound: no such experiment or version.
    """
    with deps.store.read() as view:
        record = require(view, key, version)
        current = version is None or require(view, key).version == version
        now = _now(view, key)
        if current:
            ready, findings, following = _readiness(deps, view, record, now)
        else:
            ready, findings, following = None, list[Finding](), calls.look_at(key)
        deliveries = watched(view, record, now.last) if current else None
        answer = {
            "key": record.key,
            "version": record.version,
            "state": record.state,
            "ready": ready,
            "overridden": first_of(_overridden(view, record, findings), SHOWN_NAMED),
            "name": cut(str(record.document.get("name", record.key)), SHOWN_TITLE),
            "surface": record.surface,
            "owner": record.owner,
            **_designed(record, _audience_text(deps, record)),
            **(_delivered(deps, view, record, now, deliveries, full=full) if current else {}),
            "spec": record.document if full else None,
            "generated": record.generated if full else None,
        }
    drift, mended = drift_of(deps, record, deliveries or [])
    shown = Experiment.model_validate({**answer, "next": mended or following})
    if whole:
        return shown.model_copy(update={"findings": [finding_view(each) for each in (*findings, *drift)] or None})
    if full:
        return readable(shown, record, [*findings, *drift])
    told = [*(finding for finding in findings if finding.blocks or record.state != "draft"), *drift]
    return with_findings(shown, told) if told else shown


@dataclass(frozen=True)
class _Now:
    """What the store says of an experiment beside its record, each read once for one look."""

    last: Operation | None
    stage: str | None
    agenda: list[Due]


def _now(view: Reader, key: str) -> _Now:
    return _Now(view.last_operation(key), _stage(view.exposures([key]).get(key)), view.agenda(key))


def _overridden(view: Reader, record: Record, findings: list[Finding]) -> JsonObject:
    """Finding -> why a person lets it stand: of a draft those it still has, else those it was launched under."""
    if record.state == "draft":
        return overrides_of(findings)
    return {f"{each.code} {each.pointer}": str(each) for each in view.overrides(record.key, substance(record.document))}


def _audience_text(deps: Dependencies, record: Record) -> str:
    """The audience in normal form; as it was written when it, or the catalogue, cannot be read."""
    raw = record.document.get("audience", {})
    written = raw if isinstance(raw, str) else canonical(raw)
    if isinstance(raw, dict | str):
        with suppress(CatalogueBroken):
            audience, faults = audiences.parse(raw, deps.catalogue.current().attributes)
            written = written if faults else audiences.described(audience, SHOWN_ALTERNATIVES)
    return cut(written, SHOWN_AUDIENCE)


def _designed(record: Record, audience: str) -> dict[str, object]:
    """What the spec says, in short; nothing for a draft that is no spec yet."""
    spec = read_spec(record.document)
    if not isinstance(spec, Spec):
        return {}
    variants = list(spec.variants)
    return {
        "hypothesis": cut(_hypothesis_text(spec), SHOWN_HYPOTHESIS),
        "audience": audience,
        "allocation": spec.allocation,
        "days": spec.design.days,
        "variants": {name: _variant_view(spec.variants[name]) for name in variants[:SHOWN_VARIANTS]},
        "more_variants": listed_first(variants[SHOWN_VARIANTS:], SHOWN_NAMED) or None,
        "metrics": _metric_texts(spec),
    }


def _delivered(
    deps: Dependencies, view: Reader, record: Record, now: _Now, deliveries: list[Delivery] | None, *, full: bool
) -> dict[str, object]:
    """What the experiment holds and where it is served now; `full` adds where the time of the last change went."""
    last = now.last
    operation = last and OperationView(
        id=last.id,
        change=last.change,
        status=last.status,
        reason=last.reason,
        took=told_time(record, last) if full else None,
    )
    if deliveries is None:
        places = [each.place for each in view.placements(record.key)]
    else:
        places = [each.place for each in deliveries if each.desired is not None]
    return {
        "buckets": _held(deps, view.ranges_of(record.key), places) or None,
        "delivered": [f"{place.backend}/{place.document}" for place in places] or None,
        "previews": view.previews(record.key) or None,
        "stage": now.stage,
        "due": [due_text(each) for each in now.agenda] or None,
        "operation": operation,
    }


def _held(deps: Dependencies, ranges: list[BucketRange], places: list[Place]) -> list[str]:
    """The buckets that are held. Of an assigner that gives out units itself they are a number, and which is nothing."""
    if ranges and any(allocates(deps.backend(place.kind)) for place in places):
        return [f"{width(ranges)} in all, picked by the assigner"]
    return bucket_texts(ranges)


def _readiness(deps: Dependencies, view: Reader, record: Record, now: _Now) -> tuple[bool | None, list[Finding], str]:
    if record.state == "draft":
        catalogue = deps.catalogue.current()
        _, findings = examine(deps, catalogue, view, record.key, record.document)
        ready = not any(finding.blocks for finding in findings)
        return ready, findings, next_call(deps, catalogue, view, record, findings)
    findings = in_flight(deps, view, now.agenda)
    if now.last is not None and not now.last.settled:
        return None, findings, f"{calls.apply(now.last.handle)} continues the {now.last.change}"
    allowed: list[Change] = changes_from(record.state)
    if now.stage is not None and record.state == "running":
        allowed = ["ramp", *allowed]
    waiting = [each for each in now.agenda if each.kind == "start" and each.reason is None]
    if record.state == "scheduled" and waiting:  # which opens by itself, as somebody agreed
        allowed = [change for change in allowed if change != "launch"]
    if not allowed:
        return None, findings, calls.follow_up(record)
    following = " or ".join(calls.plan(record.key, change) for change in allowed)
    if any(finding.code == SWEEPER_LIVE.code for finding in findings):
        following = f"{sweeper_hint(deps)}; else {following}"
    return None, findings, following


def _hypothesis_text(spec: Spec) -> str:
    hypothesis = spec.hypothesis
    change = one_line(hypothesis.change).rstrip(". ")
    return f"{change}: {hypothesis.metric} will {hypothesis.direction}, because {reason(spec)}"


def _variant_view(variant: Variant) -> VariantView:
    parameters = {name: short(value, SHOWN_WANTED) for name, value in variant.parameters.items()}
    return VariantView(weight=variant.weight, control=variant.control or None, parameters=parameters or None)


def _metric_texts(spec: Spec) -> dict[str, str]:
    told = {name: _use_text(use) for name, use in list(spec.metrics.items())[:SHOWN_METRICS]}
    left = len(spec.metrics) - len(told)
    return told | ({"...": f"{left} more in the spec"} if left else {})


def _use_text(use: MetricUse) -> str:
    if use.role == "success" and use.mde is not None:
        return f"success, {use.mde:+.2%}"
    if use.margin is not None:
        return f"{use.role}, margin {use.margin:g}"
    return use.role

"""What became of an operation, step by step, and where its time went."""

from __future__ import annotations

from datetime import timedelta

from pydantic import JsonValue

from ..documents import JsonObject
from ..errors import NotFound
from ..model.experiment import Record
from ..model.plan import Operation, OperationStep
from .dependencies import Dependencies


def operation_document(deps: Dependencies, operation_id: str) -> JsonObject:
    """An operation with each of its steps, in seconds: waiting for its turn, in the backend, and in our own hands.

    Raises:
        NotFound: there is no such operation.
    """
    with deps.store.read() as view:
        found = view.operation(operation_id)
        record = view.experiment(found.key) if found is not None else None
    if found is None or record is None:
        message = "There is no operation of this id; an experiment's last one stands in its `operation`."
        raise NotFound(message, got=operation_id[:100])
    document: JsonObject = found.model_dump(
        mode="json", exclude_none=True, exclude={"steps", "fence", "lease_owner", "lease_until"}
    )
    steps = list[JsonValue](_step_document(each) for each in found.steps)
    return {**document, "took": told_time(record, found), "steps": steps}


def _step_document(each: OperationStep) -> JsonObject:
    done: JsonObject = each.model_dump(mode="json", exclude_none=True, include={"status", "attempts", "error", "at"})
    spent: JsonObject = {
        "queue": round(each.queue, 4),
        "backend": round(each.backend, 4),
        "own": round(each.own, 4),
    }
    opens = {"opens_traffic": True} if each.step.opens_traffic else {}
    return {"action": each.step.action, "target": each.step.target, **opens, **done, "seconds": spent}


def told_time(record: Record, operation: Operation) -> str:
    """Where the time of an operation went: in all, the slowest step and its larger part, and for a launch how long it
    took from the draft to there."""
    if operation.seconds is None:
        return f"begun {operation.started.isoformat(timespec='seconds')}, not ended"
    parts = [said_seconds(operation.seconds)]
    slowest = operation.slowest
    if slowest is not None and len(operation.steps) > 1:
        spent = {"waiting": slowest.queue, "in the backend": slowest.backend, "in Crossfade": slowest.own}
        where = max(spent, key=lambda part: spent[part])
        parts.append(f"slowest {slowest.step.target}: {said_seconds(slowest.seconds)}, most of it {where}")
    if operation.change == "launch" and operation.status == "applied" and operation.finished is not None:
        parts.append(f"{_said_lead(operation.finished - record.created)} from draft to running")
    return "; ".join(parts)


def said_seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def _said_lead(lead: timedelta) -> str:
    minutes = lead.total_seconds() / 60
    if minutes < 1:
        return said_seconds(lead.total_seconds())
    return (
        f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h" if minutes < 2_880 else f"{lead.days} days"
    )

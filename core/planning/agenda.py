"""When a ramp goes on by itself and when a schedule begins and ends: pure, in UTC, from the spec and a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from ..model.experiment import Spec
from ..ports.store import Due, Heartbeat
from ..wording import percent


def midnight(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime.combine(day, time(), UTC)


def end_of(day: date) -> datetime:
    """The first moment after a day, UTC, as far as the calendar goes."""
    return midnight(day + timedelta(days=1)) if day < date.max else midnight(day)


def stages_after(spec: Spec, stage: int, since: datetime) -> Iterator[tuple[int, datetime]]:
    """(stage, when it begins) of each that comes by itself after one that began at `since`. A stage without a duration
    ends the list: a person goes on from there."""
    for index in range(stage, len(spec.ramp)):
        lasts = spec.ramp[index].lasts
        if lasts is None:
            return
        since = since + lasts
        yield index + 1, since


def stage_text(stage: int, stages: int, coverage: float) -> str:
    """A stage, the first being 0, as people count."""
    share = "everybody" if coverage >= 1 else f"{percent(coverage)} of the allocation"
    return f"stage {stage + 1} of {stages}, {share}"


def then_text(spec: Spec, stage: int) -> str:
    """What follows a stage without anybody being asked again; "" where nothing does."""
    start = datetime(2000, 1, 1, tzinfo=UTC)
    following = [
        f"{_share(spec.coverages[index])} after {_lasting(at - start)}"
        for index, at in stages_after(spec, stage, start)
    ]
    return f"then, unasked: {', '.join(following)}" if following else ""


def is_swept(heartbeats: Iterable[Heartbeat], now: datetime) -> bool:
    """Whether a process that carries out what is due shows life: its last sign is younger than two of its intervals."""
    return any(now - each.at < timedelta(seconds=2 * each.every) for each in heartbeats)


def unasked(spec: Spec, stage: int, today: date) -> list[str]:
    """What has to be carried out with nobody at hand, in words, of an experiment that is at a stage of its ramp."""
    lasting = any(each.lasts is not None for each in spec.ramp[stage:])
    starts = spec.schedule.start is not None and spec.schedule.start > today
    told = {"the stages of its ramp": lasting, "its start": starts, "its end": spec.schedule.end is not None}
    return [what for what, there_is in told.items() if there_is]


def due_text(due: Due) -> str:
    what = f"stage {due.stage + 1}" if due.stage is not None else due.kind
    return f"{due.at:%Y-%m-%d %H:%M} UTC {what}"


def _share(coverage: float) -> str:
    return "everybody" if coverage >= 1 else percent(coverage)


def _lasting(span: timedelta) -> str:
    hours = round(span / timedelta(hours=1))
    count, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}"

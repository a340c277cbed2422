"""Operations: what ends a run that goes wrong, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ..documents import nest
from ..model.experiment import STOP_RULES
from .engine import Case, Check, Cure, Fault


def a_stop_rule_is_set(case: Case) -> Iterator[Fault]:
    """The spec says which alarms shall pause the run without waiting for a person.

    A broken split makes every number worthless, and a harmed guardrail harms more users each hour (Fabijan et al. 2019,
    "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments"). What stops a run is settled before anybody has
    seen a result that they would like to keep.
    """
    if not case.spec.stop:
        every = list[JsonValue](STOP_RULES)
        cure = Cure(f"pause on {' and '.join(STOP_RULES)}", nest("/stop", every))
        yield Fault("/stop", "Say what pauses the run.", allowed=list(STOP_RULES), cures=[cure])


def somebody_is_alerted(case: Case) -> Iterator[Fault]:
    """Somebody is told when the run pauses or an alarm goes off: an alarm that nobody hears ends nothing."""
    if not case.spec.alerts:
        owner = case.spec.owner.strip() or case.surface.owner
        cure = Cure(f"tell {owner}", nest("/alerts", [owner]))
        yield Fault("/alerts", "Name who is told of alarms.", cures=[cure])


CHECKS = (
    Check("operations.stop_rule", "block", a_stop_rule_is_set),
    Check("operations.alerts", "warn", somebody_is_alerted),
)

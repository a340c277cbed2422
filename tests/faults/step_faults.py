"""Each step of each change meets each fault, once and for as long as the process lives; then a sound process repeats
the call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from .processes import Worker
from .stage import Run, Stage, staged
from .table import Row
from .verifier import ENDED, read_store, verify

STEPS = {
    "launch": ("gallery", "payload"),
    "pause": ("payload",),
    "resume": ("gallery", "payload"),
    "stop": ("payload", "gallery"),
}
BEFORE = {"launch": (), "pause": ("launch",), "resume": ("launch", "pause"), "stop": ("launch",)}
ALWAYS = 1_000
FAULTS = (("error", 1), ("timeout", 1), ("timeout", ALWAYS), ("lost", 1))
MORE = (("error", ALWAYS), ("busy", 1), ("busy", ALWAYS), ("lost", ALWAYS))
"""Of the long form."""


@dataclass(frozen=True)
class Case:
    change: str
    fault: dict[str, Any]
    undoing: bool = False

    @property
    def name(self) -> str:
        times = "once" if self.fault["times"] == 1 else "always"
        return f"{self.change}, {self.fault['document']} {self.fault['how']} {times}{', undo' * self.undoing}"


def cases(faults: Sequence[tuple[str, int]]) -> list[Case]:
    forward = [
        Case(change, {"document": document, "how": how, "times": times})
        for change, documents in STEPS.items()
        for document, (how, times) in product(documents, faults)
    ]
    # The assigner refuses the launch, which turns round; then what takes the entries out again meets the fault.
    undo = [
        Case("launch", {"document": document, "how": how, "times": times, "only": "taken out"}, undoing=True)
        for document, (how, times) in product(("payload", "gallery"), faults)
    ]
    return forward + undo


def step_faults(run: Run, store: str, url: str | None) -> Row:
    """One experiment a case, in one home; the kill switch ends each."""
    row = Row("each step x {error, timeout, reply lost}", store)
    met = cases((*FAULTS, *MORE) if run.long else FAULTS)
    with staged(run, row.proof, url, hasty=True) as stage:
        sound = stage.worker()
        for number, case in enumerate(met):
            answers = _meet(stage, sound, case, f"case-{number}", row)
            found = verify(stage.place, answers, swept=False)
            if case.undoing and answers[0]["status"] == "applied":
                found.lost.append("a launch that was to be undone was applied")
            sound.ask("stop", key=f"case-{number}")
            found.add(verify(stage.place, answers))
            for kind in (found.lost, found.double, found.orphans):
                kind[:] = [f"{case.name}: {what}" for what in kind]
            row.faults.add(found)
        row.operations = len(read_store(stage.place).operations)
    row.told = f"{len(met)} cases"
    return row


def _meet(stage: Stage, sound: Worker, case: Case, key: str, row: Row) -> list[dict[str, Any]]:
    """What the caller is told in the end: by the broken process, or by a sound one when the call is repeated."""
    for change in BEFORE[case.change]:
        stage.launch(sound, key, change)
    if case.change == "launch":
        sound.ask("draft", key=key)
    digest = sound.ask("plan", key=key, change=case.change)["digest"]
    refusing = {"document": "payload", "how": "error", "times": 1, "only": "put"}
    broken = stage.worker(faults=[case.fault, refusing] if case.undoing else [case.fault])
    broken.send("apply", digest=digest)
    answer = broken.answer()
    broken.kill()
    if answer is not None and answer["value"]["status"] in ENDED:
        return [answer["value"]]
    row.repeats += 1
    return [sound.ask("apply", digest=digest)]

"""What a proof has found, and the table of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .verifier import Faults

HEAD = ("proof", "store", "operations", "repeats", "lost", "double", "orphans", "verdict")


@dataclass
class Row:
    """`operations` ended, `repeats` were answered with the operation that there was already. A control has a guard
    missing on purpose, so that it must find faults: where it finds none, the proof would find none either."""

    proof: str
    store: str = "SQLite"
    operations: int = 0
    repeats: int = 0
    faults: Faults = field(default_factory=Faults)
    control: bool = False
    told: str = ""
    not_run: str = ""

    @property
    def passed(self) -> bool:
        return bool(self.not_run) or bool(self.faults.all()) == self.control

    @property
    def verdict(self) -> str:
        if self.not_run:
            return f"NO PROOF: {self.not_run}"
        found = bool(self.faults.all())
        if self.control:
            return "fails, as it must" if found else "FOUND NOTHING, and must"
        return "FAULTS" if found else "holds"

    def cells(self) -> tuple[str, ...]:
        counts = (len(self.faults.lost), len(self.faults.double), len(self.faults.orphans))
        numbers = ("-",) * 5 if self.not_run else (*map(str, (self.operations, self.repeats, *counts)),)
        told = f" ({self.told})" if self.told else ""
        return (self.proof, self.store, *numbers, self.verdict + told)


def table(rows: Sequence[Row]) -> str:
    """The rows in columns, and below them what was found where nothing should be."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEAD))]
    shown = [
        "  ".join(_cell(text, width, 2 <= at <= 6) for at, (text, width) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    shown.insert(1, "  ".join("-" * width for width in widths))
    wrong = [
        f"{row.proof} ({row.store}): {fault}" for row in rows if not row.control for fault in row.faults.all()[:20]
    ]
    return "\n".join([*(line.rstrip() for line in shown), *wrong])


def _cell(text: str, width: int, number: bool) -> str:
    return text.rjust(width) if number else text.ljust(width)

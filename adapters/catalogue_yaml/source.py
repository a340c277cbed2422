"""A folder of YAML files as the catalogue, read again whenever a file has changed."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ...core import catalogue_rules
from ...core.catalogue_rules import Problem
from ...core.errors import CatalogueBroken
from ...core.model.catalogue import Catalogue
from .fault import Fault, Place
from .messages import MISSING_SECTION, problems_of
from .sections import SECTIONS, Sections

SUFFIXES = (".yaml", ".yml")
WANTED = (
    f"Write one or more *.yaml files there that hold the sections {', '.join(SECTIONS)}; the package's "
    "examples/streaming is a complete catalogue to copy from."
)

ExtraRules = Callable[[Catalogue], list[Problem]]
Stamp = tuple[str, int, int]
"""(path, mtime in ns, size) of a file: when no stamp changed, neither did the catalogue."""


@dataclass(frozen=True)
class _Broken:
    """A failure to raise anew at each call: an exception raised twice would drag its old traceback along."""

    message: str
    problems: list[str]
    next: str

    def error(self) -> CatalogueBroken:
        return CatalogueBroken(self.message, list(self.problems), next=self.next)


class YamlCatalogue:
    """The `CatalogueSource` over a folder.

    Args:
        folder: every *.yaml and *.yml file in it, at any depth, is part of the catalogue; hidden ones are not.
        extra_rules: more rules over a catalogue that loads, such as the backends' view of their settings.
        monotonic: a clock in seconds.
        recheck: seconds for which the files are taken as unchanged without a look.
    """

    def __init__(
        self,
        folder: Path,
        extra_rules: ExtraRules | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        recheck: float = 0.2,
    ) -> None:
        self._folder = folder
        self._extra_rules = extra_rules
        self._monotonic = monotonic
        self._recheck = recheck
        self._lock = threading.Lock()
        self._looked = 0.0
        self._stamps: list[Stamp] = []
        self._outcome: Catalogue | _Broken | None = None

    def current(self) -> Catalogue:
        """The catalogue as the files say now; the same object for as long as no file has changed.

        Raises:
            CatalogueBroken: the folder is missing or empty, or its files are at fault; every fault is named with
                file, line and field. Raised at each call until the files are mended.
        """
        with self._lock:
            outcome = self._look()
        if isinstance(outcome, _Broken):
            raise outcome.error()
        return outcome

    def _look(self) -> Catalogue | _Broken:
        now = self._monotonic()
        if self._outcome is not None and now - self._looked < self._recheck:
            return self._outcome
        self._looked = now
        # The stamps come before the reading: a file that changes in between is found changed at the next look.
        stamps = sorted(_stamps(self._folder))
        if self._outcome is None or stamps != self._stamps:
            self._outcome = self._load([path for path, _, _ in stamps])
            self._stamps = stamps
        return self._outcome

    def _load(self, files: list[str]) -> Catalogue | _Broken:
        if not files:
            state = "holds no *.yaml or *.yml file" if self._folder.is_dir() else "does not exist"
            return _Broken(f"The catalogue folder {self._folder} {state}.", [], f"Create it: {WANTED}")
        sections = Sections()
        for file in files:
            try:
                data = (self._folder / file).read_bytes()
            except OSError as fault:
                sections.lose(Fault(Place(file), Problem((), f"cannot be read: {fault.strerror}")))
            else:
                sections.add(file, data)
        catalogue, faults = check(sections, self._extra_rules)
        if catalogue is not None and not faults:
            return catalogue
        lines = [str(fault) for fault in sorted(faults, key=lambda fault: fault.order)]
        count = f"{len(lines)} faults" if len(lines) > 1 else "1 fault"
        return _Broken(
            f"The catalogue in {self._folder} does not load: {count}.",
            lines,
            "Mend the files and call again; changed files are read by themselves.",
        )


def check(sections: Sections, extra_rules: ExtraRules | None) -> tuple[Catalogue | None, list[Fault]]:
    """The catalogue, when its files fit the model, and every fault, of the files, the model and the rules."""
    faults = list(sections.faults)
    try:
        # As JSON and strictly: `"14"` is no number and `yes` no boolean, while names of days become numbers.
        catalogue = Catalogue.model_validate_json(json.dumps(sections.document), strict=True)
    except ValidationError as broken:
        catalogue, found = None, [problem for problem in problems_of(broken) if not _is_noise(problem, sections)]
    else:
        # A rule about a name that stood in an unreadable file would blame the wrong one.
        found = [] if sections.lost else catalogue_rules.problems(catalogue)
        found += extra_rules(catalogue) if extra_rules is not None and not sections.lost else []
    known = {fault.problem.at for fault in faults}
    faults += [Fault(sections.place(problem.at), problem) for problem in found if problem.at not in known]
    return catalogue, faults


def _is_noise(problem: Problem, sections: Sections) -> bool:
    """Whether a section only seems to be missing, because something could not be read."""
    return sections.lost and problem.message == MISSING_SECTION


def _stamps(folder: Path) -> Iterator[Stamp]:
    """The stamp of each file of the catalogue, below a folder; a link counts as what it leads to.

    A mounted ConfigMap is made of links into a hidden folder, so links are followed and hidden names are not read.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            state = os.stat(folder / inside)
            if (state.st_dev, state.st_ino) in seen:
                continue  # a link that leads back up
            seen.add((state.st_dev, state.st_ino))
            found = list(os.scandir(folder / inside))
        except OSError:
            continue
        for entry in found:
            path = f"{inside}/{entry.name}" if inside else entry.name
            if entry.name.startswith("."):
                continue
            if _leads_to_folder(entry):
                waiting.append(path)
            elif entry.name.endswith(SUFFIXES):
                yield _stamp(entry, path)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself: reading it will tell


def _stamp(entry: os.DirEntry[str], path: str) -> Stamp:
    try:
        state = entry.stat()
    except OSError:
        return path, 0, 0  # a link to nothing: reading it will tell
    return path, state.st_mtime_ns, state.st_size

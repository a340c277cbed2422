"""What others run in an assigner, kept as neighbours of what is drafted here, from the first day on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .. import audience as audiences
from ..documents import JsonObject, digest
from ..errors import NotAllowed
from ..model.catalogue import Catalogue
from ..model.plan import AuditEvent
from ..names import listed, slug
from ..ports.backend import Foreign, tells_foreign
from ..ports.store import Imported
from .dependencies import Dependencies
from .health import environments_with

PLAIN_NAME = r"[A-Za-z0-9][A-Za-z0-9._:#-]{0,62}"
LONGEST_WORD = 32
"""Characters."""
DIGITS = 8
"""Hex digits of a name's digest."""


@dataclass(frozen=True)
class Import:
    """What was found in one environment's backend."""

    environment: str
    backend: str
    kept: list[Imported]
    gone: list[str]
    """What was known of it before and is not there any more."""
    unread: list[str]
    """What of it could not be kept, or only in part, a sentence each."""


def import_from(deps: Dependencies, backend: str, by: str) -> list[Import]:
    """Keep what others run in an assigner, of each environment that has it, in place of what was known. It reads there
    and writes nothing.

    Raises:
        NotFound: no environment has such a backend.
        NotAllowed: the backend cannot say what others run there.
        BackendFailed: it cannot be read.
    """
    catalogue = deps.catalogue.current()
    found = [
        (environment, _foreign(deps, catalogue, environment, backend))
        for environment in environments_with(catalogue, backend)
    ]
    return [_kept(deps, catalogue, environment, backend, foreign, by) for environment, foreign in found]


def _foreign(deps: Dependencies, catalogue: Catalogue, environment: str, name: str) -> list[Foreign]:
    entry = catalogue.environments[environment].backends[name]
    backend = deps.backend(entry.kind)
    if not tells_foreign(backend):
        able = sorted(kind for kind, each in deps.backends.items() if tells_foreign(each))
        then = "Know by yourselves what others run there: drafts are not told."
        raise NotAllowed(
            f"The backend {name} cannot say what others run there.", next=then, got=entry.kind, allowed=able
        )
    return [_in_our_words(catalogue, each) for each in backend.foreign(entry.settings)]


def _in_our_words(catalogue: Catalogue, foreign: Foreign) -> Foreign:
    """With values of the catalogue's types, and with the one surface that has what it sets where it names none."""
    unread = [*foreign.unread]
    if foreign.texts:
        audience, more = audiences.from_texts(foreign.audience, catalogue.attributes)
        foreign, unread = foreign._replace(audience=audience), [*unread, *more]
    having = [key for key, each in catalogue.surfaces.items() if not each.parameters.keys().isdisjoint(foreign.touched)]
    if foreign.surface is None and len(having) == 1:
        foreign = foreign._replace(surface=having[0])
    elif foreign.surface is None and having:
        unread.append(f"several surfaces have what it sets: {listed(having)}")
    return foreign._replace(unread=unread)


def _kept(
    deps: Dependencies, catalogue: Catalogue, environment: str, backend: str, found: list[Foreign], by: str
) -> Import:
    now = deps.clock.now()
    with deps.store.write() as tx:
        before = {(each.surface, each.key): each for each in tx.imported(environment) if each.backend == backend}
        kept: list[Imported] = []
        for each in found:
            if each.surface is None or each.surface not in catalogue.surfaces:
                continue
            earlier = before.pop((each.surface, told_name(each.key)), None)
            kept.append(
                Imported(
                    environment=environment,
                    backend=backend,
                    key=told_name(each.key),
                    surface=each.surface,
                    touched=each.touched,
                    audience=each.audience,
                    share=each.share,
                    since=each.since or (earlier.since if earlier is not None else now),
                )
            )
        tx.set_imported(environment, backend, kept)
        after: JsonObject = {"imported": [f"{each.surface}/{each.key}" for each in kept]}
        subject = f"{environment}/{backend}"
        tx.audit(AuditEvent(at=now, who=by, what="backend_imported", subject=subject, before=None, after=after))
    unread = [line for each in found for line in _unread(catalogue, each)]
    return Import(environment, backend, kept, [key for _, key in sorted(before)], unread)


def told_name(name: str) -> str:
    """A name of somebody else's as findings tell it, which models read: as it is where it is one word, else a word made
    of it. Two names never become one."""
    if re.fullmatch(PLAIN_NAME, name):
        return name
    return f"{slug(name, LONGEST_WORD) or 'unnamed'}-{digest(name)[:DIGITS]}"


def _unread(catalogue: Catalogue, foreign: Foreign) -> Iterator[str]:
    """What of it the catalogue or our words do not have."""
    for line in foreign.unread:
        yield f"{foreign.key}: {line}"
    surface = catalogue.surfaces.get(foreign.surface or "")
    if surface is None:
        where = f"the catalogue has no surface {foreign.surface}" if foreign.surface else "no surface is known of it"
        yield f"{foreign.key}: left out, as {where}"
        return
    for name in foreign.touched:
        if name not in surface.parameters:
            yield f"{foreign.key}: {foreign.surface} has no parameter {name} in the catalogue"
    for problem in audiences.parse(foreign.audience, catalogue.attributes)[1]:
        yield f"{foreign.key}: {problem.at}: {problem.message} Everybody counts as meeting it."

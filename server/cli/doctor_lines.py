"""What `crossfade doctor` says to people."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.app.operations import said_seconds
from ...core.documents import JsonObject
from ...core.model.health import BackendHealth, Health, Part


def health_lines(found: Health, store: str, catalogue: str) -> Iterator[str]:
    """A line for each part, and what there is to say of it below.

    Args:
        store, catalogue: where they are.
    """
    yield from _part(f"store {store}", found.store)
    yield from _part(f"catalogue {catalogue}", found.catalogue)
    yield from _part("sweeper", found.sweeper)
    yield from _part("changes", found.changes)
    for each in found.backends:
        yield from _backend(each)
    yield "everything works" if found.works else "something does not work: see FAILS"


def _part(what: str, part: Part) -> Iterator[str]:
    yield f"{_verdict(part.works)}  {what}: {part.told}"
    yield from (f"         {problem}" for problem in part.problems or [])
    yield from _then(part.next)


def _backend(each: BackendHealth) -> Iterator[str]:
    version = f" {each.version}" if each.version is not None else ""
    look = f"looked through in {said_seconds(each.seconds)}" if each.works and each.seconds is not None else ""
    owned = {"ours": "ours", "another store": "another store's", "nobody": "no store's yet", None: ""}[each.owner]
    facts = "; ".join(fact for fact in (look, owned) if fact) or _way(each)
    yield f"{_verdict(each.works)}  {each.environment}/{each.name} ({each.kind}{version}): {facts}"
    yield from [f"         {each.problem}"] if each.problem is not None else []
    yield from (
        f"         {document} belongs to the store {store}" for document, store in (each.strangers or {}).items()
    )
    yield from _then(each.next)
    yield f"         promises {', '.join(_promised(each.promises))}"
    if each.capabilities is not None:
        why = each.capabilities.get("why")
        limits = " ".join(map(str, why.values())) if isinstance(why, dict) and why else "without limits"
        yield f"         assigns units: {limits}"


def _way(each: BackendHealth) -> str:
    if each.reachable is False:
        return "not reachable"
    return "reachable, not authorised" if each.authorised is False else "not usable"


def _promised(promises: JsonObject) -> Iterator[str]:
    yield "compare-and-swap" if promises["compare_and_swap"] else "no compare-and-swap: our own lock orders our writers"
    yield "whole writes" if promises["atomic"] else "writes that can end half done"
    if promises["versions"]:
        yield "earlier versions"
    if "calls_a_minute" in promises:
        yield f"{promises['calls_a_minute']} calls a minute"
    yield "contract-tested" if promises["proof"] == "contract" else "tested on the system itself"


def _then(then: str | None) -> Iterator[str]:
    if then is not None:
        yield f"         next: {then}"


def _verdict(works: bool) -> str:
    return "works" if works else "FAILS"

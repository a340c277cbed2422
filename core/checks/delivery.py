"""Delivery: what the backends hold, production values among it, and what others have made of it since a launch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..documents import canonical, pointer
from ..model.catalogue import CheckRules
from ..model.finding import Finding
from ..planning.drift import Delivery
from ..wording import cut
from .engine import Case, Check, Fault, as_finding, tightened_severity, worst_first
from .payload import meets_schema

SHOWN = 140
"""Most characters of a value in a finding."""
SHOWN_PLACES = 2
"""Most places of an entry that a finding tells; the resource experiment://{key}/drift has all."""
AT = "/environment"
"""What is delivered belongs to no field of a spec; the environment names the backends."""


def layer_has_no_strays(case: Case) -> Iterator[Fault]:
    """Nothing lets units of the layer in that the store does not know as live: after a document came back from a
    backup, say, two experiments would share buckets, and each would be read as if it were alone."""
    yield from _strays(case.strays)


def _strays(strays: Mapping[str, str]) -> Iterator[Fault]:
    for key, command in strays.items():
        message = f"The assigner still has rules of {key} on this layer, which is not live: a person runs `{command}`."
        yield Fault("/layer", message, got=key)


def layer_has_one_hash(case: Case) -> Iterator[Fault]:
    """All experiments of a layer are delivered by assigners that hash alike. Buckets keep experiments apart only where
    each says the same bucket for a unit; and an experiment that goes on under another hash gives its units other
    variants. One that gives out units itself keeps apart only those that it gave out. So a surface moves to another
    assigner when nothing of the layer runs or is paused."""
    name = case.catalogue.route(case.spec.surface, case.spec.environment).assigner
    for key, backend in case.elsewhere.items():
        what = "this experiment was" if key == case.key else f"{key} holds buckets and was"
        differs = "gives out units itself, apart from" if case.can.allocates else "hashes units otherwise than"
        message = (
            f"The assigner {name} {differs} {backend}, by which {what} delivered: stop it first, or "
            f"a person names {backend} for the surface again."
        )
        yield Fault("/layer", message, got=key)


def documents_are_ours(case: Case) -> Iterator[Fault]:
    """Nothing is written to a document that belongs to another store: that store knows what runs there, and two that do
    not know each other would give the same buckets away twice. Whoever works on one backend shares one database; when
    that is lost, `crossfade adopt` takes the document over."""
    yield from _foreign(case.owners)


def _foreign(owners: Mapping[str, str]) -> Iterator[Fault]:
    for target, owner in owners.items():
        message = (
            f"{target} belongs to another store. Set CROSSFADE_DATABASE_URL to its database here too; if that is "
            "lost, a person runs `crossfade adopt`."
        )
        yield Fault(AT, message, got=owner)


def findings_of_owners(owners: Mapping[str, str]) -> list[Finding]:
    """The same outside of a case."""
    return [as_finding(DOCUMENTS_ARE_OURS.code, DOCUMENTS_ARE_OURS.severity, fault) for fault in _foreign(owners)]


def findings_of_strays(strays: Mapping[str, str]) -> list[Finding]:
    """What else lets units of a layer in, outside of a case."""
    return [as_finding(NO_STRAYS.code, NO_STRAYS.severity, fault) for fault in _strays(strays)]


def production_meets_its_schema(case: Case) -> Iterator[Fault]:
    """What is in production where a variant sets something else is a value that the product can show: the control shows
    it, and a payload that a client cannot read breaks more than an experiment."""
    source = next(iter(case.catalogue.route(case.spec.surface, case.spec.environment).content), None)
    for name in case.spec.touched:
        parameter, value = case.surface.parameters.get(name), case.production.get(name)
        if parameter is None or name not in case.production or meets_schema(value, parameter.json_schema):
            continue
        at = pointer("variants", case.spec.control or "", "parameters", name) if case.spec.control else "/surface"
        message = f"In production {name} breaks its schema; a person mends it in {source or 'the catalogue'}."
        yield Fault(at, message, got=canonical(value)[:SHOWN])


def delivery_is_untouched(case: Case) -> Iterator[Fault]:
    """What the backends hold of an experiment is what was delivered, as the journal has it.

    Whoever changes an entry by hand changes who sees what: units before and after are in two experiments, which no
    analysis can tell apart (Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments",
    on faults of execution). `plan_change` with `reconcile` puts it back; what counts in the meantime, a person decides.
    """
    yield from _drifted(case.deliveries)


def delivery_can_be_read(case: Case) -> Iterator[Fault]:
    """What is delivered can be looked at. A document that cannot be read may be as it was, and may not; and nothing can
    be taken out of it while that lasts."""
    yield from _unreadable(case.deliveries)


def delivery_comes_first(case: Case) -> Iterator[Fault]:
    """No rule of somebody else's comes before an experiment's: the first that matches a unit decides, so that units of
    the experiment could get neither variant. It may be meant; then its units should be outside of the audience."""
    yield from _shadowed(case.deliveries)


def _drifted(deliveries: Sequence[Delivery]) -> Iterator[Fault]:
    for each in deliveries:
        if each.condition == "changed":
            count = len(each.differs)
            places = "1 place differs" if count == 1 else f"{count} places differ"
            yield Fault(AT, f"{each.target} is not as it was delivered: {places}.", got=_told(each.differs))
        elif each.condition == "gone":
            missing = "it lets no unit in" if each.opens_traffic else "what its variants show is missing there"
            yield Fault(AT, f"Our entry is gone from {each.target}: {missing}.")
        elif each.condition == "back":
            lets = ", and may let units in" if each.opens_traffic else ""
            yield Fault(AT, f"An entry that was taken out of {each.target} is there again{lets}.")


def _unreadable(deliveries: Sequence[Delivery]) -> Iterator[Fault]:
    for each in deliveries:
        if each.failure is not None:
            yield Fault(AT, f"{each.target} cannot be read, so nobody knows what is delivered there: {each.failure}")


def _shadowed(deliveries: Sequence[Delivery]) -> Iterator[Fault]:
    for each in deliveries:
        if each.shadows:
            message = f"In {each.target} rules of others come before ours; a person moves them behind, or leaves them."
            yield Fault(AT, message, got=_told(each.shadows))


def _told(places: Sequence[str]) -> str:
    more = [f"and {len(places) - SHOWN_PLACES} more"] if len(places) > SHOWN_PLACES else []
    return "; ".join([*(cut(each, SHOWN) for each in places[:SHOWN_PLACES]), *more])


def findings_on(deliveries: Sequence[Delivery], *rules: CheckRules) -> list[Finding]:
    """All findings of what is delivered, worst first."""
    found = [
        as_finding(check.code, tightened_severity(check, *rules), fault)
        for check, faults in zip(RUN_CHECKS, _FAULTS, strict=True)
        for fault in faults(deliveries)
    ]
    return worst_first(found)


CHECKS = (Check("production.schema", "block", production_meets_its_schema, curable=False),)
DOCUMENTS_ARE_OURS = Check("delivery.owned", "block", documents_are_ours, curable=False)
NO_STRAYS = Check("delivery.orphans", "block", layer_has_no_strays, curable=False)
LAUNCH_CHECKS = (DOCUMENTS_ARE_OURS, NO_STRAYS, Check("layer.one_hash", "block", layer_has_one_hash, curable=False))
"""Asked only of what opens traffic: a draft may well be planned meanwhile."""
RUN_CHECKS = (
    Check("delivery.drifted", "warn", delivery_is_untouched, curable=False),
    Check("delivery.unreadable", "warn", delivery_can_be_read, curable=False),
    Check("delivery.shadowed", "warn", delivery_comes_first, curable=False),
)
"""Asked of what is delivered, whenever somebody looks at it. None blocks: what runs cannot be held up, only mended."""
_FAULTS: tuple[Callable[[Sequence[Delivery]], Iterator[Fault]], ...] = (_drifted, _unreadable, _shadowed)

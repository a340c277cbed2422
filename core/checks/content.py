"""What variants show beyond their schema: content that has to exist, nobody's personal data, and few bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from pydantic import JsonValue

from .. import audience as audiences
from ..documents import canonical, nest, pointer
from ..model.catalogue import ContentItem, last_day
from ..names import listed, meant, nearest
from .audience import narrowed
from .engine import Case, Check, Cure, Fault

MOST_BYTES = 4_096
"""Bytes of one variant's parameters, past which every evaluation on every client pays for them."""
_EMAIL = re.compile(r"\b([A-Za-z0-9._%+-]+)@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b")
_PHONE = re.compile(r"\+[0-9]{1,3}[ .-]?(?:\(?[0-9]{1,4}\)?[ .-]?){2,4}[0-9]{2,4}\b")
_CARD = re.compile(r"\b(?:[0-9][ -]?){13,19}\b")
_ROLES = {
    *("abuse", "accounts", "billing", "contact", "feedback", "hello", "help", "info", "jobs", "mail", "marketing"),
    *("newsletter", "no-reply", "noreply", "office", "press", "privacy", "sales", "security", "service", "support"),
}
"""Names of addresses that belong to no person."""


def _references(case: Case) -> Iterator[tuple[str, str]]:
    """(pointer, id) of each content item that a variant shows."""
    for key, variant in case.spec.variants.items():
        for name, value in variant.parameters.items():
            parameter = case.surface.parameters.get(name)
            if parameter is None or not parameter.content:
                continue
            at = pointer("variants", key, "parameters", name)
            if isinstance(value, str):
                yield at, value
            for index, each in enumerate(value if isinstance(value, list) else []):
                if isinstance(each, str):
                    yield f"{at}/{index}", each


def _items(case: Case) -> Iterator[tuple[str, str, ContentItem]]:
    for at, name in _references(case):
        item = case.catalogue.content.get(name)
        if item is not None:
            yield at, name, item


def content_exists(case: Case) -> Iterator[Fault]:
    """Content that a variant names exists: what does not shows as a hole, to the treatment's users alone."""
    for at, name in _references(case):
        if name not in case.catalogue.content:
            close, likely = nearest(name, case.catalogue.content), meant(name, case.catalogue.content)
            in_list = at.rsplit("/", 1)[-1].isdigit()
            cures = [Cure(f"use {likely}", nest(at, likely))] if likely and not in_list else []
            allowed = sorted(case.catalogue.content)
            yield Fault(at, "The catalogue has no such content.", name[:100], allowed, close, cures)


def content_is_ready(case: Case) -> Iterator[Fault]:
    """Content that a variant names is ready to be shown, with all its assets."""
    for at, name, item in _items(case):
        if item.status != "ready":
            yield Fault(at, f"The content is {item.status}.", got=name, allowed=["ready"])


def content_covers_the_locales(case: Case) -> Iterator[Fault]:
    """Content exists in every locale of the audience: a fallback text in one variant only is a second treatment."""
    yield from _uncovered(case, "locale")


def content_covers_the_markets(case: Case) -> Iterator[Fault]:
    """Content may be shown in every market of the audience: rights end at borders."""
    yield from _uncovered(case, "market")


def _uncovered(case: Case, what: str) -> Iterator[Fault]:
    attribute = case.catalogue.content_attributes.get("locale" if what == "locale" else "market")
    if attribute is None or case.parsed_audience[1]:
        return
    for at, name, item in _items(case):
        has = item.locales if what == "locale" else item.markets
        if has is None:
            continue
        covered, _ = audiences.parse({attribute: list[JsonValue](has)}, case.catalogue.attributes)
        if not audiences.contains(covered, case.audience, case.catalogue.attributes):
            message = f"{name} has the {what}s {listed(has)} only, and the audience asks for no {attribute} among them."
            cure = Cure(f"ask for {attribute} in {listed(has)}", narrowed(case, {attribute: list[JsonValue](has)}))
            yield Fault(at, message, got=name, allowed=has, cures=[cure])


def content_outlives_the_run(case: Case) -> Iterator[Fault]:
    """Content stays until the last day of the run: what ends sooner turns the treatment into something else."""
    start = case.start
    end = last_day(start, case.spec.design.days)
    for at, name, item in _items(case):
        if item.expires is None or item.expires >= end:
            continue
        weeks = (item.expires - start + timedelta(days=1)).days // 7 * 7
        enough = weeks >= case.surface.policy.min_days
        cures = [Cure(f"run {weeks} days and end before it", nest("/design/days", weeks))] if enough else []
        about = f"{name} is shown until {item.expires}"
        yield Fault(at, f"{about}; the run ends on {end}.", got=name, cures=cures, about=about)


def payload_has_no_personal_data(case: Case) -> Iterator[Fault]:
    """No value names a person: payloads are cached on every client, where nobody can take them back (GDPR, art. 17)."""
    for key, variant in case.spec.variants.items():
        for name, value in variant.parameters.items():
            kind = _personal(value if isinstance(value, str) else canonical(value))
            if kind is not None:
                at = pointer("variants", key, "parameters", name)
                yield Fault(at, f"The value holds {kind}; a payload is public.", allowed=["no personal data"])


def _personal(text: str) -> str | None:
    """What personal data a text holds, or None; a check digit (ISO/IEC 7812) lets few other numbers pass."""
    if any(found[1].lower() not in _ROLES for found in _EMAIL.finditer(text)):
        return "an e-mail address"
    if any(_is_card(re.sub(r"[ -]", "", found[0])) for found in _CARD.finditer(text)):
        return "a card number"
    return "a telephone number" if _PHONE.search(text) else None


def _is_card(digits: str) -> bool:
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0


def payload_is_small(case: Case) -> Iterator[Fault]:
    """A variant's parameters are small: every client downloads all variants, and slower is a treatment of its own."""
    for key, variant in case.spec.variants.items():
        count = len(canonical(variant.parameters).encode())
        if count > MOST_BYTES:
            at = pointer("variants", key, "parameters")
            yield Fault(at, f"{count:,} bytes; more than {MOST_BYTES:,} belong into content, named by id.", got=count)


CHECKS = (
    Check("content.exists", "block", content_exists),
    Check("content.ready", "block", content_is_ready, curable=False),
    Check("content.locales", "block", content_covers_the_locales),
    Check("content.markets", "block", content_covers_the_markets),
    Check("payload.personal_data", "block", payload_has_no_personal_data, curable=False),
    Check("content.outlives_run", "block_unless_overridden", content_outlives_the_run),
    Check("payload.small", "warn", payload_is_small, curable=False),
)

"""Values in their order as regular expressions: Unleash orders neither dates without a time nor versions with fewer
than three numbers, and asks for several numbers or versions only by a strategy each."""

from __future__ import annotations

import re

from ...core.audience import DATE_PATTERN, SEMVER_PATTERN

ANY = "^"
DATE = f"^{DATE_PATTERN}$"
VERSION = f"^{SEMVER_PATTERN}$"
_WHOLE = "(?:0|[1-9][0-9]{0,4})"
_LABEL = r"(?:-[0-9A-Za-z.]+)"
_AFTER_MAJOR = rf"(?:\.{_WHOLE}(?:\.{_WHOLE}{_LABEL}?)?)?"
_AFTER_MINOR = rf"(?:\.{_WHOLE}{_LABEL}?)?"
_MOST_DIGITS = 5
"""Of one number of a version, as in the core's pattern."""
_SHAPE = "dddd-dd-dd"


def one_of(alternatives: list[str]) -> str:
    """A pattern that whole texts meet; of no alternatives, one that none does."""
    return f"^(?:{'|'.join(alternatives)})$" if alternatives else "^[^\\s\\S]$"


def number(value: float) -> str | None:
    """Every decimal spelling of a number; None where that is not one."""
    text = repr(int(value) if float(value).is_integer() and abs(value) < 2**53 else value)
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return None
    if float(value) == 0:
        return r"-?0(?:\.0*)?"
    return rf"{re.escape(text)}0*" if "." in text else rf"{re.escape(text)}(?:\.0*)?"


def dates(operator: str, bound: str) -> str:
    """The dates (YYYY-MM-DD) on one side of a bound; `operator` is gte, gt, lte or lt."""
    up = operator.startswith("g")
    found = [re.escape(bound)] if operator.endswith("e") else []
    for index, digit in enumerate(bound):
        if digit.isdigit() and digit != ("9" if up else "0"):
            side = f"[{int(digit) + 1}-9]" if up else f"[0-{int(digit) - 1}]"
            rest = _SHAPE[index + 1 :].replace("d", "[0-9]")
            found.append(bound[:index] + side + rest)
    return one_of(found)


def versions(operator: str, bound: str) -> str | None:
    """The versions on one side of a bound, in every spelling of the core's; None for a bound with a label."""
    parts = _numbers(bound)
    if parts is None:
        return None
    major, minor, patch = parts
    side = _above if operator.startswith("g") else _below
    found = [
        *(f"{each}{_AFTER_MAJOR}" for each in side(major)),
        *(rf"{major}\.{each}{_AFTER_MINOR}" for each in side(minor)),
        *(rf"{major}\.{minor}\.{each}{_LABEL}?" for each in side(patch)),
    ]
    if operator.startswith("l"):
        found.append(rf"{major}\.{minor}\.{patch}{_LABEL}")  # what comes before the release
        found += [rf"{major}\.{minor}"] * (patch > 0) + [str(major)] * (minor > 0 or patch > 0)
    if operator.endswith("e"):
        found += _spellings(major, minor, patch)
    return _version(found)


def these_versions(values: list[str]) -> str:
    """Some versions, each in every spelling of the core's."""
    found: list[str] = []
    for value in values:
        parts = _numbers(value)
        plain = value.removeprefix("v").partition("+")[0]
        found += [re.escape(plain)] if parts is None else _spellings(*parts)
    return _version(found)


def _version(alternatives: list[str]) -> str:
    return rf"^v?(?:{'|'.join(alternatives)})(?:\+[0-9A-Za-z.-]+)?$" if alternatives else one_of([])


def _numbers(version: str) -> tuple[int, int, int] | None:
    """The three numbers of a release; None of what comes before one."""
    plain = version.removeprefix("v").partition("+")[0]
    if "-" in plain:
        return None
    major, minor, patch, *_ = [*map(int, plain.split(".")), 0, 0]
    return major, minor, patch


def _spellings(major: int, minor: int, patch: int) -> list[str]:
    shorts = [rf"{major}\.{minor}"] * (patch == 0) + [str(major)] * (minor == 0 and patch == 0)
    return [rf"{major}\.{minor}\.{patch}", *shorts]


def _above(bound: int) -> list[str]:
    """Patterns of the whole numbers above one, without leading zeros."""
    text, found = str(bound), list[str]()
    for index, digit in enumerate(text):
        if digit != "9":
            found.append(f"{text[:index]}[{int(digit) + 1}-9]{_digits(len(text) - index - 1)}")
    if len(text) < _MOST_DIGITS:
        found.append(f"[1-9][0-9]{{{len(text)},{_MOST_DIGITS - 1}}}")
    return found


def _below(bound: int) -> list[str]:
    text, found = str(bound), list[str]()
    for index, digit in enumerate(text):
        least = 1 if index == 0 and len(text) > 1 else 0
        if int(digit) > least:
            found.append(f"{text[:index]}[{least}-{int(digit) - 1}]{_digits(len(text) - index - 1)}")
    if len(text) > 1:
        found.append(f"(?:0|[1-9][0-9]{{0,{len(text) - 2}}})")
    return found


def _digits(count: int) -> str:
    return f"[0-9]{{{count}}}" if count else ""

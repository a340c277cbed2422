"""Audiences: read them, decide about them, print them, and say how many units they reach.

An audience is a predicate over attributes: and, or, not over conditions on one attribute each. A unit that lacks an
attribute meets no condition on it, negated or not; only `missing` asks for the lack. The adapters write that guard out,
because the SDKs differ when it is left to them.
"""

from .deciding import asked_for, contains, kept_out_by, overlap, unmeetable
from .from_texts import from_texts
from .printing import described
from .reading import as_json, parse
from .shares import is_counted_in_full, share, share_within
from .text import RESERVED
from .trees import FORMS, Problem
from .values import DATE_PATTERN, SEMVER_PATTERN, fits_type, named, sort_key

__all__ = [
    "DATE_PATTERN",
    "FORMS",
    "RESERVED",
    "SEMVER_PATTERN",
    "Problem",
    "as_json",
    "asked_for",
    "contains",
    "described",
    "fits_type",
    "from_texts",
    "is_counted_in_full",
    "kept_out_by",
    "named",
    "overlap",
    "parse",
    "share",
    "share_within",
    "sort_key",
    "unmeetable",
]

"""What no check has to ask, because nothing here can be otherwise: the rule, where it is kept, and why there."""

from __future__ import annotations

from typing import NamedTuple


class Kept(NamedTuple):
    """`where` names a file and, behind a colon, what in it keeps the rule."""

    rule: str
    where: str
    why: str


KEPT = (
    Kept(
        "A key is never used twice",
        "core/app/drafts.py:create",
        "another brief under a taken key is a conflict, in the database too; a check could be outrun",
    ),
    Kept(
        "An experiment has a surface",
        "core/model/experiment.py:Spec",
        "a document without one is no spec, so nothing else can be asked of it",
    ),
    Kept(
        "What was approved is what is applied",
        "core/app/staleness.py:require_unchanged",
        "the plan is compiled anew and must have the digest that the yes was given to",
    ),
    Kept(
        "What is launched is what was validated",
        "core/app/plans.py:compile_plan",
        "every plan, and every apply, runs all checks on the stored version it is made from",
    ),
    Kept(
        "A validation does not grow old",
        "core/app/staleness.py:require_time",
        "a plan ends after 24 hours, and until then applying it validates again",
    ),
    Kept(
        "An agent does not approve its own plan",
        "tools/changes.py:ask",
        "the yes is no argument of a tool: the server asks the person, and the model sees no field to fill in",
    ),
    Kept(
        "An agent does not override or review",
        "core/app/refusing.py:require_no_claims",
        "a spec has no field for it, and whoever sends one is refused and audited",
    ),
    Kept(
        "An override or a review ends with the draft it was given for",
        "core/app/cases.py:with_overrides",
        "both are looked up by the digest of the spec; an override also by its fault, and a new version ends it",
    ),
    Kept(
        "A metric has one role",
        "core/model/experiment.py:Spec",
        "metrics are a map by name, which holds each name once",
    ),
    Kept(
        "The sample calculation is never stale",
        "core/checks/engine.py:Case",
        "nothing keeps it: each check computes it from the spec and the catalogue of the moment",
    ),
    Kept(
        "A salt is never used again",
        "core/planning/compile.py:assignment_of",
        "it is made of the key and the number of the launch",
    ),
    Kept(
        "No two experiments of a layer hold one bucket",
        "adapters/store/migrations/versions/0001_first_tables.py:bucket_range_apart_on",
        "a trigger of the database refuses it, whichever process asks",
    ),
    Kept(
        "Holdouts are kept out",
        "core/planning/compile.py:assignment_of",
        "their filters are part of every assignment and no field of a spec",
    ),
    Kept(
        "A launch that fails leaves nothing behind",
        "core/app/saga/advancing.py:run",
        "each step is journalled with what stood there before, and undone in reverse",
    ),
)

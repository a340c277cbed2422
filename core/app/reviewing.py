"""Reviews: a team that must agree to launches on a surface says yes or no to a draft as it stands."""

from __future__ import annotations

from ..checks.shape import read_spec
from ..documents import canonical, digest
from ..errors import Invalid, NotAllowed
from ..model.experiment import Record, Spec
from ..model.override import MAX_REASON, Review
from ..model.plan import Assurance, AuditEvent
from ..names import nearest
from ..ports.store import Reader
from ..wording import cut
from . import calls
from .approving import one_line
from .cases import require
from .dependencies import Dependencies

SHOWN = 300
"""Most characters of one line of a draft; `get_experiment` has the rest."""


def draft_summary(deps: Dependencies, key: str) -> str:
    """A draft for whoever reviews it. Every text of the draft stays on its own line.

    Raises:
        NotFound: no such experiment.
        NotAllowed: it is no draft, or no spec yet.
    """
    with deps.store.read() as view:
        record, spec = _draft(view, key)
    hypothesis = spec.hypothesis
    lines = [
        f'"{spec.name}" ({spec.surface}, {spec.environment}), owned by {spec.owner}',
        f"Because {hypothesis.because}: {hypothesis.change} will {hypothesis.direction} {hypothesis.metric}.",
        f"{spec.allocation:g} of {canonical(spec.audience) if spec.audience else 'everybody'}, {spec.design.days} days",
        *(
            f"  {name} {variant.weight:g}: {canonical(variant.parameters) if variant.parameters else 'production'}"
            for name, variant in spec.variants.items()
        ),
        "Metrics: " + ", ".join(f"{name} ({use.role})" for name, use in spec.metrics.items()),
        f"{key}, version {record.version}, spec {digest(record.document)[:10]}",
    ]
    return "\n".join(cut(one_line(line), SHOWN) if line[0] != " " else cut(line, SHOWN) for line in lines)


def review(
    deps: Dependencies, key: str, team: str, *, approved: bool, note: str, assurance: Assurance, by: str
) -> Review:
    """Keep what a team says of a draft as it stands; its last word counts.

    Raises:
        NotFound: no such experiment.
        NotAllowed: it is no draft, or the surface needs no word of that team.
        Invalid: the note is too long.
    """
    said = one_line(note)
    if len(said) > MAX_REASON:
        raise Invalid(f"A note has at most {MAX_REASON} characters.", pointer="/note", got=said[:100])
    catalogue = deps.catalogue.current()
    now = deps.clock.now()
    with deps.store.write() as tx:
        record, spec = _draft(tx, key)
        surface = catalogue.surfaces.get(spec.surface)
        teams = surface.required_reviewers if surface else []
        if team not in teams:
            message = f"{spec.surface} asks {', '.join(teams) or 'nobody'} for a review, and not this team."
            raise NotAllowed(message, got=team[:100], allowed=teams, nearest=nearest(team, teams))
        made = Review(
            key=key,
            spec=digest(record.document),
            team=team,
            approved=approved,
            note=said,
            by=by,
            assurance=assurance,
            at=now,
        )
        tx.save_review(made)
        kept = made.model_dump(mode="json", exclude={"key", "by", "at"})
        tx.audit(AuditEvent(at=now, who=by, what="draft_reviewed", subject=key, after=kept))
    return made


def _draft(view: Reader, key: str) -> tuple[Record, Spec]:
    record = require(view, key)
    spec = read_spec(record.document)
    if record.state != "draft" or not isinstance(spec, Spec):
        what = f"is {record.state}" if record.state != "draft" else "breaks the schema of a spec"
        raise NotAllowed(f"{key} {what}; only a whole draft is reviewed.", got=record.state, next=calls.look_at(key))
    return record, spec

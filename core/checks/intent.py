"""Intent and governance: why the experiment is run, and who answers for it."""

from __future__ import annotations

from collections.abc import Iterator

from ..documents import nest
from ..names import nearest, spelled
from .engine import Case, Check, Cure, Fault

MIN_WORDS = 2


def hypothesis_is_complete(case: Case) -> Iterator[Fault]:
    """The hypothesis says what changes and by which mechanism.

    Without a mechanism a result teaches nothing beyond this one screen, and any outcome can be explained afterwards
    (Kohavi, Tang, Xu: Trustworthy Online Controlled Experiments, chapter 2).
    """
    hypothesis = case.spec.hypothesis
    for name, text in (("change", hypothesis.change), ("because", hypothesis.because)):
        if len(text.split()) < MIN_WORDS:
            said = "what users will notice" if name == "change" else "why that should move the metric"
            yield Fault(f"/hypothesis/{name}", f"Say in a few words {said}.", got=text)


def hypothesis_metric_is_success(case: Case) -> Iterator[Fault]:
    """The metric of the hypothesis is one that the experiment can be won by.

    A hypothesis about one number and a decision on another is a story, not a test.
    """
    named = case.spec.hypothesis.metric
    successes = [name for name, use in case.spec.metrics.items() if use.role == "success"]
    if successes and named not in successes:
        close = successes[0] if len(successes) == 1 else spelled(named, successes)
        cures = [Cure(f"name {close}", nest("/hypothesis/metric", close))] if close else []
        message = "The hypothesis names a metric that is not a success metric."
        near = [close] if close else nearest(named, successes)
        yield Fault("/hypothesis/metric", message, got=named, allowed=successes, nearest=near, cures=cures)


def direction_follows_the_effect(case: Case) -> Iterator[Fault]:
    """The hypothesis predicts the direction that its metric is sized for."""
    hypothesis = case.spec.hypothesis
    use = case.spec.metrics.get(hypothesis.metric)
    if use is None or not use.mde:
        return
    expected = "increase" if use.mde > 0 else "decrease"
    if hypothesis.direction != expected:
        cure = Cure(f"predict {expected}", nest("/hypothesis/direction", expected))
        message = f"The effect on {hypothesis.metric} is {use.mde:+.2%}."
        yield Fault("/hypothesis/direction", message, got=hypothesis.direction, cures=[cure])


def owner_is_named(case: Case) -> Iterator[Fault]:
    """Somebody answers for the experiment while it runs and after."""
    if not case.spec.owner.strip():
        owner = case.surface.owner
        cure = Cure(f"the surface's team, {owner}", nest("/owner", owner))
        yield Fault("/owner", "Name the team that owns the experiment.", got=case.spec.owner, cures=[cure])


def reviewers_are_told(case: Case) -> Iterator[Fault]:
    """The surface's reviewers are named, so that they can be asked before the launch."""
    if case.surface.reviewers:
        teams = ", ".join(case.surface.reviewers)
        yield Fault("/surface", f"Reviewed on this surface by: {teams}. Ask before the launch.")


CHECKS = (
    Check("hypothesis.complete", "block", hypothesis_is_complete),
    Check("hypothesis.metric_is_success", "block", hypothesis_metric_is_success),
    Check("hypothesis.direction", "block", direction_follows_the_effect),
    Check("owner.named", "block", owner_is_named),
    Check("review.suggested", "info", reviewers_are_told),
)

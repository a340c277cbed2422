"""Intent and governance: why the experiment is run, and who answers for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..documents import nest, pointer
from ..model.experiment import Decision
from ..names import listed, nearest, spelled
from .engine import Case, Check, Cure, Fault, Threshold

MIN_WORDS = Threshold("hypothesis.complete", "words", 2, least=2, most=12, tighter="higher", unit="words")
BOTH_WAYS = re.compile(
    r"\b(may or may not|might or might not|either way|whether or not|up or down|see (what happens|if|whether)"
    r"|find out (what|if|whether))\b",
    re.IGNORECASE,
)
"""What is said where any outcome would do; in English, in which most hypotheses are written."""


def hypothesis_is_complete(case: Case) -> Iterator[Fault]:
    """The hypothesis says what changes and by which mechanism.

    Without a mechanism a result teaches nothing beyond this one screen, and any outcome can be explained afterwards
    (Kohavi, Tang, Xu: Trustworthy Online Controlled Experiments, chapter 2).
    """
    hypothesis, words = case.spec.hypothesis, case.limit(MIN_WORDS)
    for name, text in (("change", hypothesis.change), ("because", hypothesis.because)):
        if len(text.split()) < words:
            said = "what users will notice" if name == "change" else "why that should move the metric"
            yield Fault(f"/hypothesis/{name}", f"Say in {words:g} words or more {said}.", got=text)


def hypothesis_can_be_wrong(case: Case) -> Iterator[Fault]:
    """The mechanism says more than the change does, and rules some outcome out.

    "Mixes first, because mixes come first" and "to see what happens" are true whatever the data say; a hypothesis that
    cannot fail cannot be confirmed either (Popper 1959, "The Logic of Scientific Discovery", chapter 4).
    """
    hypothesis = case.spec.hypothesis
    both = BOTH_WAYS.search(hypothesis.because)
    if both is not None:
        message = "Any outcome would fit this. Say what should happen to users, and what would prove it wrong."
        yield Fault("/hypothesis/because", message, got=both.group(0))
    elif _words(hypothesis.because) <= _words(hypothesis.change):
        message = "This only repeats the change. Say what it does to users that moves the metric."
        yield Fault("/hypothesis/because", message, got=hypothesis.because[:100])


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def hypothesis_metric_is_success(case: Case) -> Iterator[Fault]:
    """The metric of the hypothesis is one that the experiment can be won by.

    A hypothesis about one number and a decision on another is a story, not a test.
    """
    named, known = case.spec.hypothesis.metric, case.catalogue.metrics
    # One that the catalogue does not know gets a name that it knows first.
    successes = [name for name, use in case.spec.metrics.items() if use.role == "success" and name in known]
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
    metric = case.catalogue.metrics.get(hypothesis.metric)
    if metric is not None and (use.mde > 0) != (metric.better == "up"):
        return  # the effect is what has to change, and it takes the direction along
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


def decision_rule_is_set(case: Case) -> Iterator[Fault]:
    """When the treatment ships is settled before anybody has seen a result.

    A rule chosen afterwards finds a winner in noise (Simmons, Nelson, Simonsohn 2011, "False-Positive Psychology"). The
    rule proposed is that of Schultzberg, Ankargren, Frånberg 2024: any success metric superior, every guardrail
    non-inferior.
    """
    if case.spec.decision is None:
        rule = Decision()
        cure = Cure(str(rule), nest("/decision", rule.model_dump(mode="json")))
        yield Fault("/decision", "Say when the treatment ships.", cures=[cure])


def required_links_are_there(case: Case) -> Iterator[Fault]:
    """The links that the surface asks for are there: a design, a ticket, an analysis plan that others will look for."""
    for name in case.surface.required_links:
        if name not in case.spec.links:
            yield Fault(pointer("links", name), f"{case.spec.surface} asks for a link of this name.")


def reviewers_are_told(case: Case) -> Iterator[Fault]:
    """The surface's reviewers are named, so that they can be asked before the launch."""
    if case.surface.reviewers:
        teams = ", ".join(case.surface.reviewers)
        yield Fault("/surface", f"Reviewed on this surface by: {teams}. Ask before the launch.")


def required_reviews_are_given(case: Case) -> Iterator[Fault]:
    """Every team that must agree to launches here has agreed to this very spec.

    A review is bound to the digest of the spec: what was changed afterwards was not reviewed.
    """
    pending = [team for team in case.surface.required_reviewers if team not in case.agreed]
    if pending:
        yield Fault("/surface", f"Not agreed to yet by: {listed(pending)}. A person of each team says so.")


CHECKS = (
    Check("hypothesis.complete", "block", hypothesis_is_complete, curable=False, thresholds=(MIN_WORDS,)),
    Check("hypothesis.metric_is_success", "block", hypothesis_metric_is_success),
    Check("hypothesis.direction", "block", direction_follows_the_effect),
    Check("owner.named", "block", owner_is_named),
    Check("decision.rule", "block", decision_rule_is_set),
    Check("hypothesis.falsifiable", "warn", hypothesis_can_be_wrong, curable=False),
    Check("links.required", "warn", required_links_are_there, curable=False),
    Check("review.suggested", "info", reviewers_are_told, curable=False),
)
LAUNCH_CHECKS = (Check("review.pending", "block", required_reviews_are_given, curable=False),)
"""Asked only of a launch: a draft is reviewed once it is ready."""

"""Estimates say what a draft would, and end with a call that works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.question import Question
from crossfade.core.documents import JsonObject
from crossfade.core.errors import CrossfadeError, Invalid, NotFound
from crossfade.core.model.brief import Brief
from crossfade.server.settings import Settings
from crossfade.server.wiring import build
from crossfade.tools.text import text_of

from .test_drafts import MondayClock, pasted
from .test_drafts import app as app


def ask(app: Crossfade, **parts: object) -> dict[str, object]:
    question = Question(**{"surface": "storefront", "metrics": {"items_added": None}, **parts})  # pyright: ignore[reportArgumentType]
    return app.estimate_sample_size(question).model_dump(exclude_none=True)


def refused(app: Crossfade, **parts: object) -> CrossfadeError:
    with pytest.raises((Invalid, NotFound)) as caught:
        ask(app, **parts)
    return caught.value


def test_an_estimate_is_the_size_of_the_draft_that_its_next_call_makes(app: Crossfade) -> None:
    enough = app.estimate_sample_size(Question("storefront", {"items_added": None})).enough
    assert enough is not None
    brief: dict[str, object] = {
        "surface": "storefront",
        "change": "Bread stands in front",
        "because": "Bread is bought most often",
        "variants": {"treatment": {"reorder_first": True}},
        "success_metrics": {"items_added": None},
        "allocation": enough.allocation,
        "duration_days": enough.days,
    }
    drafted = app.create_experiment(Brief.read(brief)).size
    assert drafted is not None
    assert (drafted.days, drafted.control, drafted.power) == (enough.days, enough.control, enough.power)


def test_the_next_call_names_the_run_that_is_enough(app: Crossfade) -> None:
    answer = app.estimate_sample_size(Question("storefront", {"items_added": 0.02}, audience={"region": "south"}))
    assert answer.enough is not None
    assert answer.next.startswith('create_experiment(surface="storefront", ')
    assert answer.next.endswith(f"allocation={answer.enough.allocation:g}, duration_days={answer.enough.days})")


def test_required_guardrails_count_and_the_weakest_metric_is_named(app: Crossfade) -> None:
    answer = app.estimate_sample_size(Question("storefront", {"items_added": None}))
    assert set(answer.needs) == {"items_added", "page_errors", "substitution_rate"}
    assert answer.limiting == max(answer.needs, key=lambda name: answer.needs[name])


def test_the_menu_is_small_and_more_units_detect_less(app: Crossfade) -> None:
    menu = app.estimate_sample_size(Question("storefront", {"items_added": None})).menu
    assert 1 < len(menu) <= 6
    found = {each.control: (each.detects or {})["items_added"] for each in menu}
    assert [found[units] for units in sorted(found)] == sorted(found.values(), reverse=True)


def test_more_variants_need_more_units(app: Crossfade) -> None:
    two, four = (app.estimate_sample_size(Question("storefront", {"items_added": None}, variants=n)) for n in (2, 4))
    assert two.needs["items_added"] < four.needs["items_added"]
    assert four.alpha == pytest.approx(two.alpha / 3, abs=1e-5)


def test_names_and_signs_are_read_as_they_were_meant(app: Crossfade) -> None:
    answer = app.estimate_sample_size(Question("Storefront", {"Items added": -0.02, "slot-choice-seconds": 0.03}))
    assert answer.read_as == {"Items added": "items_added", "slot-choice-seconds": "slot_choice_seconds"}
    assert answer.effects == {"items_added": 0.02, "slot_choice_seconds": -0.03}


@pytest.mark.parametrize(
    ("parts", "at", "meant"),
    [
        ({"metrics": {"item_addd": None}}, "/metrics", {"metrics": {"items_added": None}}),
        ({"metrics": {"baskets": None}}, "/metrics", {"metrics": {"order_rate": None}}),
        ({"metrics": {"items_added": 2}}, "/metrics", {"metrics": {"items_added": 0.02}}),
        ({"metrics": {}}, "/metrics", {"metrics": {"items_added": None}}),
        ({"allocation": 20}, "/allocation", {"allocation": 0.2}),
        ({"days": 0}, "/days", {"days": 14}),
        ({"variants": 1}, "/variants", {}),
        ({"audience": {"ragion": "south"}}, "/audience/ragion", {"audience": {"region": "south"}}),
    ],
    ids=str,
)
def test_a_slip_is_answered_with_the_call_that_was_meant(
    app: Crossfade, parts: JsonObject, at: str, meant: JsonObject
) -> None:
    error = refused(app, **parts)
    assert error.pointer == at
    tool, call = pasted(error.next)
    assert tool == "estimate_sample_size"
    assert meant.items() <= call.items()
    assert ask(app, **call)


def test_what_no_run_finds_is_answered_with_the_effect_that_one_would(app: Crossfade) -> None:
    answer = app.estimate_sample_size(Question("storefront", {"items_added": 0.0005}))
    assert answer.enough is None
    _, call = pasted(answer.next)
    larger = call["metrics"]["items_added"]
    assert larger > 0.0005
    assert app.estimate_sample_size(Question("storefront", {"items_added": larger})).enough is not None


def test_a_surface_that_does_not_exist_is_answered_with_the_nearest(app: Crossfade) -> None:
    assert refused(app, surface="store-front").nearest == ["storefront"]


def test_all_slips_are_told_at_once_and_the_next_call_mends_each_and_keeps_the_rest(app: Crossfade) -> None:
    sent: JsonObject = {
        "surface": "storefrnt",
        "metrics": {"item_addd": 2, "order_rate": 0.02},
        "days": 300,
        "allocation": 20,
        "audience": "ragion = south and is_member = yes",
        "variants": 3,
    }
    error = refused(app, **sent)
    assert (error.code, error.pointer) == ("not_found", "/surface")
    places = [line.split(":")[0] for line in error.more]
    assert places == ["/allocation", "/days", "/metrics", "/metrics", "/audience", "/audience"]
    _, call = pasted(error.next)
    assert call == {
        "surface": "storefront",
        "metrics": {"items_added": 0.02, "order_rate": 0.02},
        "days": 180,
        "allocation": 0.2,
        "audience": {"region": "south", "is_member": True},
        "variants": 3,
    }
    assert ask(app, **call)


def test_too_many_metrics_are_cut_to_as_many_as_may_be_asked_about(app: Crossfade) -> None:
    error = refused(app, metrics={"items_added": None, **{f"zzzz{number}": 0.02 for number in range(20)}})
    assert error.message == "Name 1 to 10 success metrics."
    assert len(error.more) == 9  # the first ten names, of which one is known; none is called another's double
    assert 'metrics={"...":0.02,"items_added":null}' in error.next


def test_what_nothing_is_near_to_stays_open_in_the_next_call_and_the_rest_is_kept(app: Crossfade) -> None:
    error = refused(app, surface="xyzzy", metrics={"qqqq": 0.02}, days=21, audience={"zzz": 1})
    assert len(error.more) == 2
    found, call = error.next.split(", then ")
    assert found.startswith("find_surfaces(")
    assert call == 'estimate_sample_size(surface="...", metrics={"...":0.02}, days=21, audience="...")'


def test_what_needs_all_that_is_free_is_asked_again_with_the_rest_as_it_was(app: Crossfade) -> None:
    asked: JsonObject = {
        "metrics": {"items_added": 0.05},
        "days": 14,
        "allocation": 0.01,
        "audience": {"region": "south"},
    }
    answer = ask(app, **asked)
    assert "enough" not in answer
    _, call = pasted(str(answer["next"]))
    assert call == {**{name: each for name, each in asked.items() if name != "allocation"}, "surface": "storefront"}
    assert "enough" in ask(app, **call)


def test_a_wider_audience_is_a_persons_to_decide_and_the_rest_stays_as_it_was(app: Crossfade) -> None:
    narrow: JsonObject = {
        "region": "south",
        "is_member": True,
        "orders_placed": {"lt": 1},
        "basket_euros": {"lt": 25.5},
    }
    following = str(ask(app, metrics={"items_added": 0.05}, audience=narrow, days=14)["next"])
    decides, call = following.split("of everybody: ")
    assert decides.startswith("a person decides whether a wider audience will do")
    assert pasted(call)[1] == {"surface": "storefront", "metrics": {"items_added": 0.05}, "days": 14}


def test_a_draft_of_an_estimate_has_as_many_treatments_as_were_asked_about(app: Crossfade) -> None:
    following = str(ask(app, metrics={"items_added": 0.05}, variants=3)["next"])
    assert '"treatment": {' in following
    assert '"treatment-2": {' in following


@pytest.mark.parametrize(
    ("parts", "left"),
    [({}, 0.25), ({"audience": "account_age_days < 7"}, 0), ({"surface": "onboarding"}, 0)],
    ids=str,
)
def test_new_units_are_sized_without_a_covariate_and_the_answer_says_so(
    tmp_path: Path, parts: JsonObject, left: float
) -> None:
    streaming = build(Settings(home=tmp_path), "tester", MondayClock())
    asked: dict[str, Any] = {"surface": "home", "metrics": {"minutes_played": 0.02}, **parts}
    answer = streaming.estimate_sample_size(Question(**asked))
    assert (answer.cuped or {})["minutes_played"] == left
    baseline = streaming.dependencies.catalogue.current().metrics["minutes_played"].baseline
    assert baseline.variance is not None
    # Chow, Shao, Wang 3.2.1 at alpha 0.05 and power 0.95: (1.95996 + 1.64485)^2 * 2 variances over the effect squared.
    whole = 12.9947 * 2 * baseline.variance / (0.02 * baseline.mean) ** 2
    assert answer.needs["minutes_played"] == pytest.approx(whole * (1 - left), rel=1e-4)


@pytest.mark.parametrize(
    ("parts", "told", "proposed"),
    [
        ({"allocation": 0.00004}, "The smallest allocation is 0.0001", "allocation=0.0001"),
        ({"allocation": 1.2}, "`next` asks for 1, all of them", "allocation=1,"),
        ({"allocation": 20}, "`next` reads 20 as 20 %", "allocation=0.2"),
        ({"days": 400}, "`next` asks for 180", "days=180"),
    ],
    ids=str,
)
def test_what_is_read_otherwise_than_asked_is_said_and_asked_next(
    app: Crossfade, parts: dict[str, object], told: str, proposed: str
) -> None:
    slip = refused(app, **parts)
    assert told in slip.message
    assert slip.next is not None
    assert proposed.rstrip(",") in slip.next


def test_an_allocation_of_one_bucket_has_an_estimate(app: Crossfade) -> None:
    assert ask(app, allocation=0.0001)["menu"]


def test_why_the_proposed_run_is_longer_than_one_that_is_enough_is_said(app: Crossfade) -> None:
    answer = app.estimate_sample_size(Question("storefront", {"items_added": 0.05}))
    assert answer.enough is not None
    assert answer.enough.days > min(each.days for each in answer.menu if each.enough)
    assert "fewer days are enough, these are the surface's usual" in text_of(answer)

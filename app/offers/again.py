"""When a checkout is worth asking for again although its cart stays as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.campaigns.later import SOON_S, next_mark
from app.campaigns.nudged import NEVER
from app.campaigns.plan import Plan
from app.campaigns.weigh import WAITING, Weighed
from app.experiments.assign import PERSONALISED
from app.offers.situation import Occasion, Situation
from app.offers.wire import Answer

SURFACE = "checkout"


def again_s(occasion: Occasion, situation: Situation) -> int | None:
    """Return after how many seconds a campaign may have something to say; None where none will.

    Only for what stands above the products, and only while nothing does: what stands there stays.
    """
    plan, weighed = occasion.shop.plan, situation.campaigns
    if plan is None or weighed is None or situation.arm != PERSONALISED:
        return None
    if occasion.question.surface != SURFACE or _stands(plan, weighed):
        return None
    soonest = [*_waited_for(plan, weighed)]
    if occasion.may.may_use_visit:
        marks = _marks(plan, weighed).difference(SOON_S if occasion.shopper.visit.visits else ())
        mark = next_mark(marks, _stayed_s(occasion))
        soonest += [] if mark is None else [mark]
    return min(soonest, default=None)


def is_idle(situation: Situation, answer: Answer) -> bool:
    """Return whether a message was asked for and no campaign had one, shown or held back."""
    matched = situation.campaigns.matched if situation.campaigns else ()
    return situation.wants == "message" and not answer.offers and not matched


def _stands(plan: Plan, weighed: Weighed) -> bool:
    return any(plan.by_id[each.campaign_id].place == "top" for each in weighed.chosen)


def _marks(plan: Plan, weighed: Weighed) -> set[int]:
    """Return the marks of the campaigns that are not out already."""
    return {
        mark
        for name, marks in plan.marks.items()
        if plan.by_id[name].place == "top" and weighed.left_out.get(name, WAITING) == WAITING
        for mark in marks
    }


def _waited_for(plan: Plan, weighed: Weighed) -> Iterator[int]:
    """Yield how long each campaign still waits that matches."""
    inputs = weighed.inputs
    for name in weighed.waiting if inputs.remembers else ():
        planned, since = plan.by_id[name], inputs.fired.get(name, NEVER).matched_at or inputs.at
        if planned.place == "top":
            yield max(1, since + planned.campaign.delay_s - inputs.at)


def _stayed_s(occasion: Occasion) -> float:
    signals = occasion.question.signals
    return 0.0 if signals is None else (signals.dwell_ms or 0) / 1000

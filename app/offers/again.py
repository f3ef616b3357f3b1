"""When a checkout is worth asking for again although its cart stays as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from app.campaigns.plan import Plan, Planned
from app.campaigns.reasons import WAITING
from app.campaigns.recheck import SOON_S
from app.campaigns.shopper_history import NEVER
from app.campaigns.weighed import Weighed
from app.events.surfaces import IN_CHECKOUT
from app.experiments.assign import PERSONALISED
from app.offers.situation import Occasion, Situation
from app.offers.wire import Answer


def again_s(occasion: Occasion, situation: Situation) -> int | None:
    """Return after how many seconds a campaign may have something to say; None where none will.

    Only for what stands above the products, only while nothing does: what stands there stays; and only where
    the visit may be used.
    """
    plan, weighed = occasion.shop.plan, situation.campaigns
    if plan is None or weighed is None or situation.arm != PERSONALISED or situation.wants == "products":
        return None
    if (
        occasion.question.surface not in IN_CHECKOUT
        or not occasion.may.may_use_visit
        or _is_settled(plan, weighed)
    ):
        return None
    stayed_s = _stayed_s(occasion)
    ahead = [mark - stayed_s for mark in _marks(occasion, plan, weighed) if mark > stayed_s]
    return min([*_waited_for(plan, weighed), *(max(1, ceil(each)) for each in ahead)], default=None)


def is_empty_poll(situation: Situation, answer: Answer) -> bool:
    """Return whether a message was asked for and no campaign had one, shown or held back."""
    weighed = situation.campaigns
    told = weighed is not None and (weighed.chosen or weighed.withheld)
    return situation.wants == "message" and not answer.offers and not told


def _is_settled(plan: Plan, weighed: Weighed) -> bool:
    """Return whether something stands at the top, or a campaign matched behind which nothing is looked at."""
    if any(plan.by_id[each.campaign_id].place == "top" for each in weighed.chosen):
        return True
    return any(plan.by_id[name].campaign.stop for name in weighed.matched if not _waits(weighed, name))


def _marks(occasion: Occasion, plan: Plan, weighed: Weighed) -> Iterator[int]:
    """Yield the times of a stay at which a campaign may come that is not over, nor left out for good."""

    def may_come(planned: Planned) -> bool:
        left_out = planned.id in weighed.left_out and not _waits(weighed, planned.id)
        return not left_out and weighed.inputs.at < planned.ends_at

    if not occasion.shopper.visit.visits and any(map(may_come, plan.by_visit)):
        yield from SOON_S
    yield from (time for time, campaigns in plan.timed if any(map(may_come, campaigns)))


def _waits(weighed: Weighed, name: str) -> bool:
    return weighed.left_out.get(name) == WAITING


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

"""What is foretold of an occasion's shopper, from what they allow: a purchase, and a coupon's worth. Pure."""

from __future__ import annotations

from app.campaigns.plan import Plan
from app.intent.model import Chances
from app.intent.worth import is_explored
from app.offers.situation import Occasion, unit_of

ORDERED = frozenset({"thank_you", "order_status"})


def chances_at(occasion: Occasion) -> Chances | None:
    """Return how likely a purchase is, None once there has been one."""
    if occasion.question.surface in ORDERED:
        return None
    return occasion.shop.intent.intent.chances(occasion.features)


def soon_at(occasion: Occasion) -> float | None:
    """Return how likely a purchase within five minutes is, None once there has been one."""
    if occasion.question.surface in ORDERED:
        return None
    return occasion.shop.intent.intent.now(occasion.features)


def unworthy_at(
    occasion: Occasion, plan: Plan, subtotal_minor: int | None, spare_minor: int | None
) -> dict[str, str]:
    """Return the campaigns whose coupon is not worth its price for this shopper, with the reason.

    Of those of which enough is known; where no cost is, or not the cart's subtotal, nothing is said. One
    shopper in twenty is left to the rule alone, so that more can be learnt.
    """
    foresight = occasion.shop.intent
    if not foresight.uplift or subtotal_minor is None or spare_minor is None:
        return {}
    unit, found = unit_of(occasion), dict[str, str]()
    for name in foresight.uplift:
        planned = plan.by_id.get(name)
        if planned is None or planned.campaign.offer.discount is None or is_explored(name, unit):
            continue
        told = foresight.worth(name, occasion.features, spare_minor, planned.takes_minor(subtotal_minor))
        if told is not None and not told.give:
            found[name] = told.reason
    return found

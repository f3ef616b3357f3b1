"""What is predicted of the shopper from what they allow: a purchase, and whether a coupon pays. Pure."""

from __future__ import annotations

from app.campaigns.plan import Plan
from app.events.surfaces import AFTER_THE_ORDER
from app.intent.model import Chances
from app.intent.worth import is_explored
from app.offers.situation import Occasion, unit_of


def purchase_chances(occasion: Occasion) -> Chances | None:
    """Return how likely a purchase is within each horizon, None once there has been one."""
    if occasion.question.surface in AFTER_THE_ORDER:
        return None
    return occasion.shop.foresight.intent.chances(occasion.features)


def chance_of_purchase_soon(occasion: Occasion) -> float | None:
    """Return how likely a purchase within five minutes is, None once there has been one."""
    if occasion.question.surface in AFTER_THE_ORDER:
        return None
    return occasion.shop.foresight.intent.now(occasion.features)


def coupons_not_worth_it(
    occasion: Occasion, plan: Plan, subtotal_minor: int | None, spare_minor: int | None
) -> dict[str, str]:
    """Return the campaigns whose coupon costs more than it brings with this shopper, each with the reason.

    Empty where the products' costs or the cart's subtotal are not known. A campaign of which too little is
    known is not among them. For one shopper in twenty rules alone decide, so that more can be learnt.
    """
    foresight = occasion.shop.foresight
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

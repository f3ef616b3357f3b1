"""Grants of discounts without a code, as they go to the shopper with the offer. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from app.campaigns.campaign import COUPON_S
from app.campaigns.plan import Planned
from app.campaigns.signing import Signing
from app.coupons.signed import last_step, sign_grant, whose_cart
from app.events.surfaces import AFTER_THE_ORDER
from app.offers.situation import Occasion, unit_of
from app.offers.wire import Answer, Discount, Offer


def is_unhonoured(occasion: Occasion, planned: Planned) -> bool:
    """Return whether nothing would take its discount off: no code, and no grant that would hold.

    An order that is placed takes none any more, and the link to the next cart carries none.
    """
    discount, question = planned.campaign.offer.discount, occasion.question
    if discount is None or discount.with_code:
        return False
    if question.surface in AFTER_THE_ORDER or not question.cart.lines:
        return True
    signing = occasion.shop.signings.get(planned.id)
    return signing is None or signing.number_of(unit_of(occasion)) is None


def with_grants(occasion: Occasion, answer: Answer, customer_id: int | None) -> Answer:
    """Return the answer with a grant beside each discount without a code.

    customer_id: of whom Shopify says that they are logged in, None for a guest. What is logged of a decision
    has no grants: whoever holds one could use it.
    """
    if not occasion.shop.signings:
        return answer
    offers = tuple(_granted(occasion, each, customer_id) for each in answer.offers)
    return msgspec.structs.replace(answer, offers=offers)


def _granted(occasion: Occasion, offer: Offer, customer_id: int | None) -> Offer:
    discount, signing = offer.discount, occasion.shop.signings.get(offer.campaign or "")
    if discount is None or discount.code is not None or signing is None:
        return offer
    whose = whose_cart(customer_id, occasion.question.cart.product_ids)
    number = signing.number_of(unit_of(occasion))
    if whose is None or number is None:
        return offer
    grant = _signed(occasion, signing, discount, whose, number)
    return msgspec.structs.replace(offer, discount=msgspec.structs.replace(discount, grant=grant))


def _signed(occasion: Occasion, signing: Signing, discount: Discount, whose: str, number: str) -> str:
    plan = occasion.shop.plan
    ends_at = discount.expires_at and datetime.fromisoformat(discount.expires_at)
    until = last_step(ends_at or occasion.now + timedelta(seconds=COUPON_S), plan.zone) if plan else ""
    return sign_grant(signing.key, signing.terms_id, until, whose, number)

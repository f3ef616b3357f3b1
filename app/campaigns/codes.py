"""What a campaign's codes are to do, and from which pool they come. Pure."""

from __future__ import annotations

from app.campaigns.campaign import Campaign
from app.coupons.terms import CouponTerms, pool_id
from app.values import minor_units


def coupon_terms(campaign: Campaign, currency: str) -> CouponTerms | None:
    """Return what each code of the campaign does, None for a campaign that gives out none."""
    discount = campaign.offer.discount
    if discount is None or not discount.with_code:
        return None
    free_shipping = discount.applies_to == "shipping"
    return CouponTerms(
        title=campaign.name,
        applies_to=discount.applies_to,
        percentage=None if free_shipping else discount.percentage,
        amount_minor=minor_units(discount.amount, currency) if discount.amount else None,
        product_ids=campaign.offer.product_ids,
        minimum_minor=minor_units(discount.minimum, currency) if discount.minimum else None,
        combines_with=discount.combines_with,
    )


def pool_of(campaign: Campaign, currency: str) -> str | None:
    """Return the name of the pool the campaign's codes come from, None for one that gives out none."""
    terms = coupon_terms(campaign, currency)
    return None if terms is None else pool_id(campaign.id, terms)

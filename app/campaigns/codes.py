"""What a campaign takes off: by codes, and from which pool they come, or without. Pure."""

from __future__ import annotations

import msgspec

from app.campaigns.campaign import COUPON_S, Campaign
from app.coupons.promise import Promise
from app.coupons.terms import CouponTerms, pool_id
from app.values import as_utc, minor_units


def coupon_terms(campaign: Campaign, currency: str) -> CouponTerms | None:
    """Return what each code of the campaign does, None for a campaign that gives out none."""
    terms = _terms(campaign, currency) if campaign.needs_code else None
    # A code for shipping is Shopify's free shipping: it takes no percentage.
    return terms and msgspec.structs.replace(terms, percentage=None) if _is_shipping(campaign) else terms


def promise_of(campaign: Campaign, currency: str) -> Promise | None:
    """Return what the campaign gives without a code, None for one that gives nothing so."""
    discount = campaign.offer.discount
    if discount is None or discount.with_code:
        return None
    ends_at = campaign.schedule.ends_at
    terms = _terms(campaign, currency)
    if terms is None:
        return None
    return Promise(campaign.id, terms, ends_at and as_utc(ends_at), campaign.lasts_s or COUPON_S)


def _is_shipping(campaign: Campaign) -> bool:
    return campaign.offer.discount is not None and campaign.offer.discount.applies_to == "shipping"


def _terms(campaign: Campaign, currency: str) -> CouponTerms | None:
    discount = campaign.offer.discount
    if discount is None:
        return None
    return CouponTerms(
        title=campaign.name,
        applies_to=discount.applies_to,
        percentage=discount.percentage,
        amount_minor=minor_units(discount.amount, currency) if discount.amount else None,
        product_ids=campaign.offer.product_ids,
        minimum_minor=minor_units(discount.minimum, currency) if discount.minimum else None,
        combines_with=discount.combines_with,
    )


def pool_of(campaign: Campaign, currency: str) -> str | None:
    """Return the name of the pool the campaign's codes come from, None for one that gives out none."""
    terms = coupon_terms(campaign, currency)
    return None if terms is None else pool_id(campaign.id, terms)

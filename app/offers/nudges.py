"""The offers that campaigns make, as they go to the shopper. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from app.campaigns.messages import key_of, text_for
from app.campaigns.plan import ROOM, Plan, Planned
from app.campaigns.shopper_history import NEVER
from app.campaigns.weighed import Inputs
from app.experiments.assign import PERSONALISED
from app.offers.situation import Situation, offer_id
from app.offers.snapshot import ShopSnapshot
from app.offers.wire import Amount, Discount, Message, Offer, Progress, Why
from app.values import decimal_amount

Args = dict[str, str | int | float | Amount]
_BY_MERCHANT = (Why(reason="merchant_pick", weight=1.0),)
_HOUR_S = 3_600


class ShownCampaign(NamedTuple):
    """A campaign that is shown, in which plan, and what it was weighed by."""

    planned: Planned
    plan: Plan
    inputs: Inputs


def nudges_of(shop: ShopSnapshot, situation: Situation) -> list[Offer]:
    """Return what the campaigns show beside the ranking: at most one at the top and one progress."""
    chosen = _chosen(shop, situation)
    return [_nudge(situation.decision_id, shown) for shown in chosen if shown.planned.place != "main"]


def campaign_products(shop: ShopSnapshot, situation: Situation) -> dict[int, ShownCampaign]:
    """Return the products that campaigns offer, at most three, each with its campaign."""
    unwanted, found = {*situation.cart, *situation.sent_away}, dict[int, ShownCampaign]()
    for shown in _chosen(shop, situation):
        gone = unwanted.union(shown.inputs.fired.get(shown.planned.id, NEVER).gone)
        for product_id in shown.planned.campaign.offer.product_ids:
            if product_id in shop.offerable and product_id not in gone and len(found) < ROOM["main"]:
                found.setdefault(product_id, shown)
    return found


def upsell_of(shop: ShopSnapshot, situation: Situation, product_id: int, shown: ShownCampaign) -> Offer:
    """Return a campaign's offer of a product."""
    product = shop.offerable[product_id].shown
    return Offer(
        offer_id=offer_id(situation.decision_id, product_id),
        kind="upsell",
        slot=shown.planned.campaign.offer.slot or "main",
        product=product,
        message=_message(shown, {"product": product.title}),
        campaign=shown.planned.id,
        why=_BY_MERCHANT,
    )


def _chosen(shop: ShopSnapshot, situation: Situation) -> Iterator[ShownCampaign]:
    """Yield the campaigns that are shown: none outside the personalised arm, no code that is not there."""
    if shop.plan is None or situation.campaigns is None or situation.arm != PERSONALISED:
        return
    for each in situation.campaigns.chosen:
        shown = ShownCampaign(shop.plan.by_id[each.campaign_id], shop.plan, situation.campaigns.inputs)
        if not shown.planned.campaign.needs_code or _code(shown):
            yield shown


def _nudge(decision_id: str, shown: ShownCampaign) -> Offer:
    planned, offer = shown.planned, shown.planned.campaign.offer
    return Offer(
        offer_id=offer_id(decision_id, f"campaign {planned.id}"),
        kind=offer.kind,
        slot=offer.slot or "top",
        product=None,
        discount=_discount(shown),
        message=_message(shown, _args(shown)),
        progress=_progress(shown),
        campaign=planned.id,
        why=(),
    )


def _message(shown: ShownCampaign, args: Args) -> Message:
    """Return the merchant's words, else a built-in sentence; at its target a progress has only that."""
    planned, inputs, offer = shown.planned, shown.inputs, shown.planned.campaign.offer
    if planned.target_minor and not _missing_minor(shown):
        return Message(key_of(offer.kind, offer.key, planned.texts, reached=True), args)
    text = text_for(planned.texts, inputs.locale, inputs.country, shown.plan.locale)
    return Message(key_of(offer.kind, offer.key, planned.texts), args, text)


def _args(shown: ShownCampaign) -> Args:
    """Return what fills the message's gaps."""
    planned, terms = shown.planned, shown.planned.campaign.offer.discount
    if planned.target_minor:
        return {"amount": _money(_missing_minor(shown), shown), "target": _money(planned.target_minor, shown)}
    if terms is None:
        return {}
    args: Args = {} if terms.percentage is None else {"percentage": terms.percentage}
    if planned.amount_minor:
        args["amount"] = _money(planned.amount_minor, shown)
    if planned.minimum_minor:
        args["minimum"] = _money(planned.minimum_minor, shown)
    if code := _code(shown):
        args["code"] = code
    if (until := _until(shown)) is not None:
        args["count"] = max(1, -(-(until - shown.inputs.at) // _HOUR_S))  # hours left, begun ones too
    return args


def _discount(shown: ShownCampaign) -> Discount | None:
    terms, plan = shown.planned.campaign.offer.discount, shown.plan
    if terms is None:
        return None
    until = _until(shown)
    return Discount(
        code=_code(shown),
        percentage=terms.percentage,
        amount=decimal_amount(shown.planned.amount_minor, plan.currency) if terms.amount else None,
        currency=plan.currency if terms.amount else None,
        applies_to=terms.applies_to,
        expires_at=None if until is None else datetime.fromtimestamp(until, UTC).isoformat(),
    )


def _progress(shown: ShownCampaign) -> Progress | None:
    target_minor, currency = shown.planned.target_minor, shown.plan.currency
    if not target_minor:
        return None
    current = decimal_amount(shown.inputs.subtotal_minor or 0, currency)
    return Progress(current, decimal_amount(target_minor, currency), currency)


def _missing_minor(shown: ShownCampaign) -> int:
    """Return what is missing to the target."""
    return max(0, shown.planned.target_minor - (shown.inputs.subtotal_minor or 0))


def _code(shown: ShownCampaign) -> str | None:
    held = shown.inputs.fired.get(shown.planned.id, NEVER)
    return held.code if held.expires_at > shown.inputs.at else None


def _until(shown: ShownCampaign) -> int | None:
    """Return when it ends for this shopper (epoch seconds), None where it has no end of its own."""
    held, lasts_s = shown.inputs.fired.get(shown.planned.id, NEVER), shown.planned.campaign.lasts_s
    if held.expires_at:
        return held.expires_at
    if lasts_s is None:
        return None
    # Without a code it is over with its campaign: Shopify takes nothing off any more.
    return int(min((held.first_at or shown.inputs.at) + lasts_s, shown.planned.ends_at))


def _money(amount_minor: int, shown: ShownCampaign) -> Amount:
    return Amount(decimal_amount(amount_minor, shown.plan.currency), shown.plan.currency)

"""What shoppers sent away: it does not come back to them. Of a campaign's products, each goes alone."""

from __future__ import annotations

from typing import Any

from sqlmodel import select

from app.campaigns.shopper_history import ShopperHistory, dismissed
from app.campaigns.writing import change_kept
from app.connections import Connections
from app.consent.policy import consent_of, permissions
from app.events.kinds import OFFER_DISMISSED, BrowserEvent
from app.profiles.keys import nudged_key
from app.tables import DecisionRow
from app.values import shopify_id


async def remember_dismissal(connections: Connections, event: BrowserEvent) -> None:
    """Remember what of a campaign the shopper sent away, wherever it is kept that they were shown it."""
    if event.name != OFFER_DISMISSED:
        return
    decision = await _decision(connections, event.shop, event.data.get("decision_id"))
    offer = None if decision is None else _offer(decision.answer, event.data.get("offer_id"))
    if decision is None or offer is None:
        return
    campaign_id, at = offer["campaign"], int(event.happened_at.timestamp())
    product = offer.get("product")
    product_id = None if product is None else shopify_id(product["product_id"])

    def sent_away(history: ShopperHistory) -> ShopperHistory:
        return dismissed(history, campaign_id, at, product_id) if campaign_id in history.fired else history

    for unit in _units(decision, event):
        await change_kept(connections.redis, nudged_key(event.shop, unit), sent_away)


async def _decision(connections: Connections, shop: str, decision_id: object) -> DecisionRow | None:
    if not isinstance(decision_id, str):
        return None
    query = select(DecisionRow).where(DecisionRow.shop == shop, DecisionRow.decision_id == decision_id)
    async with connections.read() as db:
        return (await db.exec(query)).first()


def _offer(answer: dict[str, Any], offer_id: object) -> dict[str, Any] | None:
    """Return the offer, None for one of the ranking's."""
    offers: list[dict[str, Any]] = answer.get("offers") or []
    return next((each for each in offers if each.get("offer_id") == offer_id and each.get("campaign")), None)


def _units(decision: DecisionRow, event: BrowserEvent) -> list[str]:
    """Return under which names it may be kept what the shopper was shown; the browser's word names nobody."""
    may = permissions(consent_of(decision.permitted))
    units = []
    if may.may_use_profile and decision.customer_id is not None:
        units.append(f"customer:{decision.customer_id}")
    if may.may_store_visitor and event.client_id:
        units.append(f"client:{event.client_id}")
    if may.may_store_checkout and decision.checkout_token:
        units.append(f"checkout:{decision.checkout_token}")
    return units

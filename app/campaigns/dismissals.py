"""What shoppers sent away: it does not come back to them."""

from __future__ import annotations

from typing import Any

from sqlmodel import select

from app.campaigns.nudged import Nudged, dismissed
from app.campaigns.writing import change_kept
from app.connections import Connections
from app.consent.policy import consent_of, permissions
from app.events.kinds import BrowserEvent
from app.profiles.keys import nudged_key
from app.profiles.visit import DISMISSED
from app.tables import DecisionRow


async def remember_dismissal(connections: Connections, event: BrowserEvent) -> None:
    """Remember that the shopper sent a campaign away, wherever it is kept that they were shown it."""
    if event.name != DISMISSED:
        return
    decision = await _decision(connections, event.shop, event.data.get("decision_id"))
    campaign_id = None if decision is None else _campaign(decision.answer, event.data.get("offer_id"))
    if decision is None or campaign_id is None:
        return
    at = int(event.happened_at.timestamp())

    def sent_away(nudged: Nudged) -> Nudged:
        return dismissed(nudged, campaign_id, at) if campaign_id in nudged.fired else nudged

    for unit in _units(decision, event):
        await change_kept(connections.redis, nudged_key(event.shop, unit), sent_away)


async def _decision(connections: Connections, shop: str, decision_id: object) -> DecisionRow | None:
    if not isinstance(decision_id, str):
        return None
    query = select(DecisionRow).where(DecisionRow.shop == shop, DecisionRow.decision_id == decision_id)
    async with connections.read() as db:
        return (await db.exec(query)).first()


def _campaign(answer: dict[str, Any], offer_id: object) -> str | None:
    """Return which campaign made the offer, None for one of the ranking's."""
    offers: list[dict[str, Any]] = answer.get("offers") or []
    campaigns = {offer.get("offer_id"): offer.get("campaign") for offer in offers}
    return campaigns.get(offer_id) if isinstance(offer_id, str) else None


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

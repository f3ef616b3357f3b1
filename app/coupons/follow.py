"""What events tell of codes: which were shown to somebody, and which were used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.connections import Connections
from app.coupons.store import note_granted, note_redeemed
from app.events.kinds import DecisionMade, OrderFacts


async def follow_grants(connections: Connections, event: DecisionMade) -> None:
    """Write down the codes that the decision showed."""
    granted = dict(_codes(event.answer))
    if granted:
        await note_granted(connections, event.shop, event.event_id, granted, event.happened_at)


async def follow_redemptions(connections: Connections, event: OrderFacts) -> None:
    """Write down the codes that the order used."""
    if event.codes:
        await note_redeemed(connections, event.shop, [each.code for each in event.codes], event.order_id)


def _codes(answer: Mapping[str, Any]) -> Iterator[tuple[str, datetime]]:
    for offer in answer.get("offers") or ():
        discount = offer.get("discount") or {}
        if discount.get("code") and discount.get("expires_at"):
            yield discount["code"], datetime.fromisoformat(discount["expires_at"])

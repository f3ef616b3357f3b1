"""Event handlers that note which codes and grants were shown and which were redeemed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from app.connections import Connections
from app.consent.policy import consent_of, permissions
from app.coupons.store import note_granted, note_redeemed
from app.coupons.uses import note_use
from app.events.kinds import DecisionMade, OrderFacts
from app.jobs import request_job
from app.shops.changes import announce_change


async def follow_grants(connections: Connections, event: DecisionMade) -> None:
    """Write down the codes that the decision showed."""
    granted = dict(_codes(event.answer))
    if granted:
        # Without analytics no browser says what was seen.
        told_by = event.event_id if permissions(consent_of(event.permitted)).may_use_visit else None
        await note_granted(connections, event.shop, told_by, granted, event.happened_at)


async def follow_redemptions(connections: Connections, event: OrderFacts) -> None:
    """Write down the codes and the grant that the order used, and have the Function told of the grant."""
    if event.codes:
        await note_redeemed(connections, event.shop, [each.code for each in event.codes], event.order_id)
    used, shop, now = event.grant, event.shop, datetime.now(UTC)
    if used and await note_use(connections, shop, used.terms_id, used.number, event.order_id, now, used.off):
        await announce_change(connections.redis, event.shop)
        await request_job(connections, "coupons", event.shop)


def _codes(answer: Mapping[str, Any]) -> Iterator[tuple[str, datetime]]:
    for offer in answer.get("offers") or ():
        discount = offer.get("discount") or {}
        if discount.get("code") and discount.get("expires_at"):
            yield discount["code"], datetime.fromisoformat(discount["expires_at"])

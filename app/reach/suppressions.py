"""Addresses that are not written to any more, by their keyed hash."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import select

from app.connections import Connections
from app.reach_tables import SuppressionRow
from app.tables import ShopRow
from app.upsert import upsert

UNSUBSCRIBED, BOUNCED = "unsubscribed", "bounced"


async def suppress(
    connections: Connections, shop: str, email_digest: str, reason: str, now: datetime
) -> None:
    """Write to the address no more. Nothing is stored for an erased shop, which writes to nobody."""
    row = {"shop": shop, "email_digest": email_digest, "reason": reason, "suppressed_at": now}
    known = select(ShopRow.shop).where(ShopRow.shop == shop).with_for_update()
    async with connections.write() as db:
        if (await db.exec(known)).first() is not None:
            await upsert(db, SuppressionRow, [row])


async def suppression(
    connections: Connections, shop: str, email_digest: str, opted_in_at: datetime | None
) -> str | None:
    """Return why the address is not written to, None where it may be.

    opted_in_at: when its owner subscribed last, as Shopify says: who does so after they took themself off
    wants mail again. An address that takes none still takes none.
    """
    async with connections.read() as db:
        row = await db.get(SuppressionRow, (shop, email_digest))
    if row is None:
        return None
    again = row.reason == UNSUBSCRIBED and opted_in_at is not None and opted_in_at > row.suppressed_at
    return None if again else row.reason

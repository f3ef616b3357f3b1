"""Who was erased while something long was under way: its result may not bring them back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import col, select

from app.connections import Connections
from app.consent.digests import open_digests
from app.privacy_tables import ErasedRow

_CLOCKS_DIFFER = timedelta(minutes=5)


async def erased_since(
    connections: Connections, shop: str, customer_ids: Iterable[int], since: datetime
) -> list[int]:
    """Return which of the customers were erased since then, or a little before."""
    query = select(ErasedRow.subject).where(
        ErasedRow.shop == shop, col(ErasedRow.erased_at) >= since - _CLOCKS_DIFFER
    )
    async with connections.read() as db:
        erased = set((await db.exec(query)).all())
    if not erased:
        return []
    digests = await open_digests(connections)
    return [each for each in customer_ids if digests.of(shop, "customer", each) in erased]


async def shop_erased_since(connections: Connections, shop: str, since: datetime) -> bool:
    """Return whether the shop itself was erased since then."""
    subject = (await open_digests(connections)).of(shop, "shop", shop)
    query = select(ErasedRow.erased_at).where(ErasedRow.subject == subject, col(ErasedRow.erased_at) >= since)
    async with connections.read() as db:
        return (await db.exec(query)).first() is not None

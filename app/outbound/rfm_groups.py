"""Shopify's own RFM group of each customer who is in our segments, kept beside them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update

from app.connections import Connections
from app.segment_tables import CustomerSegmentRow
from app.upsert import chunks, table_of

_SEGMENTS = table_of(CustomerSegmentRow)


async def record_rfm_groups(connections: Connections, shop: str, groups: Mapping[int, str | None]) -> int:
    """Return how many were others than we knew. groups: as Shopify writes them, `AT_RISK`, by customer.

    Who is in no segment is left out: nothing is kept of who may not be profiled.
    """
    changed = 0
    async with connections.write() as db:
        connection = await db.connection()
        for part in chunks(sorted(groups)):
            theirs = (_SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id.in_(part))
            known = select(_SEGMENTS.c.customer_id, _SEGMENTS.c.rfm_group).where(*theirs)
            for customer_id, before in (await connection.execute(known)).all():
                if (after := groups[customer_id]) != before:
                    this = (_SEGMENTS.c.shop == shop, _SEGMENTS.c.customer_id == customer_id)
                    await connection.execute(update(_SEGMENTS).where(*this).values(rfm_group=after))
                    changed += 1
    return changed

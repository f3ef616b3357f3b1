"""Codes that orders used: their shoppers are shown them no more, and may have another campaign's."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select

from app.campaigns.shopper_history import redeemed
from app.campaigns.writing import change_kept
from app.connections import Connections
from app.coupons.grants import note_used
from app.events.kinds import OrderFacts
from app.profiles.keys import nudged_key
from app.tables import EventRow
from app.upsert import table_of

_EVENTS = table_of(EventRow)


async def end_redeemed_codes(connections: Connections, event: OrderFacts) -> None:
    """End the order's codes for their shopper, wherever it is kept who has them; a repeat changes nothing.

    Who used one is given no other of its campaign as long as that is kept.
    """
    codes = {each.code.upper() for each in event.codes}
    if not codes:
        return
    end = partial(redeemed, codes=codes, at=int(event.created_at.timestamp()))
    for unit in await _units(connections, event):
        await change_kept(connections.redis, nudged_key(event.shop, unit), end)
        await note_used(connections.redis, event.shop, unit, codes)


async def _units(connections: Connections, event: OrderFacts) -> list[str]:
    """Return the names under which it may be kept what the order's shopper was shown."""
    units = [] if event.customer_id is None else [f"customer:{event.customer_id}"]
    if event.checkout_token is None:
        return units
    units.append(f"checkout:{event.checkout_token}")
    columns = _EVENTS.c
    query = (
        select(columns.client_id)
        .distinct()
        .where(
            columns.shop == event.shop,
            columns.checkout_token == event.checkout_token,
            columns.client_id.is_not(None),
        )
    )
    clients = await connections.scalars(query.order_by(columns.client_id))
    return [*units, *(f"client:{each}" for each in clients)]

"""Marketing consent that differs from Shopify's: a delivery was missed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.connections import Connections
from app.events.kinds import AnyEvent
from app.shops.store import Shop
from app.tables import CustomerRow
from app.upsert import table_of
from webhooks.payload import Payload
from webhooks.read_admin import read_customer

_CUSTOMERS = table_of(CustomerRow)


async def missed_consent(
    connections: Connections, shop: Shop, customers: Sequence[Payload]
) -> list[AnyEvent]:
    """Return the customers, as Shopify has them, whose marketing consent differs from ours.

    Consent has a topic of its own: a customer's record can be current, and its consent not.
    """
    read = [read_customer(shop.shop, customer, shop.currency) for customer in customers]
    query = select(_CUSTOMERS.c.customer_id, _CUSTOMERS.c.email_marketing, _CUSTOMERS.c.sms_marketing).where(
        _CUSTOMERS.c.shop == shop.shop, _CUSTOMERS.c.customer_id.in_([each.customer_id for each in read])
    )
    rows = await connections.rows(query)
    known = {row.customer_id: (row.email_marketing, row.sms_marketing) for row in rows}
    return [
        each for each in read
        if each.customer_id in known
        and _differ(known[each.customer_id], (each.email_marketing, each.sms_marketing))
    ]  # fmt: skip


def _differ(known: tuple[str | None, ...], current: tuple[str | None, ...]) -> bool:
    """Return whether a current answer, if there is one, is not the known one. Pure."""
    return any(new is not None and new != old for old, new in zip(known, current, strict=True))

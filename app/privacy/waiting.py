"""Requests taken out of the event log and written down, so that they are done whatever becomes of it."""

from __future__ import annotations

from app.connections import Connections
from app.consent.requests import Kind, PrivacyRequest, open_request
from app.events.kinds import CustomerDataRequested, CustomerRedactionRequested, ShopRedactionRequested


async def keep_waiting(connections: Connections, event: object) -> PrivacyRequest:
    """Return the request that the event makes, opened now unless it was before."""
    match event:
        case CustomerDataRequested() | CustomerRedactionRequested():
            return await open_request(
                connections,
                event.shop,
                event.event_id,
                Kind.DATA if isinstance(event, CustomerDataRequested) else Kind.CUSTOMER,
                event.happened_at,
                customer_id=event.customer_id,
                email_digest=event.email_digest,
                order_ids=event.order_ids,
            )
        case ShopRedactionRequested():
            return await open_request(connections, event.shop, event.event_id, Kind.SHOP, event.happened_at)
    raise TypeError(f"not a request: {type(event).__name__}")

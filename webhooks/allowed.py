"""Filters carts and checkouts by consent: their identifiers are kept only where the visitor allows it.

Shopify's webhooks cover every checkout and carry no consent. Until the checkout extension has reported that
the visitor may be recorded, the event is kept without anything that identifies them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.policy import permissions, settle
from app.consent.told import told_key, unpack
from app.events.kinds import AnyEvent, CartUpdated, CheckoutDeleted, CheckoutUpdated

_IDENTIFIERS = ("checkout_token", "cart_token", "customer_id", "checkout_id")
_Identifying = CartUpdated | CheckoutUpdated | CheckoutDeleted


async def strip_identifiers(connections: Connections, events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Return the events, without identifiers where consent to them is not recorded. Redis is read once."""
    checkouts = sorted({(event.shop, token) for event in events if (token := _token(event))})
    allowed = await _allowed(connections, checkouts) if checkouts else set()
    return [
        _anonymous(event)
        if isinstance(event, _Identifying) and (event.shop, _token(event)) not in allowed
        else event
        for event in events
    ]


async def _allowed(
    connections: Connections, checkouts: Sequence[tuple[str, str]]
) -> set[tuple[str, str | None]]:
    """Return which of the checkouts, by shop and token, may be recorded."""
    digests = await open_digests(connections)
    keys = [told_key(shop, digests.of(shop, "checkout", token)) for shop, token in checkouts]
    values: Any = await connections.redis.mget(keys)
    recorded = zip(checkouts, map(unpack, values), strict=True)
    return {each for each, consent in recorded if consent and permissions(settle(consent)).may_store_checkout}


def _token(event: AnyEvent) -> str | None:
    return event.checkout_token if isinstance(event, CheckoutUpdated | CheckoutDeleted) else None


def _anonymous(event: _Identifying) -> AnyEvent:
    """Return the event without what identifies the visitor."""
    none: dict[str, Any] = dict.fromkeys(name for name in _IDENTIFIERS if hasattr(event, name))
    return msgspec.structs.replace(event, **none)

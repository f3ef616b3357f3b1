"""Filters carts and checkouts by consent: their identifiers are kept only where the visitor allows it.

Shopify tells of every checkout and carries no consent with it. Until the checkout has told us that it
may be written down, what was in it is a fact of the shop's and nobody's in particular.
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

_NAMES = ("checkout_token", "cart_token", "customer_id", "checkout_id")
_Named = CartUpdated | CheckoutUpdated | CheckoutDeleted


async def as_allowed(connections: Connections, events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Return the events, without names where nobody has allowed any: one read for all."""
    checkouts = sorted({(event.shop, token) for event in events if (token := _token(event))})
    allowed = await _allowed(connections, checkouts) if checkouts else set()
    return [
        _nobodys(event) if isinstance(event, _Named) and (event.shop, _token(event)) not in allowed else event
        for event in events
    ]


async def _allowed(
    connections: Connections, checkouts: Sequence[tuple[str, str]]
) -> set[tuple[str, str | None]]:
    """Return which of the shops' checkouts may be written down by their token."""
    digests = await open_digests(connections)
    keys = [told_key(shop, digests.of(shop, "checkout", token)) for shop, token in checkouts]
    values: Any = await connections.redis.mget(keys)
    told = zip(checkouts, map(unpack, values), strict=True)
    return {each for each, said in told if said and permissions(settle(said)).may_store_checkout}


def _token(event: AnyEvent) -> str | None:
    return event.checkout_token if isinstance(event, CheckoutUpdated | CheckoutDeleted) else None


def _nobodys(event: _Named) -> AnyEvent:
    """Return the event with nothing in it that leads to a visitor."""
    names: dict[str, Any] = dict.fromkeys(name for name in _NAMES if hasattr(event, name))
    return msgspec.structs.replace(event, **names)

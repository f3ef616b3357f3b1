"""A privacy request that names its customer by e-mail address alone.

An address is stored only as a digest, and Shopify can't be queried by a digest. So the request is stored
encrypted until it is worked off, and Shopify is asked then for the customer: again and again while its
deadline leaves time, after which our own records have to do.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.requests import may_wait
from app.errors import ShopClosed, ShopifyError, ShopifyUnavailable
from app.events.kinds import AnyEvent, CustomerDataRequested, CustomerRedactionRequested
from app.privacy.lookup import customer_of_address

_TOPICS = ("customers/data_request", "customers/redact")
_log = logging.getLogger(__name__)


class _Named(msgspec.Struct):
    id: int | str | None = None
    email: str | None = None


class _Request(msgspec.Struct):
    customer: _Named | None = None


_decoder = msgspec.json.Decoder(_Request)


def address_alone(topic: str, body: bytes) -> str | None:
    """Return the address where nothing else names the customer, else None. Pure."""
    if topic not in _TOPICS:
        return None
    try:
        customer = _decoder.decode(body).customer
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if customer is None or customer.id is not None or customer.email is None:
        return None
    return customer.email.strip() or None


async def with_customer(connections: Connections, event: AnyEvent, address: str) -> AnyEvent:
    """Return the request with its customer's id, where we or Shopify know it, and the address's digest.

    Raises ShopifyUnavailable when it is worth trying again later, and there is time.
    """
    if not isinstance(event, CustomerDataRequested | CustomerRedactionRequested):
        return event
    digest = (await open_digests(connections)).of_email(event.shop, address)
    try:
        customer_id = await customer_of_address(connections, event.shop, address)
    except ShopifyError as error:
        # A closed shop may open again.
        later = isinstance(error, ShopClosed | ShopifyUnavailable)
        if later and may_wait(event.happened_at, datetime.now(UTC)):
            raise ShopifyUnavailable(str(error)) from error
        _log.warning(
            "Shopify does not say whose address it is", extra={"shop": event.shop, "reason": str(error)}
        )
        customer_id = None
    return msgspec.structs.replace(event, customer_id=customer_id, email_digest=digest)

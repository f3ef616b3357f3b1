"""The customer behind an address that none of our rows knows: Shopify is asked."""

from __future__ import annotations

from sqlalchemy import select

from app.connections import Connections
from app.consent.digests import open_digests
from app.errors import ShopifyUnavailable, TokenRevoked
from app.shops.tokens import ask_shop
from app.tables import CustomerRow
from app.upsert import table_of
from app.values import shopify_id

FIND_CUSTOMER = """
query FindCustomer($address: String!) {
  customerByIdentifier(identifier: {emailAddress: $address}) { id }
}
"""
_CUSTOMERS = table_of(CustomerRow).c


async def customer_of_address(connections: Connections, shop: str, address: str) -> int | None:
    """Return the number of the customer with this address, None when neither we nor Shopify know one.

    A shop that has no app any more can't be asked. Raises ShopifyUnavailable when it is worth trying
    again later, ShopifyRefused when not.
    """
    digest = (await open_digests(connections)).of_email(shop, address)
    known = select(_CUSTOMERS.customer_id).where(_CUSTOMERS.shop == shop, _CUSTOMERS.email_digest == digest)
    found = await connections.scalar(known)
    return int(found) if found is not None else await _asked(connections, shop, address)


async def _asked(connections: Connections, shop: str, address: str) -> int | None:
    try:
        answer = await ask_shop(connections, shop, FIND_CUSTOMER, {"address": address.strip()})
    except ShopifyUnavailable:
        raise
    except TokenRevoked:
        return None
    customer = answer.get("customerByIdentifier")
    return None if customer is None else shopify_id(customer["id"])

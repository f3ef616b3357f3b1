"""What Shopify says of a customer at the moment they are written to; it is kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.connections import Connections
from app.orders.placed import is_renewal
from app.reach.documents import WHO_LEFT
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.values import gid, moment


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as Shopify knows them at this moment; kept nowhere. address: None where there is none."""

    address: str | None
    subscribed: bool
    opted_in_at: datetime | None
    locale: str | None
    country: str | None
    ordered_at: datetime | None
    shop_name: str
    reply_to: str | None
    footer: tuple[str, ...]


async def fetch_customer(connections: Connections, shop: Shop, customer_id: int) -> Customer | None:
    """Return the customer as Shopify knows them now, None for one who is gone. Raises ShopifyError."""
    data = await ask_shop(connections, shop.shop, WHO_LEFT, {"id": gid("Customer", customer_id)})
    told, store = data.get("customer"), data.get("shop") or {}
    if told is None:
        return None
    email = told.get("defaultEmailAddress") or {}
    address = store.get("shopAddress") or {}
    return Customer(
        address=email.get("emailAddress") if email.get("validFormat") is not False else None,
        subscribed=str(email.get("marketingState")).lower() == "subscribed",
        opted_in_at=_moment(email.get("marketingUpdatedAt")),
        locale=told.get("locale"),
        country=(told.get("defaultAddress") or {}).get("countryCodeV2"),
        ordered_at=_ordered_at(told.get("lastOrder") or {}),
        shop_name=str(store.get("name") or shop.name),
        reply_to=store.get("contactEmail"),
        footer=tuple(map(str, address.get("formatted") or ())),
    )


def _ordered_at(last: Mapping[str, Any]) -> datetime | None:
    """Return when the customer ordered last; what a subscription charged does not say that they came back."""
    return None if is_renewal(last.get("sourceName")) else _moment(last.get("createdAt"))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)

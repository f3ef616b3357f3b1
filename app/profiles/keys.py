"""Under which key a visitor's profile is kept. Pure."""

from __future__ import annotations

from app.connections import redis_key


def customer_key(shop: str, customer_id: int) -> str:
    """Return where a customer's profile is."""
    return redis_key(shop, "visitor", "customer", customer_id)


def client_key(shop: str, client_id: str) -> str:
    """Return where a browser's visit is."""
    return redis_key(shop, "visitor", "client", client_id)


def checkout_key(shop: str, checkout_token: str) -> str:
    """Return where the visit that opened a checkout is."""
    return redis_key(shop, "visitor", "checkout", checkout_token)


def nudged_key(shop: str, unit: str) -> str:
    """Return where it is what a shopper was shown of campaigns. unit: `customer:7`, see `Names.unit`."""
    return redis_key(shop, "nudged", unit)


def granted_key(shop: str, unit: str) -> str:
    """Return where a shopper's own codes are, by campaign. unit: as for `nudged_key`."""
    return redis_key(shop, "granted", unit)


def fired_key(shop: str) -> str:
    """Return where a shop's showings are counted, by campaign."""
    return redis_key(shop, "fired")

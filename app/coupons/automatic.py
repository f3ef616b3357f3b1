"""A shop's automatic discounts, one for each campaign that gives without a code, kept in Shopify.

Each holds its terms and the key of its grants in a metafield of ours, which the discount Function reads.
What is there is asked of Shopify every time: no table of ours can be wrong about it. Redis tells decide which
terms Shopify has a discount for, so that nothing is promised before.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from app.connections import Connections, redis_key
from app.coupons import documents
from app.coupons.signed import grant_key
from app.coupons.terms import CouponTerms
from app.errors import ShopifyRefused
from app.shopify import accepted
from app.shops.secrets import installation_secret
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.values import decimal_amount, gid

SIGNING = "grants"
HANDLE = "offer-discount"
METAFIELD = "terms"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a campaign gives without a code. ends_at: None for no end."""

    campaign_id: str
    terms: CouponTerms
    ends_at: datetime | None = None

    @property
    def terms_id(self) -> str:
        """Return the name of these terms; the campaign with others has another."""
        packed = msgspec.json.encode([self.campaign_id, self.terms, self.ends_at])
        return blake2b(packed, digest_size=8).hexdigest()


async def keep_automatic(
    connections: Connections, shop: Shop, promises: Sequence[Promise], now: datetime
) -> None:
    """Make the discounts that are missing, delete those that nobody wishes any more, and tell decide.

    One that Shopify refuses is not told, and the others go on. Raises ShopifyUnavailable.
    """
    wanted = {each.terms_id: each for each in promises}
    if not wanted and not await honoured(connections, shop.shop):
        return
    held = await _held(connections, shop.shop)
    # First of all nothing more is promised of what ends.
    await _tell(connections, shop.shop, sorted(wanted.keys() & held.keys()))
    for terms_id in held.keys() - wanted.keys():
        await _delete(connections, shop.shop, held[terms_id])
    secret = await installation_secret(connections, SIGNING)
    for terms_id in sorted(wanted.keys() - held.keys()):
        try:
            await _make(connections, shop, wanted[terms_id], secret, now)
        except ShopifyRefused as error:
            _log.warning("discount not made", extra={"shop": shop.shop, "reason": str(error)})
            del wanted[terms_id]
    await _tell(connections, shop.shop, sorted(wanted))


async def honoured(connections: Connections, shop: str) -> frozenset[str]:
    """Return the ids of the terms for which Shopify has a discount."""
    held: Any = await connections.redis.smembers(_key(shop))
    return frozenset(each.decode() for each in held)


def automatic_input(promise: Promise, currency: str, key: bytes, now: datetime) -> dict[str, Any]:
    """Return the discount as `discountAutomaticAppCreate` takes it. Pure."""
    terms = promise.terms
    return {
        "title": terms.title,
        "functionHandle": HANDLE,
        "startsAt": now.isoformat(),
        "endsAt": promise.ends_at.isoformat() if promise.ends_at else None,
        "discountClasses": [terms.applies_to.upper()],
        "combinesWith": {
            f"{each}Discounts": each in terms.combines_with for each in ("order", "product", "shipping")
        },
        "metafields": [
            {
                "namespace": "$app",
                "key": METAFIELD,
                "type": "json",
                "value": json.dumps({"terms": _told(promise, currency, key), "used": ""}),
            }
        ],
    }


def _told(promise: Promise, currency: str, key: bytes) -> dict[str, Any]:
    """Return the terms as the Function reads them: amounts and shares are texts of digits."""
    terms = promise.terms
    told: dict[str, Any] = {
        "id": promise.terms_id,
        "key": key.hex(),
        "class": terms.applies_to,
        "title": terms.title,
    }
    if terms.percentage is not None:
        told["percentage"] = f"{terms.percentage:.6f}".rstrip("0").rstrip(".")
    if terms.amount_minor is not None:
        told["amount"] = decimal_amount(terms.amount_minor, currency)
    if terms.minimum_minor is not None:
        told["minimum"] = decimal_amount(terms.minimum_minor, currency)
    if terms.product_ids:
        told["products"] = [gid("Product", each) for each in terms.product_ids]
    return told


async def _held(connections: Connections, shop: str) -> dict[str, str]:
    """Return Shopify's ids of the discounts that are ours, by terms."""
    held: dict[str, str] = {}
    after: str | None = None
    while True:
        variables = {"key": METAFIELD, "after": after}
        answer = await ask_shop(connections, shop, documents.LIST_AUTOMATIC, variables)
        page: Mapping[str, Any] = answer.get("automaticDiscountNodes") or {}
        for node in page.get("nodes") or ():
            value = (node.get("metafield") or {}).get("jsonValue") or {}
            if terms_id := (value.get("terms") or {}).get("id"):
                held[str(terms_id)] = str(node["id"])
        info = page.get("pageInfo") or {}
        if not info.get("hasNextPage"):
            return held
        after = info.get("endCursor")


async def _make(connections: Connections, shop: Shop, promise: Promise, secret: bytes, now: datetime) -> None:
    key = grant_key(secret, shop.shop, promise.terms_id)
    variables = {"discount": automatic_input(promise, shop.currency, key, now)}
    answer = await ask_shop(connections, shop.shop, documents.CREATE_AUTOMATIC, variables)
    accepted(answer, "discountAutomaticAppCreate", shop=shop.shop)


async def _delete(connections: Connections, shop: str, discount_id: str) -> None:
    answer = await ask_shop(connections, shop, documents.DELETE_AUTOMATIC, {"id": discount_id})
    errors = (answer.get("discountAutomaticDelete") or {}).get("userErrors") or ()
    if any(each.get("code") != "INVALID" for each in errors):
        accepted(answer, "discountAutomaticDelete", shop=shop)


async def _tell(connections: Connections, shop: str, terms_ids: Sequence[str]) -> None:
    async with connections.redis.pipeline(transaction=True) as pipe:
        pipe.delete(_key(shop))
        if terms_ids:
            pipe.sadd(_key(shop), *terms_ids)
        await pipe.execute()


def _key(shop: str) -> str:
    return redis_key(shop, "coupons", "automatic")

"""What Shopify is asked to do with the discounts that hold our codes. Each raises ShopifyError."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from app.connections import Connections
from app.coupons import documents
from app.coupons.terms import CouponTerms, discount_input
from app.errors import ShopifyRefused, ShopifyUnavailable
from app.shopify import accepted
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.upsert import chunks
from app.values import gid

LOOK_S = 1.0
LOOKS = 60


async def make_discount(
    connections: Connections, shop: Shop, terms: CouponTerms, code: str, now: datetime, end: datetime
) -> str:
    """Return Shopify's id of a new discount with one code."""
    free = terms.applies_to == "shipping"
    document = documents.CREATE_FREE_SHIPPING if free else documents.CREATE_BASIC
    mutation = "discountCodeFreeShippingCreate" if free else "discountCodeBasicCreate"
    given = discount_input(terms, shop.currency, code, now, end)
    answer = await ask_shop(connections, shop.shop, document, {"discount": given})
    made = accepted(answer, mutation, shop=shop.shop).get("codeDiscountNode") or {}
    if not isinstance(made.get("id"), str):
        raise ShopifyRefused(f"{shop.shop} {mutation}: the answer carries no discount")
    return str(made["id"])


async def renew_discount(
    connections: Connections, shop: str, discount_id: str, terms: CouponTerms, end: datetime
) -> None:
    """Extend the discount to this end."""
    free = terms.applies_to == "shipping"
    document = documents.RENEW_FREE_SHIPPING if free else documents.RENEW_BASIC
    mutation = "discountCodeFreeShippingUpdate" if free else "discountCodeBasicUpdate"
    answer = await ask_shop(connections, shop, document, {"id": discount_id, "endsAt": end.isoformat()})
    accepted(answer, mutation, shop=shop)


async def add_codes(
    connections: Connections,
    shop: str,
    discount_id: str,
    codes: Sequence[str],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> set[str]:
    """Add the codes, wait until Shopify has, and return those that it refuses."""
    refused: set[str] = set()
    for part in chunks(codes, documents.ADD_AT_ONCE):
        variables = {"id": discount_id, "codes": [{"code": code} for code in part]}
        answer = await ask_shop(connections, shop, documents.ADD_CODES, variables)
        adding = accepted(answer, "discountRedeemCodeBulkAdd", shop=shop).get("bulkCreation") or {}
        refused |= await _refused(connections, shop, adding, sleep)
    return refused


async def _refused(
    connections: Connections, shop: str, adding: dict[str, Any], sleep: Callable[[float], Awaitable[object]]
) -> set[str]:
    known = adding
    for _ in range(LOOKS):
        if known.get("done"):
            nodes = (known.get("codes") or {}).get("nodes") or ()
            return {str(each["code"]) for each in nodes if each.get("errors")}
        await sleep(LOOK_S)
        answer = await ask_shop(connections, shop, documents.HOW_FAR, {"id": adding.get("id")})
        known = answer.get("discountRedeemCodeBulkCreation") or {}
    raise ShopifyUnavailable(f"{shop}: codes are still being added after {LOOKS * LOOK_S:.0f} s")


async def codes_held(
    connections: Connections, shop: str, discount_id: str, codes: Collection[str]
) -> dict[str, int]:
    """Return those of the codes that Shopify has, with its ids. codes: of the discount's, the newest.

    The newest are read first, and no further than these go: of a campaign that runs for long, Shopify holds
    all that were ever used.
    """
    held: dict[str, int] = {}
    after: str | None = None
    while True:
        answer = await ask_shop(connections, shop, documents.LIST_CODES, {"id": discount_id, "after": after})
        discount = (answer.get("codeDiscountNode") or {}).get("codeDiscount") or {}
        page: dict[str, Any] = discount.get("codes") or {}
        told = {str(node["code"]): _number(node["id"]) for node in page.get("nodes") or ()}
        found = {code: number for code, number in told.items() if code in codes}
        held |= found
        info = page.get("pageInfo") or {}
        if not found or len(held) == len(codes) or not info.get("hasNextPage"):
            return held
        after = info.get("endCursor")


async def statuses_of(connections: Connections, shop: str, discount_ids: Sequence[str]) -> dict[str, str]:
    """Return how those of the discounts stand that Shopify still has: ACTIVE, EXPIRED or SCHEDULED."""
    statuses: dict[str, str] = {}
    for part in chunks(discount_ids, documents.ASK_AT_ONCE):
        answer = await ask_shop(connections, shop, documents.STATUSES, {"ids": list(part)})
        for node in filter(None, answer.get("nodes") or ()):
            statuses[str(node["id"])] = str((node.get("codeDiscount") or {}).get("status"))
    return statuses


async def delete_codes(
    connections: Connections, shop: str, discount_id: str, redeem_ids: Sequence[int]
) -> None:
    """Delete the codes in Shopify, so that they work no more."""
    for part in chunks(redeem_ids, documents.DELETE_AT_ONCE):
        codes = [gid("DiscountRedeemCode", each) for each in part]
        answer = await ask_shop(
            connections, shop, documents.DELETE_CODES, {"id": discount_id, "codes": codes}
        )
        accepted(answer, "discountCodeRedeemCodeBulkDelete", shop=shop)


async def delete_discount(connections: Connections, shop: str, discount_id: str) -> None:
    """Delete the discount and all its codes; one that is gone already is gone."""
    answer = await ask_shop(connections, shop, documents.DELETE_DISCOUNT, {"id": discount_id})
    errors = (answer.get("discountCodeDelete") or {}).get("userErrors") or ()
    if any(each.get("code") != "INVALID" for each in errors):
        accepted(answer, "discountCodeDelete", shop=shop)


def _number(identifier: str) -> int:
    return int(identifier.rpartition("/")[2])

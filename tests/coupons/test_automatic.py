from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from app.connections import Connections
from app.coupons.automatic import Promise, automatic_input, honoured, keep_automatic
from app.coupons.signed import grant_key
from app.coupons.terms import CouponTerms
from app.shops.grants import Grant
from app.shops.store import Shop, install
from app.values import ShopDomain

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = ShopDomain("acme.myshopify.com")
PROMISE = Promise("ten", CouponTerms("Ten off", percentage=10, combines_with=("shipping",)))


@dataclass
class Discounts:
    """The automatic discounts that Shopify has, and those it refuses to make by title."""

    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        name = body["query"].split("(")[0].split()[-1]
        self.asked.append(name)
        answers = {
            "ListAutomaticDiscounts": self._list,
            "CreateAutomaticDiscount": self._create,
            "DeleteAutomaticDiscount": self._delete,
        }
        return httpx.Response(200, json={"data": answers[name](body["variables"])})

    def _list(self, _variables: dict[str, Any]) -> dict[str, Any]:
        nodes = [
            {"id": each, "metafield": {"jsonValue": json.loads(given["metafields"][0]["value"])}}
            for each, given in self.held.items()
        ]
        nodes.append({"id": "gid://shopify/DiscountAutomaticNode/1", "metafield": None})  # another app's
        page = {"hasNextPage": False, "endCursor": None}
        return {"automaticDiscountNodes": {"nodes": nodes, "pageInfo": page}}

    def _create(self, variables: dict[str, Any]) -> dict[str, Any]:
        given = variables["discount"]
        made: dict[str, Any] = {"automaticAppDiscount": None, "userErrors": []}
        if given["title"] in self.refused:
            made["userErrors"] = [{"code": "INVALID", "field": ["functionHandle"], "message": "not found"}]
        else:
            self.held[f"gid://shopify/DiscountAutomaticNode/{10 + len(self.asked)}"] = given
        return {"discountAutomaticAppCreate": made}

    def _delete(self, variables: dict[str, Any]) -> dict[str, Any]:
        del self.held[variables["id"]]
        return {"discountAutomaticDelete": {"deletedAutomaticDiscountId": variables["id"], "userErrors": []}}


@pytest.fixture
async def shop(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr("app.shops.store._PATIENCE_S", 0.01)  # nobody answers yet
    grant = Grant("shpat", frozenset({"write_discounts"}), datetime.now(UTC) + timedelta(hours=1), None, None)
    return await install(connections, SHOP, grant)


@pytest.fixture
async def shopify() -> AsyncIterator[Discounts]:
    discounts = Discounts()
    with respx.mock(assert_all_called=False) as edge:
        edge.post(url__regex=rf"https://{SHOP}/admin/api/.*graphql.json").mock(side_effect=discounts.answer)
        yield discounts


async def test_a_discount_is_made_once_and_told_to_decide(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    await keep_automatic(connections, shop, [PROMISE], NOW)
    assert [each["title"] for each in shopify.held.values()] == ["Ten off"]
    assert await honoured(connections, SHOP) == {PROMISE.terms_id}


async def test_what_nobody_promises_any_more_is_deleted(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [PROMISE], NOW)
    other = replace(PROMISE, terms=CouponTerms("Five off", percentage=5))
    await keep_automatic(connections, shop, [other], NOW)
    assert [each["title"] for each in shopify.held.values()] == ["Five off"]
    await keep_automatic(connections, shop, [], NOW)
    assert shopify.held == {}
    assert await honoured(connections, SHOP) == frozenset()


async def test_a_shop_that_promises_nothing_is_not_asked(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    await keep_automatic(connections, shop, [], NOW)
    assert shopify.asked == []


async def test_what_shopify_refuses_is_not_promised_and_the_others_are(
    connections: Connections, shop: Shop, shopify: Discounts
) -> None:
    shopify.refused = frozenset({"Ten off"})
    other = Promise("five", CouponTerms("Five off", percentage=5))
    await keep_automatic(connections, shop, [PROMISE, other], NOW)
    assert await honoured(connections, SHOP) == {other.terms_id}


def test_the_metafield_is_as_the_function_reads_it() -> None:
    terms = CouponTerms("Off", "product", amount_minor=500, minimum_minor=10_000, product_ids=(7,))
    promise, key = Promise("p", terms), grant_key(b"s" * 32, SHOP, "t")
    given = automatic_input(promise, "EUR", key, NOW)
    assert json.loads(given["metafields"][0]["value"]) == {
        "terms": {
            "id": promise.terms_id,
            "key": key.hex(),
            "class": "product",
            "title": "Off",
            "amount": "5.00",
            "minimum": "100.00",
            "products": ["gid://shopify/Product/7"],
        },
        "used": "",
    }
    assert given["discountClasses"] == ["PRODUCT"]


@pytest.mark.parametrize(("share", "said"), [(10, "10"), (12.5, "12.5"), (100, "100")])
def test_a_share_is_written_without_an_exponent(share: float, said: str) -> None:
    promise = Promise("p", CouponTerms("Off", percentage=share))
    value = json.loads(automatic_input(promise, "EUR", b"k", NOW)["metafields"][0]["value"])
    assert value["terms"]["percentage"] == said

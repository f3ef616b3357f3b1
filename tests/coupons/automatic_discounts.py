"""Shopify's side of automatic discounts, as far as they are ours."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.coupons.promise import Promise
from app.coupons.terms import CouponTerms
from app.values import ShopDomain

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = ShopDomain("acme.myshopify.com")
DAY = timedelta(days=1)
TERMS = CouponTerms("Ten off", percentage=10, combines_with=("shipping",))
PROMISE = Promise("ten", TERMS, lasts_s=86_400)
NODE = "gid://shopify/DiscountAutomaticNode/"


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
            "TellAutomaticDiscount": self._tell,
        }
        return httpx.Response(200, json={"data": answers[name](body["variables"])})

    def _list(self, _variables: dict[str, Any]) -> dict[str, Any]:
        nodes = [
            {
                "id": each,
                "automaticDiscount": {"status": given.get("status", "ACTIVE")},
                "metafield": {"jsonValue": json.loads(given["metafields"][0]["value"])},
            }
            for each, given in self.held.items()
        ]
        nodes.append({"id": f"{NODE}1", "metafield": None})  # another app's
        page = {"hasNextPage": False, "endCursor": None}
        return {"automaticDiscountNodes": {"nodes": nodes, "pageInfo": page}}

    def _create(self, variables: dict[str, Any]) -> dict[str, Any]:
        given = variables["discount"]
        made: dict[str, Any] = {"automaticAppDiscount": None, "userErrors": []}
        if given["title"] in self.refused:
            made["userErrors"] = [{"code": "INVALID", "field": ["functionHandle"], "message": "not found"}]
        else:
            made["automaticAppDiscount"] = {"discountId": f"{NODE}{10 + len(self.asked)}"}
            self.held[made["automaticAppDiscount"]["discountId"]] = given
        return {"discountAutomaticAppCreate": made}

    def _tell(self, variables: dict[str, Any]) -> dict[str, Any]:
        (given,) = variables["metafields"]
        self.held[given["ownerId"]]["metafields"] = [given]
        return {"metafieldsSet": {"userErrors": []}}

    def _delete(self, variables: dict[str, Any]) -> dict[str, Any]:
        del self.held[variables["id"]]
        return {"discountAutomaticDelete": {"deletedAutomaticDiscountId": variables["id"], "userErrors": []}}

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import respx

from app.connections import Connections
from app.errors import ShopifyRefused
from app.outbound.documents import metafield
from app.outbound.metafields import delete_metafields
from app.shops.grants import Grant
from app.shops.tokens import sealed_row

SHOP = "a.myshopify.com"
URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"


class Strict:
    """A shop that refuses all of a request with one owner that is gone, or whatever it is asked."""

    def __init__(self, *there: int, refuses: bool = False) -> None:
        self._there = {f"gid://shopify/Customer/{each}" for each in there}
        self._refuses = refuses
        self.deleted: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        variables = json.loads(request.content)["variables"]
        if "ids" in variables:
            found = [{"id": each} if each in self._there else None for each in variables["ids"]]
            return httpx.Response(200, json={"data": {"nodes": found}})
        owners = [each["ownerId"] for each in variables["metafields"]]
        errors: list[dict[str, Any]] = []
        if self._refuses or not self._there.issuperset(owners):
            errors.append({"field": ["metafields", "0", "ownerId"], "message": "Owner does not exist"})
        else:
            self.deleted += owners
        return httpx.Response(200, json={"data": {"metafieldsDelete": {"userErrors": errors}}})


async def delete(connections: Connections, shop: Strict, *customers: int) -> None:
    async with connections.write() as db:
        db.add(sealed_row(connections, SHOP, Grant("shpat_x", frozenset(), None, None, None)))
    with respx.mock:
        respx.post(URL).mock(side_effect=shop.answer)
        await delete_metafields(connections, SHOP, [metafield(each) for each in customers])


async def test_who_is_gone_keeps_nobody_elses_metafield_there(connections: Connections) -> None:
    shop = Strict(1, 3)
    await delete(connections, shop, 1, 2, 3, 4)
    assert shop.deleted == ["gid://shopify/Customer/1", "gid://shopify/Customer/3"]


async def test_of_those_who_are_all_gone_nothing_is_left_to_delete(connections: Connections) -> None:
    shop = Strict()
    await delete(connections, shop, 1, 2)
    assert shop.deleted == []


async def test_what_is_refused_for_any_other_reason_is_told(connections: Connections) -> None:
    with pytest.raises(ShopifyRefused, match="metafieldsDelete"):
        await delete(connections, Strict(1, refuses=True), 1)

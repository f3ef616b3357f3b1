from __future__ import annotations

import pytest
import respx

from app.connections import Connections
from app.errors import ShopifyRefused, ShopifyUnavailable
from app.shops.grants import Grant
from app.shops.tokens import sealed_row
from webhooks.bulk import start_bulk

SHOP = "a.myshopify.com"
URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("OPERATION_IN_PROGRESS", ShopifyUnavailable),
        ("LIMIT_REACHED", ShopifyUnavailable),
        ("INVALID", ShopifyRefused),
    ],
)
async def test_an_operation_waits_while_others_go_first_and_for_nothing_else(
    connections: Connections, code: str, raised: type[Exception]
) -> None:
    async with connections.write() as db:
        db.add(sealed_row(connections, SHOP, Grant("shpat_x", frozenset(), None, None, None)))
    error = {"code": code, "field": ["query"], "message": "no"}
    with respx.mock:
        refusal = {"bulkOperation": None, "userErrors": [error]}
        respx.post(URL).respond(json={"data": {"bulkOperationRunQuery": refusal}})
        with pytest.raises(raised, match=code):
            await start_bulk(connections, SHOP, "{ products { edges { node { id } } } }")

"""Bulk operations begun at Shopify, which runs only so many of a shop side by side."""

from __future__ import annotations

from app.connections import Connections
from app.errors import ShopifyRefused, ShopifyUnavailable
from app.shopify import accepted
from app.shops.tokens import ask_shop
from webhooks.documents import START_BULK

_OTHERS_FIRST = ("OPERATION_IN_PROGRESS", "LIMIT_REACHED")


async def start_bulk(connections: Connections, shop: str, query: str) -> str:
    """Return the id of the operation that runs the query. Raises ShopifyUnavailable while others go first."""
    data = await ask_shop(connections, shop, START_BULK, {"query": query})
    try:
        started = accepted(data, "bulkOperationRunQuery", shop=shop)
    except ShopifyRefused as error:
        if any(code in str(error) for code in _OTHERS_FIRST):
            raise ShopifyUnavailable(str(error)) from error
        raise
    return str(started["bulkOperation"]["id"])

"""Bulk operations begun at Shopify, which runs only so many of a shop side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from app.connections import Connections
from app.errors import ShopifyRefused, ShopifyUnavailable
from app.shopify import accepted, download
from app.shops.tokens import ask_shop
from app.upsert import CHUNK
from webhooks.documents import BULK_STATUS, START_BULK
from webhooks.jsonl import Tree, trees

UNDER_WAY = {"CREATED", "RUNNING", "CANCELING"}
_LOOK_EVERY_S = 2.0
_PERMANENT = "ACCESS_DENIED"
_BUSY = ("OPERATION_IN_PROGRESS", "LIMIT_REACHED")


class BulkFailed(ShopifyRefused):
    """Shopify started the operation and gave it up: another may complete."""


def bulk_error(what: str, operation: Mapping[str, Any]) -> ShopifyRefused:
    """Return the error for an operation that ended without completing."""
    why = operation.get("errorCode") or ""
    kind = ShopifyRefused if why == _PERMANENT else BulkFailed
    return kind(f"{what}: {operation['status']} {why}".rstrip())


async def start_bulk(connections: Connections, shop: str, query: str) -> str:
    """Return the id of the operation that runs the query. Raises ShopifyUnavailable while too many run."""
    data = await ask_shop(connections, shop, START_BULK, {"query": query})
    try:
        started = accepted(data, "bulkOperationRunQuery", shop=shop)
    except ShopifyRefused as error:
        if any(code in str(error) for code in _BUSY):
            raise ShopifyUnavailable(str(error)) from error
        raise
    return str(started["bulkOperation"]["id"])


async def read_in_bulk(
    connections: Connections, shop: str, query: str
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the objects that the query finds, a batch at a time. Raises ShopifyError."""
    batch: list[dict[str, Any]] = []
    async for tree in trees_in_bulk(connections, shop, query):
        batch.append(tree.root)
        if len(batch) == CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


async def trees_in_bulk(connections: Connections, shop: str, query: str) -> AsyncIterator[Tree]:
    """Yield the objects that the query finds, each with what is in its connections. Raises ShopifyError."""
    url = await _result_url(connections, shop, query)
    if url is None:  # Shopify writes no file for nothing
        return
    async for tree in trees(download(connections.http, url)):
        yield tree


async def _result_url(connections: Connections, shop: str, query: str) -> str | None:
    """Return the URL of the result, None for an empty one. Raises ShopifyRefused when it failed."""
    wanted = {"id": await start_bulk(connections, shop, query)}
    while True:
        data = await ask_shop(connections, shop, BULK_STATUS, wanted)
        operation: dict[str, Any] = data.get("node") or {"status": "EXPIRED"}
        if operation["status"] not in UNDER_WAY:
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    if operation["status"] != "COMPLETED":
        raise bulk_error(f"{shop} bulk query", operation)
    url: str | None = operation["url"]
    return url

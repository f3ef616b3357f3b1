"""Connections of the Admin API, read a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from app.connections import Connections
from app.shops.tokens import ask_shop
from webhooks.payload import Payload


async def pages(
    connections: Connections, shop: str, query: str, field: str, *, of: str = "", **variables: Any
) -> AsyncIterator[tuple[Payload | None, list[Payload]]]:
    """Yield the nodes in a field of the answer, a page at a time, each with the object whose field it is.

    query: takes the cursor as `$after`. of: the object with the field, the whole answer by default. Where
    Shopify has no such object, or no more, None and no nodes come last. Raises ShopifyError, InputError.
    """
    cursor: str | None = None
    while True:
        answer = Payload(await ask_shop(connections, shop, query, {**variables, "after": cursor}))
        owner = answer.child_or_none(of) if of else answer
        if owner is None:
            yield None, []
            return
        page = owner.child(field)
        yield owner, page.children("nodes")
        info = page.child("pageInfo")
        if not info.flag_or_none("hasNextPage"):
            return
        cursor = info.text("endCursor")

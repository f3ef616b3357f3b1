"""Metafields of ours set and deleted in a shop: so many at a time as Shopify takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.connections import Connections
from app.errors import ShopifyRefused
from app.outbound.documents import DELETE_METAFIELDS, SET_METAFIELDS, WHO_EXISTS
from app.shopify import accepted
from app.shops.tokens import ask_shop


async def set_metafields(
    connections: Connections, shop: str, values: Sequence[Mapping[str, Any]]
) -> dict[int, str]:
    """Return which of the values Shopify refused, by place, and why. At most a batch.

    All of a request fail with one, so that one is left out and the others are sent again. Raises
    ShopifyError.
    """
    left = list(enumerate(values))
    refused: dict[int, str] = {}
    while left:
        variables = {"metafields": [value for _, value in left]}
        answer = await ask_shop(connections, shop, SET_METAFIELDS, variables)
        errors = (answer.get("metafieldsSet") or {}).get("userErrors") or []
        if not errors:
            break
        wrong = {each["elementIndex"]: str(each.get("message")) for each in errors if _is_at(each, len(left))}
        if not wrong:
            accepted(answer, "metafieldsSet", shop=shop)  # raises what it says
        refused |= {left[at][0]: message for at, message in wrong.items()}
        left = [each for at, each in enumerate(left) if at not in wrong]
    return refused


async def delete_metafields(connections: Connections, shop: str, which: Sequence[Mapping[str, Any]]) -> None:
    """Delete the metafields; one that is not there is none, nor is that of an owner who is gone.

    Where Shopify refuses all for one who is gone, the others are asked for again. Raises ShopifyError.
    """
    if not which:
        return
    answer = await ask_shop(connections, shop, DELETE_METAFIELDS, {"metafields": list(which)})
    try:
        accepted(answer, "metafieldsDelete", shop=shop)
    except ShopifyRefused:
        left = await _of_who_is_there(connections, shop, which)
        if len(left) == len(which):
            raise
        await delete_metafields(connections, shop, left)


async def _of_who_is_there(
    connections: Connections, shop: str, which: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return those of the metafields whose owner Shopify still has."""
    owners = sorted({str(each["ownerId"]) for each in which})
    nodes = (await ask_shop(connections, shop, WHO_EXISTS, {"ids": owners}))["nodes"]
    gone = {owner for owner, node in zip(owners, nodes, strict=True) if node is None}
    return [each for each in which if each["ownerId"] not in gone]


def _is_at(error: Mapping[str, Any], length: int) -> bool:
    at = error.get("elementIndex")
    return isinstance(at, int) and 0 <= at < length

"""Variants beyond the hundred that a product's webhook describes, where they are others than we know."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from app.connections import Connections
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.tables import VariantRow
from app.upsert import chunks, table_of
from webhooks.documents import PRICE_RANGES
from webhooks.payload import Payload

_DESCRIBED, _PAGE = 100, 100
_VARIANTS = table_of(VariantRow)

# How many variants there are, and the least and the greatest price.
Outline = tuple[int, int, int]


async def products_to_reread(connections: Connections, shop: Shop, products: Sequence[Payload]) -> list[str]:
    """Return the GIDs of the products to read in full: their variants' number or prices differ from ours."""
    large = [product.text("id") for product in products if _variants_count(product) > _DESCRIBED]
    found: list[str] = []
    for part in chunks(large, _PAGE):
        answer = await ask_shop(connections, shop.shop, PRICE_RANGES, {"ids": part})
        current = {node.id("id"): node for node in map(Payload, filter(None, answer["nodes"]))}
        known = await _known(connections, shop, sorted(current))
        found += [
            node.text("id")
            for key, node in current.items()
            if known.get(key) != _outline(node, shop.currency)
        ]
    return found


async def _known(connections: Connections, shop: Shop, product_ids: Sequence[int]) -> dict[int, Outline]:
    product, price = _VARIANTS.c.product_id, _VARIANTS.c.price_minor
    query = (
        select(product, func.count(), func.min(price), func.max(price))
        .where(_VARIANTS.c.shop == shop.shop, product.in_(product_ids))
        .group_by(product)
    )
    rows = await connections.rows(query)
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _variants_count(product: Payload) -> int:
    counted = product.child_or_none("variantsCount")
    return counted.count("count") if counted else 0


def _outline(product: Payload, currency: str) -> Outline:
    prices = product.child("priceRangeV2")
    least, most = (prices.child(name) for name in ("minVariantPrice", "maxVariantPrice"))
    return _variants_count(product), least.money("amount", currency), most.money("amount", currency)

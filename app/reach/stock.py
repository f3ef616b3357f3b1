"""Which lines of an abandoned basket are still in stock when its customer is written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, exists, select

from app.catalog.availability import IN_STOCK
from app.connections import Connections
from app.reach.store import Abandonment
from app.shops.store import Shop
from app.tables import BackfillRow, ProductRow, VariantRow
from app.upsert import table_of

_VARIANTS, _PRODUCTS, _BACKFILLS = table_of(VariantRow), table_of(ProductRow), table_of(BackfillRow)


async def still_available(connections: Connections, shop: Shop, left: Abandonment) -> Abandonment | None:
    """Return what was left without what a link can't bring back by now, worth what the rest costs today.

    None where nothing is left, or where it is not known what the rest costs: in another currency than the
    shop's. Before the shop's products are imported, what is not known of counts as there.
    """
    known = {row.variant_id: row for row in await _variants(connections, shop.shop, left)}
    all_known = await _is_imported(connections, shop.shop)
    rest = [line for line in left.lines if (_is_sold(known[line[0]]) if line[0] in known else not all_known)]
    if len(rest) == len(left.lines):
        return left
    if not rest or left.currency != shop.currency or any(variant not in known for variant, _ in rest):
        return None
    worth = sum(known[variant].price_minor * quantity for variant, quantity in rest)
    return replace(left, lines=rest, subtotal_minor=worth)


async def _variants(connections: Connections, shop: str, left: Abandonment) -> Sequence[Any]:
    columns = (_VARIANTS.c.variant_id, _VARIANTS.c.price_minor, IN_STOCK.label("in_stock"))
    product = and_(_PRODUCTS.c.shop == _VARIANTS.c.shop, _PRODUCTS.c.product_id == _VARIANTS.c.product_id)
    theirs = (_VARIANTS.c.shop == shop, _VARIANTS.c.variant_id.in_([variant for variant, _ in left.lines]))
    query = select(*columns, _PRODUCTS.c.published, _PRODUCTS.c.requires_selling_plan).where(*theirs)
    query = query.select_from(_VARIANTS.outerjoin(_PRODUCTS, product))
    return await connections.rows(query)


async def _is_imported(connections: Connections, shop: str) -> bool:
    """Return whether every product that the shop sells is known."""
    done = and_(_BACKFILLS.c.shop == shop, _BACKFILLS.c.kind == "products", _BACKFILLS.c.status == "done")
    return bool(await connections.scalar(select(exists().where(done))))


def _is_sold(row: Any) -> bool:
    """Return whether the shop sells it now, and without a selling plan: a link carries none."""
    return row.in_stock and row.published is not False and not row.requires_selling_plan

"""What of a basket is still to be had when its customer is written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.connections import Connections
from app.reach.store import Abandonment
from app.shops.store import Shop
from app.tables import VariantRow
from app.upsert import table_of

_VARIANTS = table_of(VariantRow)


async def still_there(connections: Connections, shop: Shop, left: Abandonment) -> Abandonment | None:
    """Return what was left without what is sold out by now, worth what the rest costs today.

    None where nothing is left, or where it is not known what the rest costs: in another currency than the
    shop's. What is not known of at all counts as there.
    """
    known = {row.variant_id: row for row in await _variants(connections, shop.shop, left)}
    rest = [line for line in left.lines if not (line[0] in known and _is_sold_out(known[line[0]]))]
    if len(rest) == len(left.lines):
        return left
    if not rest or left.currency != shop.currency or any(variant not in known for variant, _ in rest):
        return None
    worth = sum(known[variant].price_minor * quantity for variant, quantity in rest)
    return replace(left, lines=rest, subtotal_minor=worth)


async def _variants(connections: Connections, shop: str, left: Abandonment) -> Sequence[Any]:
    columns = (_VARIANTS.c.variant_id, _VARIANTS.c.price_minor, _VARIANTS.c.available)
    theirs = (_VARIANTS.c.shop == shop, _VARIANTS.c.variant_id.in_([variant for variant, _ in left.lines]))
    async with connections.read() as db:
        query = select(*columns, _VARIANTS.c.sells_when_out).where(*theirs)
        return (await (await db.connection()).execute(query)).all()


def _is_sold_out(row: Any) -> bool:
    return row.available is not None and row.available <= 0 and not row.sells_when_out

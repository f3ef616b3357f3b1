"""What is in stock, what the merchant excludes, and why a few chosen products can't be offered just now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, exists, or_, select

from app.connections import Connections
from app.tables import ExclusionRow, ProductRow, VariantRow
from app.upsert import table_of

Lack = Literal["gone", "unpublished", "sold_out", "excluded"]
_PRODUCTS, _VARIANTS, _EXCLUSIONS = table_of(ProductRow), table_of(VariantRow), table_of(ExclusionRow)
# Whether a variant can be bought: it is there, nobody counts it, or it is sold when there is none.
IN_STOCK: ColumnElement[bool] = or_(
    _VARIANTS.c.available.is_(None), _VARIANTS.c.available > 0, _VARIANTS.c.sells_when_out.is_(True)
)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A product that is not offered. title: empty where it is not known any more."""

    product_id: int
    title: str
    lack: Lack


async def excluded_products(connections: Connections, shop: str) -> frozenset[int]:
    """Return the ids of the products that the merchant never wants offered."""
    query = select(_EXCLUSIONS.c.product_id).where(_EXCLUSIONS.c.shop == shop)
    return frozenset(await connections.scalars(query))


async def unavailable(
    connections: Connections, shop: str, product_ids: Collection[int]
) -> dict[int, Unavailable]:
    """Return those of the products that no shopper is offered, by id."""
    columns = _PRODUCTS.c
    query = select(
        columns.product_id, columns.title, columns.published, columns.deleted_at,
        _in_stock().label("in_stock"), _excluded().label("excluded"),
    ).where(columns.shop == shop, columns.product_id.in_(product_ids))  # fmt: skip
    rows = await connections.rows(query) if product_ids else []
    known = {row.product_id: row for row in rows}
    found = {each: _unavailable(each, known.get(each)) for each in product_ids}
    return {each: why for each, why in found.items() if why is not None}


def _unavailable(product_id: int, row: Any) -> Unavailable | None:
    if row is None:
        return Unavailable(product_id, "", "gone")
    lacks: tuple[tuple[bool, Lack], ...] = (
        (row.deleted_at is not None, "gone"),
        (not row.published, "unpublished"),
        (not row.in_stock, "sold_out"),
        (bool(row.excluded), "excluded"),
    )
    return next((Unavailable(product_id, row.title, lack) for holds, lack in lacks if holds), None)


def _in_stock() -> Any:
    columns = _VARIANTS.c
    its = and_(columns.shop == _PRODUCTS.c.shop, columns.product_id == _PRODUCTS.c.product_id)
    return exists().where(its, IN_STOCK)


def _excluded() -> Any:
    its = and_(_EXCLUSIONS.c.shop == _PRODUCTS.c.shop, _EXCLUSIONS.c.product_id == _PRODUCTS.c.product_id)
    return exists().where(its)

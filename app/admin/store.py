"""What the dashboard shows of one shop, read from its tables, and what it may change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, func, or_, select

from app.admin.language import _
from app.connections import Connections
from app.errors import NotFound
from app.shops.changes import announce_kept
from app.shops.store import Shop
from app.tables import (
    BackfillRow,
    DecisionRow,
    ExclusionRow,
    InboxRow,
    ModelRow,
    OrderRow,
    ProductRow,
    ShopRow,
    VariantRow,
)
from app.upsert import insert_new, table_of

KINDS = ("products", "customers", "orders")
SHOWN_PRODUCTS = 50

_backfills, _models = table_of(BackfillRow), table_of(ModelRow)
_decisions, _orders = table_of(DecisionRow), table_of(OrderRow)
_products, _variants = table_of(ProductRow), table_of(VariantRow)
_exclusions, _inbox, _shops = table_of(ExclusionRow), table_of(InboxRow), table_of(ShopRow)


@dataclass(frozen=True, slots=True)
class Import:
    """How far the import of one kind is. total: None while Shopify has not counted yet."""

    kind: str
    status: str
    loaded: int = 0
    total: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """The model that serves, and what it was measured at on orders held out of its training."""

    version: str
    trained_at: datetime
    orders: int
    figures: Mapping[str, Mapping[str, float]]
    reason: str


@dataclass(frozen=True, slots=True)
class ListedDecision:
    """One decision as it was logged, with its whole answer."""

    decision_id: str
    decided_at: datetime
    surface: str
    rung: str
    arm: str
    fallback: str | None
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product as the merchant may exclude it. price_minor: of its first variant."""

    product_id: int
    title: str
    vendor: str
    image_url: str | None
    price_minor: int | None
    excluded: bool


@dataclass(frozen=True, slots=True)
class Health:
    """What may need a merchant's or an operator's hand.

    heard_at: when Shopify last told anything; asked_at: when a checkout last asked. None for never.
    """

    parked_webhooks: int
    ever_decided: bool
    orders: int
    has_pixel: bool
    heard_at: datetime | None = None
    asked_at: datetime | None = None


async def imports(connections: Connections, shop: Shop) -> list[Import]:
    """Return how far each kind is, in the order they are imported."""
    columns = _backfills.c
    query = select(columns.kind, columns.status, columns.loaded, columns.total, columns.error)
    rows = await connections.rows(query.where(columns.shop == shop.shop))
    known = {row.kind: Import(*row) for row in rows}
    return [known.get(kind) or Import(kind, "waiting") for kind in KINDS]


async def champion(connections: Connections, shop: Shop) -> Model | None:
    """Return the model that serves the shop, None before the first."""
    columns = _models.c
    query = (
        select(columns.version, columns.trained_at, columns.card)
        .where(columns.shop == shop.shop, columns.status == "champion")
        .order_by(columns.trained_at.desc())
        .limit(1)
    )
    for version, trained_at, card in await connections.rows(query):
        orders = int(card.get("counts", {}).get("orders", 0))
        reason = str(card.get("decision", {}).get("reason", ""))
        return Model(version, trained_at, orders, card.get("figures", {}), reason)
    return None


async def latest_decisions(connections: Connections, shop: Shop, most: int) -> list[ListedDecision]:
    """Return the newest decisions, newest first."""
    columns = _decisions.c
    query = (
        select(
            columns.decision_id,
            columns.decided_at,
            columns.surface,
            columns.rung,
            columns.arm,
            columns.fallback,
            columns.answer,
        )
        .where(columns.shop == shop.shop)
        .order_by(columns.decided_at.desc())
        .limit(most)
    )
    return [ListedDecision(*row) for row in await connections.rows(query)]


async def titles(connections: Connections, shop: Shop, product_ids: set[int]) -> dict[int, str]:
    """Return the titles of those of the products that the shop has."""
    query = select(_products.c.product_id, _products.c.title).where(
        _products.c.shop == shop.shop, _products.c.product_id.in_(product_ids)
    )
    return {row.product_id: row.title for row in await connections.rows(query)}


async def find_products(
    connections: Connections, shop: Shop, words: str, first: Collection[int] = ()
) -> list[ListedProduct]:
    """Return products whose title or vendor holds the words, at most 50: these and excluded ones first."""
    columns, excluded = _products.c, _exclusions.c.product_id.is_not(None)
    query = (
        select(
            columns.product_id,
            columns.title,
            columns.vendor,
            columns.image_url,
            first_price(),
            excluded,
        )
        .outerjoin(
            _exclusions,
            (_exclusions.c.shop == columns.shop) & (_exclusions.c.product_id == columns.product_id),
        )
        .where(columns.shop == shop.shop, columns.deleted_at.is_(None))
        .order_by(or_(excluded, columns.product_id.in_(first)).desc(), columns.title)
        .limit(SHOWN_PRODUCTS)
    )
    if words:
        query = query.where(or_(*_holding(columns.title, words), *_holding(columns.vendor, words)))
    return [ListedProduct(*row) for row in await connections.rows(query)]


async def count_excluded(connections: Connections, shop: Shop) -> int:
    """Return how many products the merchant keeps out of offers, those aside that are not sold any more."""
    same = _products.c.shop == _exclusions.c.shop, _products.c.product_id == _exclusions.c.product_id
    deleted = exists().where(*same, _products.c.deleted_at.is_not(None))
    query = select(func.count()).where(_exclusions.c.shop == shop.shop, ~deleted)
    return int((await connections.rows(query))[0][0])


async def gone(connections: Connections, shop: Shop, product_ids: Collection[int]) -> set[int]:
    """Return those of the products that were deleted in Shopify."""
    query = select(_products.c.product_id).where(
        _products.c.shop == shop.shop,
        _products.c.product_id.in_(product_ids),
        _products.c.deleted_at.is_not(None),
    )
    return {row.product_id for row in await connections.rows(query)}


async def set_excluded(connections: Connections, shop: Shop, product_id: int, *, excluded: bool) -> str:
    """Keep a product out of offers or let it in again; return its title. Raises NotFound."""
    title = (await titles(connections, shop, {product_id})).get(product_id)
    if title is None:
        raise NotFound(_("Your shop has no such product any more."))
    row = {"shop": shop.shop, "product_id": product_id, "excluded_at": datetime.now(UTC)}
    async with connections.write() as db:
        if excluded:
            await insert_new(db, ExclusionRow, [row])
        else:
            chosen = _exclusions.c.shop == shop.shop, _exclusions.c.product_id == product_id
            await (await db.connection()).execute(_exclusions.delete().where(*chosen))
    await announce_kept(connections.redis, shop.shop)
    return title


async def health(connections: Connections, shop: Shop) -> Health:
    """Return what may need a hand."""
    query = select(
        select(func.count()).where(_inbox.c.shop == shop.shop, _inbox.c.status == "parked").scalar_subquery(),
        select(func.count()).where(_orders.c.shop == shop.shop).scalar_subquery(),
        select(_shops.c.shop).where(_shops.c.shop == shop.shop, _shops.c.web_pixel_id.is_not(None)).exists(),
        select(func.max(_inbox.c.received_at)).where(_inbox.c.shop == shop.shop).scalar_subquery(),
        select(func.max(_decisions.c.decided_at)).where(_decisions.c.shop == shop.shop).scalar_subquery(),
    )
    parked, orders, pixel, heard_at, asked_at = (await connections.rows(query))[0]
    return Health(parked, asked_at is not None, orders, bool(pixel), heard_at, asked_at)


def first_price() -> Any:
    """Return the price of a product's first variant, as a column beside the product's own."""
    return (
        select(_variants.c.price_minor)
        .where(_variants.c.shop == _products.c.shop, _variants.c.product_id == _products.c.product_id)
        .order_by(_variants.c.position)
        .limit(1)
        .scalar_subquery()
    )


def _holding(column: Any, words: str) -> list[Any]:
    """Return the conditions of which one holds where the words stand in the column, in whatever case."""
    # SQLite takes no letter beyond ASCII for the same in the other case.
    written = dict.fromkeys((words, words.lower(), words.upper(), words.title()))
    return [column.ilike(f"%{_literal(each)}%", escape="\\") for each in written]


def _literal(words: str) -> str:
    """Return the words with what LIKE reads as a pattern taken literally."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

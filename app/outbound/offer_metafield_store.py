"""The database's record of which offer metafields Shopify holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, update

from app.connections import Connections
from app.outbound.offer_metafields import UNSURE, Kind, OfferMetafield, Place
from app.outbound_tables import AheadRow, CustomerAheadRow
from app.segment_tables import CustomerSegmentRow
from app.upsert import chunks, delete_keys, table_of, upsert

OFFERS = "offers"
_AHEAD, _CUSTOMERS = table_of(AheadRow), table_of(CustomerAheadRow)
_SEGMENTS = table_of(CustomerSegmentRow)


async def held_by(
    connections: Connections, shop: str, kind: Kind, owner_ids: Collection[int]
) -> dict[Place, str]:
    """Return the digests of the metafields that these owners hold, by place."""
    table, owner = _table(kind)
    found: dict[Place, str] = {}
    async with connections.read() as db:
        for part in chunks(sorted(owner_ids)):
            query = select(table).where(*_of(shop, kind), owner.in_(part))
            found |= {_place(kind, row): row.digest for row in await (await db.connection()).execute(query)}
    return found


async def owners(connections: Connections, shop: str, kind: Kind, after: int, limit: int) -> list[int]:
    """Return the owners of a kind that hold anything, by id, the first ones behind `after`."""
    _, owner = _table(kind)
    query = select(owner).where(*_of(shop, kind), owner > after).distinct().order_by(owner).limit(limit)
    return await connections.scalars(query)


async def strays(connections: Connections, shop: str, after: int, limit: int) -> list[int]:
    """Return customers who hold offers and are in no segment any more, by id, the first behind `after`."""
    customer_id = _CUSTOMERS.c.customer_id
    segments = select(_SEGMENTS.c.customer_id).where(
        _SEGMENTS.c.shop == _CUSTOMERS.c.shop, _SEGMENTS.c.customer_id == customer_id
    )
    theirs = (_CUSTOMERS.c.shop == shop, customer_id > after, ~segments.exists())
    query = select(customer_id).where(*theirs).order_by(customer_id).limit(limit)
    return await connections.scalars(query)


async def count_held(connections: Connections, shop: str) -> dict[Kind, int]:
    """Return how many of each kind hold offers."""
    counts: dict[Kind, int] = {}
    async with connections.read() as db:
        for kind in ("shop", "product", "customer"):
            table, owner = _table(kind)
            query = select(func.count(owner.distinct())).select_from(table).where(*_of(shop, kind))
            counts[kind] = int(await (await db.connection()).scalar(query) or 0)
    return counts


async def note_sending(connections: Connections, shop: str, metafields: Sequence[OfferMetafield]) -> None:
    """Mark what is about to be written or deleted as unsure: after a crash it is checked again."""
    await _keep(connections, shop, {each.place: UNSURE for each in metafields})


async def note_sent(connections: Connections, shop: str, metafields: Iterable[OfferMetafield]) -> None:
    """Record what Shopify holds now, and forget what it does not hold any more."""
    given = list(metafields)
    await _keep(connections, shop, {each.place: each.digest for each in given if each.value is not None})
    await let_go(connections, shop, [each.place for each in given if each.value is None])


async def let_go(connections: Connections, shop: str, places: Iterable[Place]) -> None:
    """Forget that Shopify holds these metafields."""
    given = list(places)
    of_customers = [(shop, each.owner_id) for each in given if each.kind == "customer"]
    others = [(shop, each.kind, each.key, each.owner_id) for each in given if each.kind != "customer"]
    async with connections.write() as db:
        await delete_keys(db, CustomerAheadRow, ("shop", "customer_id"), of_customers)
        await delete_keys(db, AheadRow, ("shop", "kind", "key", "owner_id"), others)


async def forget_all(connections: Connections, shop: str) -> None:
    """Forget all that the shop holds: Shopify deletes the app's metafields together with the app."""
    async with connections.write() as db:
        for table in (_AHEAD, _CUSTOMERS):
            await (await db.connection()).execute(delete(table).where(table.c.shop == shop))


async def doubt_all(connections: Connections, shop: str) -> None:
    """Mark all that the shop holds as unsure, so that it is written again or deleted."""
    async with connections.write() as db:
        for table in (_AHEAD, _CUSTOMERS):
            doubted = update(table).where(table.c.shop == shop).values(digest=UNSURE)
            await (await db.connection()).execute(doubted)


async def _keep(connections: Connections, shop: str, digests: Mapping[Place, str]) -> None:
    of_customers: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for place, digest in digests.items():
        row = {"shop": shop, "digest": digest}
        if place.kind == "customer":
            of_customers.append(row | {"customer_id": place.owner_id})
        else:
            others.append(row | {"kind": place.kind, "owner_id": place.owner_id, "key": place.key})
    async with connections.write() as db:
        await upsert(db, CustomerAheadRow, of_customers)
        await upsert(db, AheadRow, others)


def _table(kind: Kind) -> tuple[Any, Any]:
    """Return the table of a kind, and the column that names the owner."""
    return (_CUSTOMERS, _CUSTOMERS.c.customer_id) if kind == "customer" else (_AHEAD, _AHEAD.c.owner_id)


def _of(shop: str, kind: Kind) -> tuple[Any, ...]:
    if kind == "customer":
        return (_CUSTOMERS.c.shop == shop,)
    return (_AHEAD.c.shop == shop, _AHEAD.c.kind == kind)


def _place(kind: Kind, row: Any) -> Place:
    return (
        Place("customer", row.customer_id, OFFERS)
        if kind == "customer"
        else Place(kind, row.owner_id, row.key)
    )

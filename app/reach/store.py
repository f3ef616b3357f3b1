"""Abandonments in the database: found, followed and forgotten. A repeat changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, func, or_, select, update

from app.connections import Connections
from app.consent.digests import Digests, open_digests
from app.consent.standing import Use, may
from app.consent.standings import standings_of
from app.orders.placed import BY_SOMEBODY
from app.profiles.history import EVENTS_READ, latest_names
from app.reach.abandonment import CLOCKS_DIFFER, DONE, LEAVING, CheckoutActivity, Silence, returned
from app.reach_tables import AbandonmentRow, ReachMessageRow
from app.tables import EventRow, OrderRow
from app.upsert import chunks, table_of, upsert

LOOKED_BACK = timedelta(hours=24)  # what went silent longer ago is told of nobody any more
FOLLOWED = timedelta(days=7)
_EVENTS, _ORDERS = table_of(EventRow), table_of(OrderRow)
_ABANDONED, _MESSAGES = table_of(AbandonmentRow), table_of(ReachMessageRow)
_CART = "cart"  # an earlier version kept carts that never reached checkout


@dataclass(frozen=True, slots=True)
class Abandonment:
    """One that was found; see `AbandonmentRow`."""

    abandonment_id: str
    checkout_token: str | None
    client_id: str | None
    customer_id: int | None
    currency: str
    subtotal_minor: int
    lines: list[list[int]]
    left: bool
    began_at: datetime
    last_at: datetime
    silent_since: datetime
    abandoned_at: datetime
    resolved_at: datetime | None
    resolution: str


async def silent_checkouts(
    connections: Connections, shop: str, now: datetime, shortest: timedelta
) -> list[str]:
    """Return the tokens of those that have been silent for the shortest wait and are not known to be.

    Without those that were completed: of most checkouts nothing more is to be found out, and to read what
    was done in them takes the longer the more visit the shop.
    """
    token = _EVENTS.c.checkout_token
    placed = select(_ORDERS.c.checkout_token).where(
        _ORDERS.c.shop == shop,
        _ORDERS.c.created_at > now - LOOKED_BACK - CLOCKS_DIFFER,
        _ORDERS.c.checkout_token.is_not(None),
    )
    known = exists().where(
        _ABANDONED.c.shop == shop,
        _ABANDONED.c.checkout_token == token,
        or_(_ABANDONED.c.resolution != "returned", _ABANDONED.c.resolved_at.is_(None)),
    )
    query = (
        select(token)
        .where(_EVENTS.c.shop == shop, _EVENTS.c.recorded_at > now - LOOKED_BACK, token.is_not(None))
        .where(~known, token.not_in(placed))
        .group_by(token)
        .having(
            func.max(_EVENTS.c.recorded_at) <= now - shortest,
            func.count().filter(_EVENTS.c.name.in_(sorted(DONE))) == 0,
        )
        .order_by(token)
    )
    return await connections.scalars(query)


async def happened_in(
    connections: Connections, shop: str, tokens: Sequence[str], now: datetime
) -> dict[str, list[CheckoutActivity]]:
    """Return what was written down of each checkout, and what its browsers did since it began.

    Of each the EVENTS_READ latest events, of a checkout the latest of its browsers.
    """
    found = await _happened(connections, shop, "checkout_token", tokens, now)
    browsers = {token: latest_names(each.client_id for each in events) for token, events in found.items()}
    beside = await _happened(connections, shop, "client_id", sorted(set().union(*browsers.values())), now)
    return {
        token: _with_browsers(events, [beside.get(client, []) for client in browsers[token]])
        for token, events in found.items()
    }


async def ordered_since(
    connections: Connections, shop: str, tokens: Collection[str], customers: Mapping[int, datetime]
) -> tuple[set[str], set[int]]:
    """Return which checkouts became orders, and which customers ordered since the time beside them."""
    placed: set[str] = set()
    bought: set[int] = set()
    async with connections.read() as db:
        connection = await db.connection()
        for part in chunks(sorted(tokens)):
            column = _ORDERS.c.checkout_token
            placed.update(await connection.scalars(_of_shop(column, shop).where(column.in_(part))))
        for part in chunks(sorted(customers)):
            since = min(customers[each] for each in part)
            query = _of_shop(_ORDERS.c.customer_id, shop).add_columns(_ORDERS.c.created_at)
            theirs = query.where(_ORDERS.c.customer_id.in_(part), _ORDERS.c.created_at >= since, BY_SOMEBODY)
            bought |= {who for who, at in await connection.execute(theirs) if at >= customers[who]}
    return placed, bought


async def keep_silences(
    connections: Connections, shop: str, silences: Mapping[str, Silence], now: datetime
) -> list[str]:
    """Return the ids of those that are new, or went silent again after a return.

    A customer who may not be written to is not named.
    """
    digests = await open_digests(connections)
    named = {each.customer_id for each in silences.values() if each.customer_id is not None}
    standings = await standings_of(connections, shop, named)
    welcome = {who for who, standing in standings.items() if may(Use.EMAIL, standing).allowed}
    rows = [_row(digests, shop, token, each, welcome, now) for token, each in silences.items()]
    async with connections.write() as db:
        kept = await upsert(
            db,
            AbandonmentRow,
            rows,
            newer=lambda old, new: and_(old.resolution == "returned", new.silent_since > old.silent_since),
            # A return changes nothing about when it began.
            merge={"began_at": lambda old, _: old.began_at},
        )
    return [abandonment_id for _, abandonment_id in kept]


async def left_that_ordered(connections: Connections, shop: str, since: datetime) -> set[str]:
    """Return the ids of those open whose checkout became an order, or whose customer ordered since it began.

    since: when they were found at the earliest. Looked up where they lie: a large shop has tens of thousands.
    """
    this, theirs = _ORDERS.c.shop == _ABANDONED.c.shop, _ORDERS.c.customer_id == _ABANDONED.c.customer_id
    token = _ORDERS.c.checkout_token == _ABANDONED.c.checkout_token
    placed = select(_ABANDONED.c.abandonment_id).join(_ORDERS, and_(this, token))
    bought = select(_ABANDONED.c.abandonment_id, _ABANDONED.c.began_at, _ORDERS.c.created_at)
    bought = bought.join(_ORDERS, and_(this, theirs, _unindexed(_ORDERS.c.created_at) > since - FOLLOWED))
    async with connections.read() as db:
        connection = await db.connection()
        found = set(await connection.scalars(placed.where(*_open(shop, since))))
        rows = await connection.execute(bought.where(*_open(shop, since), BY_SOMEBODY))
        return found | {name for name, began, at in rows if at >= began - CLOCKS_DIFFER}


async def left_that_came_back(connections: Connections, shop: str, since: datetime) -> set[str]:
    """Return the ids of those open whose shopper did something again after the silence began.

    since: when they were found at the earliest.
    """
    found: set[str] = set()
    async with connections.read() as db:
        connection = await db.connection()
        for by in ("checkout_token", "client_id"):
            for name, last_at, at in await connection.execute(_later(shop, since, by)):
                if returned(last_at, at):
                    found.add(name)
    return found


def _open(shop: str, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return _ABANDONED.c.shop == shop, _ABANDONED.c.resolved_at.is_(None), _ABANDONED.c.abandoned_at > since


def _unindexed(column: Any) -> Any:
    """Return the column so that no index of it is used: for each one left a day of the shop would be read."""
    return func.coalesce(column, column)


def _later(shop: str, since: datetime, by: str) -> Select[Any]:
    """Return the query of each with when last something was done under the same name."""
    happened, recorded, name = _EVENTS.c.happened_at, _EVENTS.c.recorded_at, _EVENTS.c[by]
    at = func.max(case((happened < recorded, happened), else_=recorded)).label("at")
    # By name first: whoever left many has done as much in each of them.
    theirs = name.in_(select(_ABANDONED.c[by]).where(*_open(shop, since)))
    last = select(name.label("name"), at).where(_EVENTS.c.shop == shop, theirs, _unindexed(recorded) > since)
    done = last.where(*(_EVENTS.c.name != each for each in LEAVING)).group_by(name).subquery()
    found = select(_ABANDONED.c.abandonment_id, _ABANDONED.c.last_at, done.c.at)
    return found.join(done, done.c.name == _ABANDONED.c[by]).where(*_open(shop, since))


async def last_abandonments(connections: Connections, shop: str, last: int) -> list[Abandonment]:
    """Return the last checkouts that were left by who may be written to, the oldest of them first."""
    theirs = (_ABANDONED.c.shop == shop, _ABANDONED.c.customer_id.is_not(None))
    newest = select(_ABANDONED.c.abandonment_id).where(*theirs)
    newest = newest.order_by(_ABANDONED.c.abandoned_at.desc(), _ABANDONED.c.abandonment_id).limit(last)
    return await _read(connections, shop, _ABANDONED.c.abandonment_id.in_(newest))


async def abandonments_of(connections: Connections, shop: str, ids: Collection[str]) -> list[Abandonment]:
    """Return those of these ids, as they stand now."""
    found: list[Abandonment] = []
    for part in chunks(sorted(ids)):
        found += await _read(connections, shop, _ABANDONED.c.abandonment_id.in_(part))
    return found


async def resolve(connections: Connections, shop: str, ids: Mapping[str, str], now: datetime) -> None:
    """Write down what came of abandonments, by id; an order that comes after a return counts as one."""
    async with connections.write() as db:
        connection = await db.connection()
        for abandonment_id, resolution in ids.items():
            this = (_ABANDONED.c.shop == shop, _ABANDONED.c.abandonment_id == abandonment_id)
            still = or_(_ABANDONED.c.resolved_at.is_(None), _ABANDONED.c.resolution == "returned")
            values = {"resolved_at": now, "resolution": resolution}
            await connection.execute(update(_ABANDONED).where(*this, still).values(**values))


async def forget_abandonments(
    connections: Connections, shop: str, tokens: Collection[str], clients: Collection[str]
) -> None:
    """Delete what was found under these names, with the messages about it."""
    async with connections.write() as db:
        connection = await db.connection()
        for column, names in (("checkout_token", tokens), ("client_id", clients)):
            for part in chunks(sorted(names)):
                theirs = and_(_ABANDONED.c.shop == shop, _ABANDONED.c[column].in_(part))
                ids = select(_ABANDONED.c.abandonment_id).where(theirs)
                await connection.execute(
                    delete(_MESSAGES).where(_MESSAGES.c.shop == shop, _MESSAGES.c.abandonment_id.in_(ids))
                )
                await connection.execute(delete(_ABANDONED).where(theirs))


async def unname(connections: Connections, shop: str, customer_id: int) -> None:
    """Remove the customer from their abandonments, and drop the messages that wait for them."""
    theirs = (_ABANDONED.c.shop == shop, _ABANDONED.c.customer_id == customer_id)
    waiting = (_MESSAGES.c.shop == shop, _MESSAGES.c.customer_id == customer_id)
    async with connections.write() as db:
        connection = await db.connection()
        await connection.execute(update(_ABANDONED).where(*theirs).values(customer_id=None))
        await connection.execute(delete(_MESSAGES).where(*waiting, _MESSAGES.c.status == "waiting"))


async def clear_old(connections: Connections, shop: str, before: datetime) -> None:
    """Delete the shop's abandonments of before that time, and the messages about them; carts of any time."""
    async with connections.write() as db:
        connection = await db.connection()
        for table, at in ((_ABANDONED, "abandoned_at"), (_MESSAGES, "due_at")):
            await connection.execute(delete(table).where(table.c.shop == shop, table.c[at] < before))
        await connection.execute(
            delete(_ABANDONED).where(_ABANDONED.c.shop == shop, _ABANDONED.c.kind == _CART)
        )


async def counted(connections: Connections, shop: str, begin: datetime, end: datetime) -> tuple[int, int]:
    """Return how many checkouts had anything written down in the time, and how many were abandoned in it."""
    begun = select(func.count(func.distinct(_EVENTS.c.checkout_token))).where(
        _EVENTS.c.shop == shop, _EVENTS.c.recorded_at >= begin, _EVENTS.c.recorded_at < end
    )
    left = select(func.count()).where(
        _ABANDONED.c.shop == shop,
        _ABANDONED.c.silent_since >= begin,
        _ABANDONED.c.silent_since < end,
    )
    async with connections.read() as db:
        connection = await db.connection()
        return int(await connection.scalar(begun) or 0), int(await connection.scalar(left) or 0)


def _of_shop(column: Any, shop: str) -> Select[Any]:
    return select(column).where(_ORDERS.c.shop == shop)


async def _happened(
    connections: Connections, shop: str, by: str, names: Sequence[str], now: datetime
) -> dict[str, list[CheckoutActivity]]:
    """Return the EVENTS_READ latest events of each name, latest first."""
    columns, after = _EVENTS.c, now - LOOKED_BACK
    latest_first = (columns.happened_at.desc(), columns.event_id)
    place = func.row_number().over(partition_by=columns[by], order_by=latest_first).label("place")
    found: dict[str, list[CheckoutActivity]] = {}
    async with connections.read() as db:
        connection = await db.connection()
        for part in chunks(names):
            theirs = (columns.shop == shop, columns[by].in_(part), columns.recorded_at > after)
            placed = select(
                columns[by].label("by_name"), columns.event_id, columns.name, columns.happened_at,
                columns.recorded_at, columns.client_id, columns.customer_id, columns.data, place,
            ).where(*theirs).subquery()  # fmt: skip
            query = select(placed).where(placed.c.place <= EVENTS_READ).order_by(placed.c.place)
            for name, *event, _place in await connection.execute(query):
                found.setdefault(name, []).append(CheckoutActivity(*event))
    return found


def _with_browsers(
    events: list[CheckoutActivity], beside: Iterable[Sequence[CheckoutActivity]]
) -> list[CheckoutActivity]:
    began = min(each.at for each in events) - CLOCKS_DIFFER
    return events + [each for browser in beside for each in browser if each.at >= began]


def _row(
    digests: Digests, shop: str, token: str, silence: Silence, welcome: Collection[int],
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    return {
        "shop": shop,
        "abandonment_id": digests.of(shop, "checkout", token),
        "kind": "checkout",
        "checkout_token": token,
        "client_id": silence.client_id,
        "customer_id": silence.customer_id if silence.customer_id in welcome else None,
        "currency": silence.currency,
        "subtotal_minor": silence.subtotal_minor,
        "lines": [list(each) for each in silence.lines],
        "left": silence.left,
        "began_at": silence.began_at,
        "last_at": silence.last_at,
        "silent_since": silence.since,
        "abandoned_at": now,
        "resolved_at": None,
        "resolution": "",
    }


async def _read(connections: Connections, shop: str, which: ColumnElement[bool]) -> list[Abandonment]:
    columns = [_ABANDONED.c[each] for each in Abandonment.__dataclass_fields__]
    query = select(*columns).where(_ABANDONED.c.shop == shop, which).order_by(_ABANDONED.c.abandoned_at)
    return [Abandonment(*row) for row in await connections.rows(query)]

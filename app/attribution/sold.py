"""Reads what was sold and which offers came before it, as the database has it now.

Nothing is added up as it comes in: a late refund, a cancellation or an event told twice leads to the same
report as one that came in time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.attribution.attribute import stayed_of
from app.attribution.models import Model
from app.attribution.report import CreditTally, Incremental, PeriodSales, Report, incremental_of
from app.attribution.touch_store import (
    browsers_of,
    granted_by,
    people_of,
    touches_before,
    touches_linked,
)
from app.attribution.touches import WINDOW_DAYS, Granted, SoldLine, SoldOrder, Touch, owed_lines
from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments.assign import PERSONALISED, STANDING
from app.experiments.refusal import Cause, Refusal
from app.experiments.store import Period, Readout, read_outs
from app.orders.placed import BY_SOMEBODY
from app.tables import OrderLineRow, OrderRow, RefundRow, ShopRow
from app.upsert import chunks, table_of
from app.values import ShopDomain

_ORDERS, _LINES, _REFUNDS = table_of(OrderRow), table_of(OrderLineRow), table_of(RefundRow)
_AT_ONCE = 2_000  # orders in memory, with all offers that came before them
# What is read of an order or a line that is looked at closely.
_OF_ORDER = tuple(_ORDERS.c[name] for name in ("order_id", "created_at", "discount_codes"))
_OF_LINE = tuple(
    _LINES.c[name]
    for name in (
        "order_id", "line_id", "product_id", "quantity", "price_minor", "discount_minor", "decision_id",
        "offer_id", "bundle_product_id",
    )
)  # fmt: skip


async def attribution(
    connections: Connections,
    shop: ShopDomain,
    model: Model,
    since: datetime,
    now: datetime,
    window_days: float = WINDOW_DAYS,
) -> Report:
    """Return what offers are credited with in orders since then, beside what they caused.

    Raises NotFound for a shop that was never installed, InputError for a window that is none.
    """
    if not 0 < window_days <= 90:
        raise InputError("a window is more than 0 and at most 90 days", "window")
    ((sold,),) = await credited(connections, shop, [model], [since], now, window_days)
    return sold.report(await incremental(connections, shop, since, now), since)


async def credited(
    connections: Connections,
    shop: ShopDomain,
    models: Collection[Model],
    begins: Sequence[datetime],
    now: datetime,
    window_days: float = WINDOW_DAYS,
) -> list[list[CreditTally]]:
    """Return what was sold and, by each of the models, whose it is: of each period until now.

    begins: of the periods, the longest first, each of which holds those after it. Raises NotFound.
    """
    tallies = [[CreditTally(model, window_days) for model in models] for _ in begins]
    for many, (begin, end) in enumerate(zip(begins, [*begins[1:], None], strict=True), start=1):
        async for part in sold_parts(connections, shop, begin, end, now, window_days):
            owed = owed_lines(part.lines, part.touches, window_days)  # the same by each model, in each period
            for tally in chain.from_iterable(tallies[:many]):
                tally.add(part, owed)
    return tallies


async def incremental(
    connections: Connections, shop: ShopDomain, since: datetime, now: datetime
) -> Incremental | Refusal:
    """Return what the standing experiment shows of who came first since then, or why it shows nothing."""
    (found,) = await incrementals(connections, shop, [Period(since, now)])
    return found


async def incremental_by_day(
    connections: Connections, shop: ShopDomain, window: timedelta, days: int, today: datetime
) -> list[tuple[datetime, Incremental | Refusal]]:
    """Return the same as it was known on each of the last days, over the window before; today stands last."""
    when = [today - timedelta(days=ago) for ago in reversed(range(days))]
    found = await incrementals(connections, shop, [Period(each - window, each) for each in when])
    return list(zip(when, found, strict=True))


async def incrementals(
    connections: Connections, shop: ShopDomain, periods: Sequence[Period]
) -> list[Incremental | Refusal]:
    """Return the same of each of at least one period, by records that are read once."""
    return caused_of(await standing(connections, shop, periods), len(periods))


async def standing(
    connections: Connections, shop: ShopDomain, periods: Sequence[Period]
) -> list[Readout] | Refusal:
    """Return what the standing experiment shows of each of at least one period, or why it shows nothing."""
    try:
        return await read_outs(connections, shop, STANDING, periods)
    except NotFound as error:
        return Refusal(Cause.NOBODY, str(error))
    except InputError as error:
        return Refusal(Cause.ALIKE, str(error))


def caused_of(found: Sequence[Readout] | Refusal, periods: int) -> list[Incremental | Refusal]:
    """Return what was caused, of each of so many periods."""
    if isinstance(found, Refusal):
        return [found] * periods
    if PERSONALISED not in found[0].design.shares:
        nobody = Refusal(Cause.NOT_SERVED, "nobody is served personally, so there is nothing to compare")
        return [nobody] * periods
    return [incremental_of(each) for each in found]


async def sold_parts(
    connections: Connections,
    shop: str,
    since: datetime,
    until: datetime | None,
    now: datetime,
    window_days: float,
) -> AsyncIterator[PeriodSales]:
    """Yield what was sold by orders that stand, placed since then, and the offers that may have led to it.

    So many orders at a time, each in one part: memory does not grow with the period. until: of orders before
    that, where it is not now.
    """
    async with connections.read() as db:
        known = await db.get(ShopRow, shop)
        if known is None:
            raise NotFound(f"{shop} was never installed")
        begin, is_last = since, False
        while not is_last:
            found = await _end_of_part(db, shop, begin, until, now)
            end, is_last = found or until, found is None
            placed = _placed(begin, end, now)
            yield await _sold(db, shop, known.currency, placed, timedelta(days=window_days))
            begin = end or now


async def _end_of_part(
    db: AsyncSession, shop: str, begin: datetime, until: datetime | None, now: datetime
) -> datetime | None:
    """Return when the part's last order was already placed, None where all that are left are in it."""
    at = _ORDERS.c.created_at
    query = select(at).where(_ORDERS.c.shop == shop, *_placed(begin, until, now)).order_by(at)
    connection = await db.connection()
    end: datetime | None = await connection.scalar(query.offset(_AT_ONCE).limit(1))
    if end == begin:  # of one moment are more than a part takes
        end = await connection.scalar(query.where(at > begin).limit(1))
    return end


async def _sold(
    db: AsyncSession, shop: str, currency: str, placed: Sequence[Any], window: timedelta
) -> PeriodSales:
    """Return what was sold by the orders.

    Line by line only where an offer may have a part in it, or something was given back: of the others, which
    are nobody's, the database adds up what they brought.
    """
    brought = await _brought(db, shop, placed)
    ours = {each.order_id: each for each in brought if each.currency == currency}
    browsers = await browsers_of(db, shop, {each.checkout_token for each in ours.values()})
    people = {number: people_of(each, browsers.get(each.checkout_token)) for number, each in ours.items()}
    touches = await touches_before(db, shop, ours.values(), browsers, window)
    back = await _given_back(db, shop, placed)
    certain = {number for number, each in ours.items() if number in back or each.linked}
    orders = await _looked_at(db, shop, people, certain, _made_to(touches), window)
    lines = await _lines(db, shop, orders, back)
    linked = {line.decision_id for line in lines if line.decision_id}
    touches |= await touches_linked(db, shop, linked - touches.keys())
    made = tuple(chain.from_iterable(touches.values()))
    others = [each.minor for number, each in ours.items() if number not in orders and each.lines]
    return PeriodSales(currency, tuple(lines), made, len(brought) - len(ours), len(others), int(sum(others)))


async def _looked_at(
    db: AsyncSession,
    shop: str,
    people: Mapping[int, frozenset[str]],
    certain: Set[int],
    met: Mapping[str, Sequence[datetime]],
    window: timedelta,
) -> dict[int, SoldOrder]:
    """Return the orders to read line by line: those that certainly are, and those that an offer came before.

    people: whose each order is. met: see `_made_to`.
    """
    asked = certain | {number for number, theirs in people.items() if met.keys() & theirs}
    granted = await granted_by(db, shop)
    return {
        row.order_id: sold_order(row, people[row.order_id], granted)
        for row in await _of_orders(db, _ORDERS, _OF_ORDER, shop, asked)
        if row.order_id in certain or _came_after(row.created_at, people[row.order_id], met, window)
    }


def _made_to(touches: Mapping[str, Iterable[Touch]]) -> dict[str, list[datetime]]:
    """Return when offers were made, by whom they were made to."""
    met: dict[str, list[datetime]] = defaultdict(list)
    for each in touches.values():
        for touch in each:
            for person in touch.people:
                met[person].append(touch.at)
    return met


def _came_after(
    placed: datetime, people: Iterable[str], met: Mapping[str, Sequence[datetime]], window: timedelta
) -> bool:
    """Return whether an offer was made to who ordered within the window before."""
    return any(placed - window <= at <= placed for person in people for at in met.get(person, ()))


async def _brought(db: AsyncSession, shop: str, placed: Sequence[Any]) -> Sequence[Any]:
    """Return each order that stands: whose it is, how many lines it has and what they brought at first."""
    orders, lines = _ORDERS.c, _LINES.c
    charged = lines.quantity * lines.price_minor - lines.discount_minor
    own = orders.order_id, orders.currency, orders.customer_id, orders.checkout_token, orders.created_at
    query = (
        select(
            *own,
            func.sum(case((charged > 0, charged), else_=0)).label("minor"),
            func.count(lines.line_id).label("lines"),
            func.count(lines.decision_id).label("linked"),
        )
        .outerjoin(_LINES, and_(lines.shop == orders.shop, lines.order_id == orders.order_id))
        .where(orders.shop == shop, *placed)
        .group_by(*own)
    )
    return (await (await db.connection()).execute(query)).all()


def _placed(begin: datetime, end: datetime | None, now: datetime) -> tuple[Any, ...]:
    """Return what holds of an order that stands, placed from then on and before the end, if there is one.

    What a subscription charges says of its lines what its first order did, and would be owed for ever.
    """
    columns = _ORDERS.c
    before = columns.created_at <= now if end is None else columns.created_at < end
    return columns.created_at >= begin, before, columns.cancelled_at.is_(None), BY_SOMEBODY


async def _given_back(db: AsyncSession, shop: str, placed: Sequence[Any]) -> dict[int, dict[int, int]]:
    """Return what was given back, by order and line."""
    columns, orders = _REFUNDS.c, _ORDERS.c
    query = (
        select(columns.order_id, columns.line_id, columns.amount_minor)
        .join(_ORDERS, and_(orders.shop == columns.shop, orders.order_id == columns.order_id))
        .where(columns.shop == shop, *placed)
    )
    back: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in await (await db.connection()).execute(query):
        back[row.order_id][row.line_id] += row.amount_minor
    return back


async def _lines(
    db: AsyncSession, shop: str, orders: Mapping[int, SoldOrder], back: Mapping[int, Mapping[int, int]]
) -> list[SoldLine]:
    of_order: dict[int, list[Any]] = defaultdict(list)
    for row in await _of_orders(db, _LINES, _OF_LINE, shop, orders):
        of_order[row.order_id].append(row)
    return [
        line
        for order_id, rows in of_order.items()
        for line in sold_lines(orders[order_id], rows, back.get(order_id, {}))
    ]


def sold_order(row: Any, people: frozenset[str], granted_by: Mapping[str, Granted]) -> SoldOrder:
    """Return the order as its lines tell of it. granted_by: discounts, by their terms."""
    used = row.discount_codes or ()
    codes = frozenset(str(each["code"]).upper() for each in used if "code" in each)
    grants = [each for each in used if each.get("terms_id") in granted_by]
    found = [(granted_by[each["terms_id"]], each.get("titles", ())) for each in grants]
    granted = frozenset(each.campaign for each, titles in found if each.may_be_among(titles))
    off = frozenset(str(part) for each in used for part in each.get("off", ()))
    return SoldOrder(row.order_id, row.created_at, people, codes, granted, off)


def sold_lines(order: SoldOrder, rows: Iterable[Any], back: Mapping[int, int]) -> Iterator[SoldLine]:
    """Yield an order's lines with what stayed of each. back: what was given back, see `stayed_of`."""
    of_line = {row.line_id: row for row in rows}
    stayed = stayed_of({line_id: charged_minor(row) for line_id, row in of_line.items()}, back)
    for line_id, row in of_line.items():
        yield SoldLine(
            order, line_id, stayed[line_id], row.bundle_product_id or row.product_id, row.decision_id,
            row.offer_id,
        )  # fmt: skip


def charged_minor(row: Any) -> int:
    """Return what was charged for an order's line, never less than nothing."""
    charged: int = row.quantity * row.price_minor - row.discount_minor
    return max(0, charged)


async def _of_orders(
    db: AsyncSession, table: Any, wanted: Sequence[Any], shop: str, orders: Iterable[int]
) -> list[Any]:
    found: list[Any] = []
    for part in chunks(sorted(orders)):
        query = select(*wanted).where(table.c.shop == shop, table.c.order_id.in_(part))
        found += await (await db.connection()).execute(query)
    return found

"""Reads each campaign's exposures, holdouts and their outcomes for its guardrails."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Literal, NamedTuple

import polars as pl
from sqlalchemy import exists, func, or_, select

from app.campaigns.guardrails import REFUNDED_WITHIN_S, Units
from app.campaigns.meetings import Meetings, joined, meetings_in, placed_in, units_met
from app.campaigns.shopper_history import KEPT_S
from app.child_process import ChildFailed, run_in_child
from app.config import Settings
from app.connections import Connections, connect, redis_key
from app.experiments.assign import PERSONALISED
from app.failures import reason_of
from app.intent.store import who_may_not_teach
from app.orders.placed import BY_SOMEBODY
from app.streamed import in_parts
from app.tables import DecisionRow, FeedbackRow, OrderRow, RefundRow
from app.upsert import chunks, table_of

FEW = 20_000  # decisions that are read beside other work
RESTS = 20  # times as long as it took: a twentieth of one processor, at most
_TRIED_S = 1_200
_AT_ONCE = 5_000  # rows as Python has them; what was read is columns
_DECISIONS, _FEEDBACK = table_of(DecisionRow), table_of(FeedbackRow)
_ORDERS, _REFUNDS = table_of(OrderRow), table_of(RefundRow)
_log = logging.getLogger(__name__)


class OrderOutcome(NamedTuple):
    """An order, and when something of it was first refunded."""

    at: datetime
    given_back_at: datetime | None

    @property
    def given_back(self) -> bool:
        """Return whether something was refunded within REFUNDED_WITHIN_S."""
        until = self.at + timedelta(seconds=REFUNDED_WITHIN_S)
        return self.given_back_at is not None and self.given_back_at <= until


async def watched(
    connections: Connections, shop: str, since: Mapping[str, datetime], rationed: Collection[str] = ()
) -> dict[str, Units]:
    """Return the shoppers of each campaign. since: by campaign, what came before is of another one.

    rationed: those that are kept from who was shown them before. Of these only who had not met them before
    counts: the others would be among those held back alone. Without customers who may not be learnt from.

    A campaign with many decisions behind it is read in a process of its own, and is not among those that are
    returned until it has rested: the longer it runs, the less a few minutes add to what is known of it.
    """
    if not since:
        return {}
    remembered = timedelta(seconds=KEPT_S)
    known_from = {name: begin - remembered if name in rationed else begin for name, begin in since.items()}
    recent = await _begin_of_latest(connections, shop, min(known_from.values()))
    near = {name: begin for name, begin in since.items() if recent is None or known_from[name] >= recent}
    far = {name: begin for name, begin in since.items() if name not in near}
    found = await read_watched(connections, shop, near, known_from)
    return found | await _apart(connections, shop, far, known_from)


async def read_watched(
    connections: Connections, shop: str, since: Mapping[str, datetime], known_from: Mapping[str, datetime]
) -> dict[str, Units]:
    """Return the shoppers of each campaign. known_from: from when on who met one is known to it."""
    if not since:
        return {}
    meetings = await _meetings(connections, shop, since, min(known_from[name] for name in since))
    customers = meetings.decided["customer_id"].drop_nulls().unique().to_list()
    refuse = await who_may_not_teach(connections, shop, customers)
    meetings = meetings.without(refuse)
    placed = await _placed(connections, shop, min(since.values()))
    return {
        name: await asyncio.to_thread(units_met, meetings, placed, name, begin, known_from[name])
        for name, begin in since.items()
    }


async def _apart(
    connections: Connections, shop: str, since: Mapping[str, datetime], known_from: Mapping[str, datetime]
) -> dict[str, Units]:
    """Return the same, read in a process of its own; nothing until that has rested, or where it failed."""
    resting = redis_key(shop, "watched")
    if not since or not await connections.redis.set(resting, 1, ex=_TRIED_S, nx=True):
        return {}
    begun = monotonic()
    try:
        found = await run_in_child(
            _read_apart, connections.settings, connections.redis_url, shop, since, known_from
        )
    except ChildFailed as error:
        _log.error("campaigns could not be guarded", extra={"shop": shop, "reason": reason_of(error)})
        return {}
    await connections.redis.set(resting, 1, ex=1 + int(RESTS * (monotonic() - begun)))
    return found


def _read_apart(
    settings: Settings, redis_url: str, shop: str, since: Mapping[str, datetime],
    known_from: Mapping[str, datetime],
) -> dict[str, Units]:  # fmt: skip
    async def read() -> dict[str, Units]:
        async with connect(settings, redis_url) as connections:
            return await read_watched(connections, shop, since, known_from)

    return asyncio.run(read())


def first_order(placed: Iterable[OrderOutcome], begin: datetime, within_s: float) -> OrderOutcome | None:
    """Return the first order from then on within the time. placed: the first first."""
    until = begin + timedelta(seconds=within_s)
    return next((each for each in placed if begin <= each.at <= until), None)


async def _begin_of_latest(connections: Connections, shop: str, since: datetime) -> datetime | None:
    """Return since when the latest decisions were made that are few, None where all of them are."""
    at = _DECISIONS.c.decided_at
    query = select(at).where(_DECISIONS.c.shop == shop, at >= since).order_by(at.desc())
    begin: datetime | None = await connections.scalar(query.offset(FEW).limit(1))
    return begin


async def _meetings(connections: Connections, shop: str, names: Collection[str], since: datetime) -> Meetings:
    """Return the decisions since then that weighed any of the campaigns, read some thousand at a time."""
    columns, told = _DECISIONS.c, ("situation", "campaigns")
    unit = columns.inputs["unit"].as_string()
    failed = exists().where(
        _FEEDBACK.c.shop == columns.shop, _FEEDBACK.c.decision_id == columns.decision_id,
        _FEEDBACK.c.kind == "failed",
    )  # fmt: skip
    query = (
        select(columns.decided_at, columns.checkout_token, unit)
        .add_columns(columns.customer_id, columns.duration_us, failed, columns.surface)
        .add_columns(columns.inputs[(*told, "chosen")], columns.inputs[(*told, "left_out")])
        .where(columns.shop == shop, columns.decided_at >= since, columns.arm == PERSONALISED)
        .where(or_(columns.checkout_token.is_not(None), unit.is_not(None)))
        .order_by(columns.decided_at, columns.decision_id)
    )
    parts = [meetings_in((), names)]
    async with connections.read() as db:
        async for part in in_parts(await db.connection(), query, _AT_ONCE):
            parts.append(meetings_in(map(tuple, part), names))
    return joined(parts)


async def _placed(connections: Connections, shop: str, since: datetime) -> pl.DataFrame:
    """Return the orders of checkouts since then, each with when something of it was first given back."""
    columns = _ORDERS.c
    query = select(columns.checkout_token, columns.created_at, columns.cancelled_at, _first_refund()).where(
        columns.shop == shop, columns.created_at >= since, columns.checkout_token.is_not(None)
    )
    async with connections.read() as db:
        parts = [
            placed_in((who, at, _earliest(back)) for who, at, *back in part)
            async for part in in_parts(await db.connection(), query, _AT_ONCE)
        ]
    return pl.concat([placed_in(()), *parts], rechunk=True)


async def placed_by(
    connections: Connections, shop: str, by: Literal["checkout_token", "customer_id"], names: Collection[Any]
) -> dict[Any, list[OrderOutcome]]:
    """Return the orders of each of the checkouts, or of the customers, the first first."""
    columns = (_ORDERS.c[by], _ORDERS.c.created_at, _ORDERS.c.cancelled_at)
    placed: dict[Any, list[OrderOutcome]] = defaultdict(list)
    async with connections.read() as db:
        for part in chunks(sorted(names)):
            query = (
                select(*columns, _first_refund())
                .where(_ORDERS.c.shop == shop, _ORDERS.c[by].in_(part), BY_SOMEBODY)
                .order_by(_ORDERS.c.created_at)
            )
            for name, at, *back in await (await db.connection()).execute(query):
                placed[name].append(OrderOutcome(at, _earliest(back)))
    return placed


def _first_refund() -> Any:
    refunded = select(func.min(_REFUNDS.c.created_at)).where(
        _REFUNDS.c.shop == _ORDERS.c.shop, _REFUNDS.c.order_id == _ORDERS.c.order_id
    )
    return refunded.scalar_subquery().label("refunded_at")


def _earliest(moments: Iterable[Any]) -> datetime | None:
    return min((each for each in moments if each is not None), default=None)

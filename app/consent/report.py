"""What an auditor asks of one shop: who is offered what, what is held, what is asked for and by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.connections import Connections
from app.consent.audit import Audit, audit
from app.consent.clearing import ClearingRun, last_clearings
from app.consent.holdings import HOLDINGS, Holding, Medium
from app.consent.outcomes import served
from app.consent.receipts import owner_of
from app.consent.requests import PrivacyRequest, requests_of
from app.consent.retention import KEPT, RetentionLimit, limits_of
from app.privacy_tables import ReceiptRow
from app.upsert import table_of

SOON = timedelta(days=7)
_RECEIPTS = table_of(ReceiptRow)


@dataclass(frozen=True, slots=True)
class StoreSize:
    """How much is in one store. rows: None where it is no table and is not counted here."""

    name: str
    says: str
    purpose: str
    ground: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """A request with its deadline. left_days: until it is due, negative when late, None when done."""

    request_id: str
    kind: str
    status: str
    received_at: datetime
    due_at: datetime
    done_at: datetime | None
    left_days: int | None
    found: Mapping[str, int]
    receipt_id: str | None

    @property
    def late(self) -> bool:
        """Return whether the deadline has passed and it is not done."""
        return self.left_days is not None and self.left_days < 0


@dataclass(frozen=True, slots=True)
class StoreLimit:
    """A store's limit, and what the last clearing did, None before the first."""

    store: str
    setting: str
    label: str
    says: str
    days: int
    most_days: int
    last: ClearingRun | None


@dataclass(frozen=True, slots=True)
class PrivacyReport:
    """All of it. unusable: settings of the shop's that can't be limits, in words."""

    shop: str
    since: datetime
    until: datetime
    served: Audit
    held: list[StoreSize]
    requests: list[RequestStatus]
    limits: list[StoreLimit]
    unusable: tuple[str, ...]


async def report(
    connections: Connections, shop: str, settings: Mapping[str, Any], days: int, now: datetime
) -> PrivacyReport:
    """Return the report of a shop over the last so many days; of requests, those that are open."""
    since = now - timedelta(days=days)
    asked = await requests(connections, shop, now)
    return PrivacyReport(
        shop=shop,
        since=since,
        until=now,
        served=audit(await served(connections, shop, since, now)),
        held=await held(connections, shop),
        requests=[each for each in asked if each.done_at is None],
        limits=await limits(connections, shop, settings),
        unusable=limits_of(settings).unusable,
    )


async def held(connections: Connections, shop: str) -> list[StoreSize]:
    """Return what is held of the shop's people, store by store, in the order of the register."""
    owner = await owner_of(connections, shop)
    async with connections.read() as db:
        connection = await db.connection()
        return [_held(each, await _count(connection, each, shop, owner)) for each in HOLDINGS]


async def requests(connections: Connections, shop: str, now: datetime) -> list[RequestStatus]:
    """Return the requests of a shop: what is open first, by its deadline."""
    return [_asked(each, now) for each in await requests_of(connections, shop)]


async def limits(connections: Connections, shop: str, settings: Mapping[str, Any]) -> list[StoreLimit]:
    """Return each store's limit as it holds, and what the last clearing did."""
    days, last = limits_of(settings).days, await last_clearings(connections, shop)
    return [_limit(each, days[each.store], last.get(each.store)) for each in KEPT]


async def _count(connection: AsyncConnection, holding: Holding, shop: str, owner: str) -> int | None:
    """Return how many rows the holding has, None for one that is no table."""
    if holding.medium is not Medium.TABLE:
        return None
    table = SQLModel.metadata.tables[holding.name]
    theirs = table.c.owner == owner if table is _RECEIPTS else table.c.shop == shop
    return await connection.scalar(select(func.count()).select_from(table).where(theirs))


def _held(holding: Holding, rows: int | None) -> StoreSize:
    return StoreSize(holding.name, holding.says, holding.purpose, holding.ground.value, rows)


def _asked(request: PrivacyRequest, now: datetime) -> RequestStatus:
    left = None if request.done_at else (request.due_at - now) // timedelta(days=1)
    return RequestStatus(
        request.request_id, request.kind, request.status, request.received_at, request.due_at,
        request.done_at, left, request.found, request.receipt_id,
    )  # fmt: skip


def _limit(kept: RetentionLimit, days: int, last: ClearingRun | None) -> StoreLimit:
    return StoreLimit(kept.store, kept.setting, kept.label, kept.says, days, kept.most_days, last)

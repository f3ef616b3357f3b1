"""Requests that privacy law gives a deadline: opened once, remembered through every crash, closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.privacy_tables import PrivacyRequestRow
from app.upsert import insert_new, table_of

DUE_AFTER = timedelta(days=30)  # what Shopify allows an app
_LEFT_TO_ANSWER = timedelta(days=10)  # of those, for the merchant to show somebody their data
_REQUESTS = table_of(PrivacyRequestRow)
_NOBODY: dict[str, Any] = {"customer_id": None, "email_digest": None, "order_ids": [], "names": {}}


class Kind(StrEnum):
    """What is asked for."""

    DATA = "data_request"
    CUSTOMER = "redact"
    SHOP = "shop_redact"


class Status(StrEnum):
    """How far a request is. OPEN: nobody has begun. RUNNING: something may be gone already."""

    OPEN = "open"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """A request. subject: keyed hash of whom it is about. names: all they were found under.

    customer_id, email_digest, order_ids, names: empty once it is done.
    """

    shop: str
    request_id: str
    kind: Kind
    status: Status
    subject: str | None
    customer_id: int | None
    email_digest: str | None
    order_ids: tuple[int, ...]
    names: Mapping[str, Any]
    found: Mapping[str, int]
    received_at: datetime
    due_at: datetime
    done_at: datetime | None
    receipt_id: str | None


def may_wait(received_at: datetime, now: datetime) -> bool:
    """Return whether a request has time yet to wait for a shop that can't be asked now. Pure."""
    return now < received_at + DUE_AFTER - _LEFT_TO_ANSWER


async def open_request(
    connections: Connections,
    shop: str,
    request_id: str,
    kind: Kind,
    received_at: datetime,
    *,
    customer_id: int | None = None,
    email_digest: str | None = None,
    order_ids: Sequence[int] = (),
    names: Mapping[str, Any] | None = None,
) -> PrivacyRequest:
    """Return the request as it stands: opened now, or long ago when it was sent before."""
    row = {
        "shop": shop, "request_id": request_id, "kind": kind.value, "status": Status.OPEN.value,
        "customer_id": customer_id, "email_digest": email_digest, "order_ids": list(order_ids),
        "received_at": received_at, "due_at": received_at + DUE_AFTER, "names": dict(names or {}),
        "found": {},
    }  # fmt: skip
    async with connections.write() as db:
        await insert_new(db, PrivacyRequestRow, [row])
    request = await read_request(connections, shop, request_id)
    assert request is not None
    return request


async def read_request(connections: Connections, shop: str, request_id: str) -> PrivacyRequest | None:
    """Return the request, None for one that was never opened."""
    found = await _select(connections, _REQUESTS.c.shop == shop, _REQUESTS.c.request_id == request_id)
    return found[0] if found else None


async def requests_of(connections: Connections, shop: str) -> list[PrivacyRequest]:
    """Return the shop's requests, those that are due first."""
    found = await _select(connections, _REQUESTS.c.shop == shop)
    return sorted(found, key=lambda each: (each.status is Status.DONE, each.due_at))


async def unfinished_erasures(connections: Connections) -> list[PrivacyRequest]:
    """Return every erasure that was asked for and is not done, of all shops."""
    erasures = _REQUESTS.c.kind.in_([Kind.CUSTOMER.value, Kind.SHOP.value])
    return await _select(connections, erasures, _REQUESTS.c.status != Status.DONE.value)


async def remember(
    connections: Connections,
    request: PrivacyRequest,
    *,
    subject: str | None = None,
    names: Mapping[str, Any] | None = None,
    found: Mapping[str, int],
) -> PrivacyRequest:
    """Return the request with what was found written down, before anything of it goes.

    What an earlier attempt found counts as well: by then some of it may have been gone.
    """
    most = {store: max(count, request.found.get(store, 0)) for store, count in found.items()}
    values = {
        "status": Status.RUNNING.value,
        "subject": subject or request.subject,
        "names": dict(names or request.names),
        "found": {**request.found, **most},
    }
    await connections.execute(_which(request, update(_REQUESTS)).values(values))
    again = await read_request(connections, request.shop, request.request_id)
    assert again is not None
    return again


def closed(done_at: datetime, receipt_id: str | None) -> dict[str, Any]:
    """Return what a request is when it is done: it names nobody any more. Pure."""
    return {**_NOBODY, "status": Status.DONE.value, "done_at": done_at, "receipt_id": receipt_id}


async def close(db: AsyncSession, request: PrivacyRequest, done_at: datetime, receipt_id: str | None) -> None:
    """Mark the request as done, in the caller's transaction."""
    statement = _which(request, update(_REQUESTS)).values(closed(done_at, receipt_id))
    await (await db.connection()).execute(statement)


def _which(request: PrivacyRequest, statement: Any) -> Any:
    return statement.where(_REQUESTS.c.shop == request.shop, _REQUESTS.c.request_id == request.request_id)


async def _select(connections: Connections, *where: ColumnElement[bool]) -> list[PrivacyRequest]:
    query = select(PrivacyRequestRow).where(*where).order_by(col(PrivacyRequestRow.received_at))
    async with connections.read() as db:
        return [_request(row) for row in (await db.exec(query)).all()]


def _request(row: PrivacyRequestRow) -> PrivacyRequest:
    fields = {name: getattr(row, name) for name in PrivacyRequest.__dataclass_fields__}
    return PrivacyRequest(
        **fields | {"kind": Kind(row.kind), "status": Status(row.status), "order_ids": tuple(row.order_ids)}
    )

"""A person's consent history, found by any of their names, and a shop's whole ledger as lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.entries import GPC, RECORDED, Entry
from app.consent.ledger import every_entry, histories
from app.consent.policy import PURPOSES
from app.spreadsheet import line
from app.tables import CustomerRow, OrderRow
from app.upsert import table_of

_CUSTOMERS, _ORDERS = table_of(CustomerRow), table_of(OrderRow)
_WORDS = (*PURPOSES, GPC, *RECORDED)
_FACTS = ("told_at", "subject_kind", "subject", "source", "region", "policy_version", "event_id")
COLUMNS = (*_FACTS, "permitted", *(f"told_{word}" for word in _WORDS), *(f"stands_{word}" for word in _WORDS))


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to look up, by one name or several."""

    customer_id: int | None = None
    email: str | None = None
    client_id: str | None = None
    checkout_token: str | None = None


async def consent_history(connections: Connections, shop: str, person: Person) -> list[Entry]:
    """Return every word of the person, the oldest first.

    A customer's checkouts are theirs too, as far as their orders name them.
    """
    digests = await open_digests(connections)
    async with connections.read() as db:
        customers = await _customers(db, shop, person, digests.of_email(shop, person.email or ""))
        checkouts = await _checkouts(db, shop, customers)
    subjects = {digests.of(shop, "customer", each) for each in customers}
    subjects |= {digests.of(shop, "checkout", each) for each in checkouts}
    if person.client_id:
        subjects.add(digests.of(shop, "client", person.client_id))
    if person.checkout_token:
        subjects.add(digests.of(shop, "checkout", person.checkout_token))
    found = await histories(connections, shop, subjects)
    return sorted((one for said in found.values() for one in said), key=lambda one: one.told_at)


async def ledger_lines(connections: Connections, shop: str, form: str) -> AsyncIterator[str]:
    """Yield the shop's whole ledger, a line a word. form: csv, with a heading, or json."""
    if form == "csv":
        yield line(COLUMNS)
    async for entry in every_entry(connections, shop):
        yield line(_csv_values(entry)) if form == "csv" else json_line(entry)


def json_line(entry: Entry) -> str:
    """Return the entry as one line of JSON. Pure."""
    names = (*_FACTS, "permitted", "told", "answers")
    return msgspec.json.encode({name: getattr(entry, name) for name in names}).decode()


def _csv_values(entry: Entry) -> list[Any]:
    facts = [getattr(entry, name) for name in _FACTS[1:]]
    words = [said.get(word) for said in (entry.told, entry.answers) for word in _WORDS]
    return [entry.told_at.isoformat(), *facts, " ".join(entry.permitted), *words]


async def _customers(db: AsyncSession, shop: str, person: Person, email_digest: str) -> set[int]:
    found = set() if person.customer_id is None else {person.customer_id}
    if person.email:
        theirs = (_CUSTOMERS.c.shop == shop, _CUSTOMERS.c.email_digest == email_digest)
        query = select(_CUSTOMERS.c.customer_id).where(*theirs)
        found.update(await (await db.connection()).scalars(query))
    return found


async def _checkouts(db: AsyncSession, shop: str, customer_ids: set[int]) -> set[str]:
    theirs = (_ORDERS.c.shop == shop, _ORDERS.c.customer_id.in_(customer_ids))
    query = select(_ORDERS.c.checkout_token).where(*theirs, _ORDERS.c.checkout_token.is_not(None))
    return set(await (await db.connection()).scalars(query))

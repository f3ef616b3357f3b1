"""Customers' standings, read for many at a time, and on what a shop's profiles rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.ledger import answers_of, customers_answers
from app.consent.policy import Answers
from app.consent.standing import UNKNOWN, Basis, Standing, Use, may
from app.shops.store import get_shop
from app.tables import CustomerRow, OrderRow
from app.ttl_cache import TtlCache
from app.upsert import chunks, table_of

SETTING = "profile_basis"
_CUSTOMERS, _ORDERS = table_of(CustomerRow), table_of(OrderRow)


async def standings_of(
    connections: Connections, shop: str, customer_ids: Collection[int]
) -> dict[int, Standing]:
    """Return the standing of each of the customers, in a few queries for all of them."""
    digests = await open_digests(connections)
    subjects = {each: digests.of(shop, "customer", each) for each in customer_ids}
    async with connections.read() as db:
        answers = await answers_of(db, shop, list(subjects.values()))
        records = await _records(db, shop, sorted(subjects))
    return {each: _standing(answers.get(subject), records.get(each)) for each, subject in subjects.items()}


async def who_refuse(connections: Connections, shop: str, use: Use) -> frozenset[int]:
    """Return which of the customers with orders may not be used so.

    use: one that needs a visitor's answers only, not what the customer's record says.
    """
    digests, basis = await open_digests(connections), await profile_basis(connections, shop)
    ordered = select(_ORDERS.c.customer_id).where(_ORDERS.c.shop == shop, _ORDERS.c.customer_id.is_not(None))
    async with connections.read() as db:
        told = await customers_answers(db, shop)
        customers = list(await (await db.connection()).scalars(ordered.distinct()))
    unheard = may(use, UNKNOWN, basis).allowed
    allowed = {who: may(use, Standing(answers), basis).allowed for who, answers in told.items()}
    return frozenset(
        each for each in customers if not allowed.get(digests.of(shop, "customer", each), unheard)
    )


async def _read_basis(connections: Connections, shop: str) -> Basis:
    installed = await get_shop(connections, shop)
    return basis_of(installed.settings.get(SETTING, Basis.PREPARED) if installed else Basis.PREPARED)


_bases = TtlCache(_read_basis)


async def profile_basis(connections: Connections, shop: str) -> Basis:
    """Return on what the shop's profiles rest, as it was at most fifteen seconds ago."""
    return await _bases.of(connections, shop)


def basis_of(setting: object) -> Basis:
    """Return the basis a setting names; the stricter one for what names none. Pure."""
    return Basis.PREPARED if setting == Basis.PREPARED else Basis.ON_CONSENT


def _standing(answers: Answers | None, record: Any) -> Standing:
    if record is None:
        return Standing(answers or Answers())
    return Standing(answers or Answers(), bool(record.data_sale_opt_out), record.email_marketing)


async def _records(db: AsyncSession, shop: str, customer_ids: Sequence[int]) -> dict[int, Any]:
    connection = await db.connection()
    records: dict[int, Any] = {}
    columns = (_CUSTOMERS.c.customer_id, _CUSTOMERS.c.data_sale_opt_out, _CUSTOMERS.c.email_marketing)
    for part in chunks(customer_ids):
        query = select(*columns).where(_CUSTOMERS.c.shop == shop, _CUSTOMERS.c.customer_id.in_(part))
        records |= {row.customer_id: row for row in await connection.execute(query)}
    return records

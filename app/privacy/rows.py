"""A person's rows: which they are in each table, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, false, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.columns import among, named_in_text, named_text
from app.connections import Connections
from app.consent.holdings import HOLDINGS, Effect, Medium, holding
from app.consent.requests import Kind
from app.coupon_tables import CouponRow, GrantUseRow
from app.events.erased import counted
from app.outbound_tables import CustomerAheadRow, MarkRow
from app.privacy.person import Person, whose_or_nobodys
from app.privacy_tables import ConsentRow, ErasedRow, PrivacyRequestRow, ReceiptRow
from app.reach.message_store import shown_as
from app.reach_tables import AbandonmentRow, SuppressionRow
from app.tables import (
    OF_CARTS,
    CustomerRow,
    DecisionRow,
    EventRow,
    FeedbackRow,
    OrderLineRow,
    OrderRow,
    RefundRow,
)
from app.upsert import chunks, table_of

_CUSTOMERS, _ORDERS = table_of(CustomerRow), table_of(OrderRow)
_LINES, _REFUNDS = table_of(OrderLineRow), table_of(RefundRow)
_COUPONS, _GRANT_USES = table_of(CouponRow), table_of(GrantUseRow)
_EVENTS, _DECISIONS, _FEEDBACK = table_of(EventRow), table_of(DecisionRow), table_of(FeedbackRow)
_CONSENTS, _ERASED = table_of(ConsentRow), table_of(ErasedRow)
_RECEIPTS, _REQUESTS = table_of(ReceiptRow), table_of(PrivacyRequestRow)
_ABANDONED, _SUPPRESSED = table_of(AbandonmentRow), table_of(SuppressionRow)
_INBOX = "inbox"  # its rows are read before they are anybody's: see app/privacy/inbox.py
_IN_SHOPIFY = frozenset({table_of(MarkRow), table_of(CustomerAheadRow)})
_NOBODY: dict[str, Any] = {"customer_id": None, "checkout_token": None}

Theirs = Callable[[Person, frozenset[str]], ColumnElement[bool]]


async def read_rows(
    connections: Connections, person: Person, subjects: frozenset[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the person's rows by table, in the order of its key. subjects: the digests of their names."""
    held: dict[str, list[dict[str, Any]]] = {}
    async with connections.read() as db:
        connection = await db.connection()
        for table, theirs in _THEIRS.items():
            query = select(table).where(_of_shop(table, person), theirs(person, subjects))
            rows = await connection.execute(query.order_by(*table.primary_key))
            held[table.name] = [dict(row._mapping) for row in rows]
    return held


async def codes_told(connections: Connections, person: Person, subjects: frozenset[str]) -> Sequence[str]:
    """Return the codes that a letter told the person. All of the shop's are read, as no index leads there."""
    told = (_COUPONS.c.shop == person.shop, _told_in_letters(_COUPONS)(person, subjects))
    return await connections.scalars(select(_COUPONS.c.code).where(*told))


async def erase_rows(
    connection: AsyncConnection,
    person: Person,
    subjects: frozenset[str],
    codes: Sequence[str],
    closed: Mapping[str, Any],
) -> None:
    """Delete the person's rows, or what leads from the merchant's own to them; all or nothing.

    codes: see `codes_told`. closed: what becomes of a request to show what is not there any more.
    """

    def theirs(table: Table) -> ColumnElement[bool]:
        return and_(table.c.shop == person.shop, _THEIRS[table](person, subjects))

    answers = select(_DECISIONS.c.decision_id, _DECISIONS.c.answer).where(theirs(_DECISIONS))
    decisions = [
        {"_id": row.decision_id, "answer": counted(row.answer)} for row in await connection.execute(answers)
    ]
    if decisions:
        emptied = {**_NOBODY, "region": None, "inputs": {}, "answer": bindparam("answer")}
        which = and_(_DECISIONS.c.shop == person.shop, _DECISIONS.c.decision_id == bindparam("_id"))
        await connection.execute(update(_DECISIONS).where(which).values(emptied), decisions)
    for table in _THEIRS:
        # What Shopify holds goes when it was taken back, never before: a row is how it is found.
        if holding(table.name).effect is Effect.DELETE and table not in _IN_SHOPIFY:
            await connection.execute(delete(table).where(theirs(table)))
    for part in chunks(codes):
        these = (_COUPONS.c.shop == person.shop, _COUPONS.c.code.in_(part))
        await connection.execute(update(_COUPONS).where(*these).values(decision_id=None))
    told = (_FEEDBACK.c.shop == person.shop, _told_in_letters(_FEEDBACK)(person, subjects))
    await connection.execute(delete(_FEEDBACK).where(*told))
    await connection.execute(update(_ORDERS).where(theirs(_ORDERS)).values(_NOBODY))
    heirs = and_(_CUSTOMERS.c.shop == person.shop, among(_CUSTOMERS.c.heir_id, person.customer_ids))
    await connection.execute(update(_CUSTOMERS).where(heirs).values(heir_id=None))
    await connection.execute(update(_REQUESTS).where(theirs(_REQUESTS)).values(dict(closed)))


def _of_shop(table: Table, person: Person) -> ColumnElement[bool]:
    return table.c.shop == person.shop if "shop" in table.c else ~false()


def _customers(person: Person, _: frozenset[str]) -> ColumnElement[bool]:
    by_address = false() if person.customer_ids else among(_CUSTOMERS.c.email_digest, person.email_digests)
    return or_(among(_CUSTOMERS.c.customer_id, person.customer_ids), by_address)


def _named(table: Table) -> Theirs:
    return lambda person, _: among(table.c.customer_id, person.customer_ids)


def _orders(person: Person, _: frozenset[str]) -> ColumnElement[bool]:
    """An order that names nobody any more is found no more."""
    columns = _ORDERS.c
    leads_on = or_(columns.customer_id.is_not(None), columns.checkout_token.is_not(None))
    which = or_(
        among(columns.customer_id, person.customer_ids),
        among(columns.order_id, person.order_ids),
        among(columns.checkout_token, person.checkout_tokens),
    )
    return and_(which, leads_on, whose_or_nobodys(columns, person))


def _of_orders(table: Table) -> Theirs:
    def theirs(person: Person, subjects: frozenset[str]) -> ColumnElement[bool]:
        orders = select(_ORDERS.c.order_id).where(_ORDERS.c.shop == person.shop, _orders(person, subjects))
        return table.c.order_id.in_(orders)

    return theirs


# Of what no index leads to, all of a shop would be read: each name is asked for by itself.
def _events(person: Person, _: frozenset[str]) -> ColumnElement[bool]:
    columns = _EVENTS.c
    nobodys, of_cart = columns.customer_id.is_(None), named_text(columns.data, "cart_token")
    return or_(
        among(columns.customer_id, person.customer_ids),
        and_(nobodys, among(columns.checkout_token, person.checkout_tokens)),
        and_(nobodys, among(columns.client_id, person.client_ids)),
        and_(nobodys, text(OF_CARTS), among(of_cart, person.cart_tokens)),
    )


def _decisions(person: Person, _: frozenset[str]) -> ColumnElement[bool]:
    """In the storefront, where there is no checkout yet, a decision knows its browser by another name."""
    columns = _DECISIONS.c
    nobodys, unit = columns.customer_id.is_(None), named_text(columns.inputs, "unit")
    return or_(
        among(columns.customer_id, person.customer_ids),
        and_(nobodys, among(columns.checkout_token, person.checkout_tokens)),
        and_(nobodys, columns.checkout_token.is_(None), among(unit, person.browsers)),
    )


def _abandoned(person: Person, _: frozenset[str]) -> ColumnElement[bool]:
    columns = _ABANDONED.c
    nobodys = columns.customer_id.is_(None)
    return or_(
        among(columns.customer_id, person.customer_ids),
        and_(nobodys, among(columns.checkout_token, person.checkout_tokens)),
        and_(nobodys, among(columns.client_id, person.client_ids)),
    )


def _of_decisions(table: Table) -> Theirs:
    def theirs(person: Person, subjects: frozenset[str]) -> ColumnElement[bool]:
        decisions = select(_DECISIONS.c.decision_id).where(
            _DECISIONS.c.shop == person.shop, _decisions(person, subjects)
        )
        return table.c.decision_id.in_(decisions)

    return theirs


def _told_in_letters(table: Table) -> Theirs:
    """What a letter told is found by the checkout's digest, by which the ledger keeps who was in it."""
    return lambda _, subjects: among(table.c.decision_id, set(map(shown_as, subjects)))


def _any_of(*ways: Theirs) -> Theirs:
    return lambda person, subjects: or_(*(theirs(person, subjects) for theirs in ways))


def _requests(person: Person, _: frozenset[str]) -> ColumnElement[bool]:
    """A request to erase goes its own way, and names nobody once it is done."""
    by_address = false() if person.customer_ids else among(_REQUESTS.c.email_digest, person.email_digests)
    named = or_(among(_REQUESTS.c.customer_id, person.customer_ids), by_address)
    return and_(_REQUESTS.c.kind == Kind.DATA.value, named)


def _receipts(_: Person, subjects: frozenset[str]) -> ColumnElement[bool]:
    return among(named_in_text(_RECEIPTS.c.document, "subject"), subjects)


_FOUND_BY: Mapping[Table, Theirs] = {
    _CUSTOMERS: _customers,
    _ORDERS: _orders,
    _LINES: _of_orders(_LINES),
    _REFUNDS: _of_orders(_REFUNDS),
    _COUPONS: _any_of(_of_decisions(_COUPONS), _of_orders(_COUPONS), _told_in_letters(_COUPONS)),
    _GRANT_USES: _of_orders(_GRANT_USES),
    _EVENTS: _events,
    _DECISIONS: _decisions,
    _FEEDBACK: _any_of(_of_decisions(_FEEDBACK), _told_in_letters(_FEEDBACK)),
    _ABANDONED: _abandoned,
    _SUPPRESSED: lambda person, _: among(_SUPPRESSED.c.email_digest, person.email_digests),
    _CONSENTS: lambda _, subjects: among(_CONSENTS.c.subject, subjects),
    _ERASED: lambda _, subjects: among(_ERASED.c.subject, subjects),
    _REQUESTS: _requests,
    _RECEIPTS: _receipts,
}


def _by_table() -> dict[Table, Theirs]:
    """Return how the rows of each table of the register are found: by the customer, unless said above."""
    names = [each.name for each in HOLDINGS if each.medium is Medium.TABLE and each.name != _INBOX]
    tables = [SQLModel.metadata.tables[name] for name in names]
    return {table: _FOUND_BY.get(table) or _named(table) for table in tables}


_THEIRS = _by_table()

"""All the names that one person is known under, from those a request gives.

A browser can be shared. What only it links, and nobody signed, is erased with either of its people
and shown to neither, unless it is asked for by the browser's own id; a checkout that is somebody
else's is never followed. Of a browser that only a cart names it is not known whose it is: it counts as
shared. A browser's word does not lead to a customer: nobody has proven it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.columns import among
from app.connections import Connections
from app.consent.digests import Digests
from app.events.kinds import CHECKOUT_MET
from app.experiments.assign import pseudonym
from app.tables import CustomerRow, DecisionRow, EventRow, OrderRow
from app.upsert import table_of

_ROUNDS = 5  # a checkout leads to a browser, that to another checkout; beyond this it is a crowd
_CUSTOMERS, _ORDERS = table_of(CustomerRow).c, table_of(OrderRow).c
_EVENTS, _DECISIONS = table_of(EventRow).c, table_of(DecisionRow).c
_CARTED = ("CheckoutUpdated", "CheckoutDeleted")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The names of a person in a shop. order_ids: of orders that are theirs, or nobody's.

    shared_clients: browsers among client_ids that others signed in on as well, or that only a cart names.
    """

    shop: str
    customer_ids: frozenset[int] = frozenset()
    email_digests: frozenset[str] = frozenset()
    order_ids: frozenset[int] = frozenset()
    checkout_tokens: frozenset[str] = frozenset()
    client_ids: frozenset[str] = frozenset()
    cart_tokens: frozenset[str] = frozenset()
    shared_clients: frozenset[str] = frozenset()

    def joined(self, other: Person) -> Person:
        """Return the person with the other's names as well."""
        names = {each: getattr(self, each) | getattr(other, each) for each in _NAMES}
        return Person(shop=self.shop, **names)

    def alone(self) -> Person:
        """Return the person without the browsers they share: what may be shown to them."""
        return msgspec.structs.replace(self, client_ids=self.client_ids - self.shared_clients)

    @property
    def browsers(self) -> frozenset[str]:
        """Return what decisions of the storefront call the person's browsers."""
        return frozenset(pseudonym(self.shop, f"client:{each}") for each in self.client_ids)

    def subjects(self, digests: Digests) -> dict[str, list[str]]:
        """Return the digests of the names, by kind."""
        kinds: dict[str, list[Any]] = {
            "customer": sorted(self.customer_ids),
            "client": sorted(self.client_ids),
            "checkout": sorted(self.checkout_tokens),
            "cart": sorted(self.cart_tokens),
            "browser": sorted(self.browsers),
        }
        return {kind: [digests.of(self.shop, kind, name) for name in names] for kind, names in kinds.items()}

    def subject(self, digests: Digests) -> str | None:
        """Return the digest by which a receipt names the person, None for somebody without a name."""
        of = self.subjects(digests)
        orders = [digests.of(self.shop, "order", each) for each in sorted(self.order_ids)]
        names = [*of["customer"], *sorted(self.email_digests), *orders, *of["checkout"], *of["client"]]
        return names[0] if names else None


_NAMES = tuple(each for each in Person.__struct_fields__ if each != "shop")


async def find_person(connections: Connections, named: Person) -> Person:
    """Return the person with every name that leads on from those given."""
    async with connections.read() as db:
        connection = await db.connection()
        known = await _customers(connection, named)
        for _ in range(_ROUNDS):
            more = await _one_step(connection, known, named.client_ids)
            if more == known:
                break
            known = more
    return known


async def _customers(connection: AsyncConnection, named: Person) -> Person:
    """Return the person with the customers meant and their addresses, and without others' orders."""
    found = await _with_merged(connection, named, await _meant(connection, named))
    digests = await _values(connection, _CUSTOMERS.email_digest, named, among(_CUSTOMERS.customer_id, found))
    known = msgspec.structs.replace(named, customer_ids=found, email_digests=named.email_digests | digests)
    of_others = among(_ORDERS.order_id, named.order_ids) & _others(_ORDERS, known)
    foreign = await _values(connection, _ORDERS.order_id, named, of_others)
    return msgspec.structs.replace(known, order_ids=named.order_ids - foreign)


async def _meant(connection: AsyncConnection, named: Person) -> frozenset[int]:
    """Return the customers named by number, else by address, else by their orders, else by checkouts."""
    if named.customer_ids:
        return named.customer_ids
    ways = (
        [(_CUSTOMERS.customer_id, _CUSTOMERS.email_digest, named.email_digests)],
        [(_ORDERS.customer_id, _ORDERS.order_id, named.order_ids)],
        [
            (columns.customer_id, columns.checkout_token, named.checkout_tokens)
            for columns in (_ORDERS, _DECISIONS)
        ],
    )
    for way in ways:
        found: frozenset[int] = frozenset()
        for customers, by, names in way:
            found |= await _values(connection, customers, named, among(by, names))
        if found:
            return found
    return frozenset()


async def _with_merged(
    connection: AsyncConnection, named: Person, customers: frozenset[int]
) -> frozenset[int]:
    """Return the customers with those who were merged into them: nobody else would ever ask for these."""
    for _ in range(_ROUNDS):
        merged = among(_CUSTOMERS.heir_id, customers) & _CUSTOMERS.deleted_at.is_not(None)
        more = customers | await _values(connection, _CUSTOMERS.customer_id, named, merged)
        if more == customers:
            break
        customers = more
    return customers


async def _one_step(connection: AsyncConnection, known: Person, asked: frozenset[str]) -> Person:
    """Return the person with the names one step on. asked: browsers that were named themselves."""
    ours = among(_ORDERS.customer_id, known.customer_ids)
    orders = await _values(connection, _ORDERS.order_id, known, ours)
    of_token = among(_ORDERS.checkout_token, known.checkout_tokens) & whose_or_nobodys(_ORDERS, known)
    orders |= await _values(connection, _ORDERS.order_id, known, of_token)
    known = msgspec.structs.replace(known, order_ids=known.order_ids | orders)
    tokens = await _tokens(connection, known)
    known = msgspec.structs.replace(known, checkout_tokens=known.checkout_tokens | tokens)
    seen = or_(
        among(_EVENTS.customer_id, known.customer_ids),
        among(_EVENTS.checkout_token, known.checkout_tokens) & whose_or_nobodys(_EVENTS, known),
    )
    clients = known.client_ids | await _values(connection, _EVENTS.client_id, known, seen)
    shared = await _shared(connection, known, clients) | await _cart_named(connection, known, clients, seen)
    carts = await _carts(connection, known)
    return msgspec.structs.replace(
        known, client_ids=clients, shared_clients=shared - asked, cart_tokens=known.cart_tokens | carts
    )


async def _tokens(connection: AsyncConnection, known: Person) -> frozenset[str]:
    """Return the checkouts of the person's orders, decisions and browsers, and of nobody else."""
    clients = known.client_ids - known.shared_clients
    found: frozenset[str] = frozenset()
    for columns, theirs in (
        (_ORDERS, among(_ORDERS.order_id, known.order_ids) & whose_or_nobodys(_ORDERS, known)),
        (_EVENTS, among(_EVENTS.customer_id, known.customer_ids)),
        (_EVENTS, among(_EVENTS.client_id, clients) & _EVENTS.customer_id.is_(None)),
        (_DECISIONS, among(_DECISIONS.customer_id, known.customer_ids)),
    ):
        found |= await _values(connection, columns.checkout_token, known, theirs)
    return found - await _of_others(connection, known, found)


async def _of_others(connection: AsyncConnection, known: Person, tokens: frozenset[str]) -> frozenset[str]:
    """Return which of the checkouts an order or a decision says to be somebody else's."""
    found: frozenset[str] = frozenset()
    for columns in (_ORDERS, _DECISIONS):
        taken = among(columns.checkout_token, tokens) & _others(columns, known)
        found |= await _values(connection, columns.checkout_token, known, taken)
    return found


async def _shared(connection: AsyncConnection, known: Person, clients: frozenset[str]) -> frozenset[str]:
    """Return which of the browsers others signed in on, or went to a checkout with that became theirs."""
    theirs = among(_EVENTS.client_id, clients)
    tokens = await _values(connection, _EVENTS.checkout_token, known, theirs)
    others = among(_EVENTS.checkout_token, await _of_others(connection, known, tokens))
    return await _values(connection, _EVENTS.client_id, known, theirs & (_others(_EVENTS, known) | others))


async def _cart_named(
    connection: AsyncConnection, known: Person, clients: frozenset[str], seen: ColumnElement[bool]
) -> frozenset[str]:
    """Return which of the browsers only a cart says to be theirs: a link may have brought it along.

    seen: what leads to browsers.
    """
    told = await _values(connection, _EVENTS.client_id, known, seen & (_EVENTS.name != CHECKOUT_MET))
    return clients - told


async def _carts(connection: AsyncConnection, known: Person) -> frozenset[str]:
    """Return the carts that the person's checkouts began as."""
    theirs = and_(
        _EVENTS.shop == known.shop,
        _EVENTS.name.in_(_CARTED),
        or_(
            among(_EVENTS.customer_id, known.customer_ids),
            among(_EVENTS.checkout_token, known.checkout_tokens) & whose_or_nobodys(_EVENTS, known),
        ),
    )
    rows = await connection.scalars(select(_EVENTS.data).where(theirs))
    return frozenset(data["cart_token"] for data in rows if data.get("cart_token"))


async def _values(
    connection: AsyncConnection, column: Any, person: Person, theirs: ColumnElement[bool]
) -> frozenset[Any]:
    table: Table = column.table
    query = select(column).where(table.c.shop == person.shop, column.is_not(None), theirs)
    return frozenset(await connection.scalars(query.distinct()))


def whose_or_nobodys(columns: Any, person: Person) -> ColumnElement[bool]:
    """Return whether a row names one of the person's customer numbers, or none."""
    return or_(columns.customer_id.is_(None), among(columns.customer_id, person.customer_ids))


def _others(columns: Any, person: Person) -> ColumnElement[bool]:
    return and_(columns.customer_id.is_not(None), ~among(columns.customer_id, person.customer_ids))

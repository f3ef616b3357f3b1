"""Finds and redacts a person's webhook deliveries in the inbox, pending or parked."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connections import Connections
from app.errors import InputError
from app.privacy.person import Person
from app.shops.sealed import opened
from app.tables import InboxRow
from app.upsert import table_of

_INBOX = table_of(InboxRow)
# They ask for something to be done, which has to be done first.
_REQUESTS = ("customers/data_request", "customers/redact", "shop/redact")
_SUMS = ("orders/", "refunds/")
# What of an order or refund is the merchant's and nobody's.
_KEPT = frozenset(
    "id order_id created_at processed_at updated_at cancelled_at test currency source_name "
    "subtotal_price total_discounts total_price total_tip_received financial_status line_items "
    "product_id variant_id quantity price original_price total_discount gift_card "
    "sales_line_item_group_id discount_allocations amount refund_line_items line_item_id line_item "
    "tip_payment_gateway tip_payment_method subtotal subtotal_set shop_money presentment_money "
    "total_tax_set total_duties_set refund_shipping_lines subtotal_amount_set order_adjustments "
    "amount_set transactions kind status properties".split()
)
_MARKS = ("_tillwise_decision", "_tillwise_offer")
# Looked for from where a word begins: from within one, a long word would be looked through again and again.
_MAIL = re.compile(r"(?<![^\s@<>\"',;:])[^\s@<>\"',;:]+@[^\s@<>\"',;:]+")
_GID = re.compile(r"gid://shopify/Customer/(\d{1,19})", re.ASCII)

OfEmail = Callable[[str], str]


async def read_deliveries(
    connections: Connections, person: Person, of_email: OfEmail
) -> list[dict[str, Any]]:
    """Return the person's deliveries, readable. of_email: the digest of an address."""
    async with connections.read() as db:
        rows = await _theirs(connections, await db.connection(), person, of_email)
    return [
        {
            "topic": row.topic,
            "received_at": row.received_at,
            "status": row.status,
            "body": _parsed(body) or body.decode(errors="replace"),
        }
        for row, body in rows
    ]


async def erase_deliveries(connections: Connections, person: Person, of_email: OfEmail) -> None:
    """Leave of an order or refund the merchant's sums, of any other delivery that it came."""
    async with connections.write() as db:
        connection = await db.connection()
        for row, body in await _theirs(connections, connection, person, of_email):
            data = _parsed(body) if row.topic.startswith(_SUMS) else None
            left: dict[str, Any] = (
                {"body": msgspec.json.encode(sums_only(data))}
                if data
                else {"body": b"", "status": "done", "error": "erased with whom it was about"}
            )
            await connection.execute(update(_INBOX).where(_INBOX.c.id == row.id).values(left))


def mentions(topic: str, body: bytes, person: Person, of_email: OfEmail) -> bool:
    """Return whether the body leads to the person. Pure."""
    data = _parsed(body)
    if data is None:
        return _quotes(body.decode(errors="replace"), person, of_email)
    own = _own_id(topic, data)
    if own is not None:
        return own in person.customer_ids
    if any(_is_theirs(key, value, person, of_email) for key, value in _leaves(data)):
        return True
    is_order = topic.startswith("orders/") and _number(data.get("id")) in person.order_ids
    return is_order and any(data.get(each) for each in ("customer", "checkout_token", "email_digest"))


def sums_only(data: Any) -> Any:
    """Return an order or refund with the merchant's sums and the marks of our offers, and no more. Pure."""
    if isinstance(data, dict):
        return {
            key: _marks(value) if key == "properties" else sums_only(value)
            for key, value in data.items()
            if key in _KEPT
        }
    return [sums_only(each) for each in data] if isinstance(data, list) else data


def _marks(properties: Any) -> Any:
    """Return a line's properties that name an offer of ours: the rest is the shopper's own words."""
    if isinstance(properties, dict):
        return {name: value for name, value in properties.items() if name in _MARKS}
    pairs = properties if isinstance(properties, list) else ()
    return [each for each in pairs if isinstance(each, dict) and each.get("name") in _MARKS]


async def _theirs(
    connections: Connections, connection: AsyncConnection, person: Person, of_email: OfEmail
) -> list[tuple[Any, bytes]]:
    waiting = and_(
        _INBOX.c.shop == person.shop,
        _INBOX.c.body != b"",  # waiting, put aside, or in the log and not handled yet
        _INBOX.c.topic.not_in(_REQUESTS),
    )
    rows = (await connection.execute(select(_INBOX).where(waiting).order_by(_INBOX.c.id))).all()
    read = [(row, _opened(connections, row.body)) for row in rows]
    return [(row, body) for row, body in read if mentions(row.topic, body, person, of_email)]


def _opened(connections: Connections, body: bytes) -> bytes:
    """Return a stored body; one that could not be read on arrival was sealed."""
    try:
        return opened(connections.settings.token_encryption_keys, body)
    except (InputError, binascii.Error):
        return b""  # nobody can read it any more


def _parsed(body: bytes) -> Any:
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _own_id(topic: str, data: dict[str, Any]) -> int | None:
    """Return the customer that a topic of customers tells of."""
    is_customers = topic.startswith("customers")
    return _number(data.get("customer_id") or data.get("id")) if is_customers else None


def _leaves(data: Any, key: str = "", parent: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value with its key; the id of a customer under `customer_id`."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _leaves(value, name, key)
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value, key, parent)
    else:
        yield ("customer_id" if key == "id" and parent == "customer" else key), data


def _is_theirs(key: str, value: Any, person: Person, of_email: OfEmail) -> bool:
    if key == "customer_id":
        return _number(value) in person.customer_ids
    if not isinstance(value, str):
        return False
    names = (person.checkout_tokens, person.client_ids, person.cart_tokens, person.email_digests)
    return any(value in each for each in names) or _quotes_address(value, person, of_email)


def _quotes(text: str, person: Person, of_email: OfEmail) -> bool:
    """Return whether a body that is no JSON names the person anywhere."""
    words = [*map(str, person.customer_ids), *person.checkout_tokens, *person.client_ids]
    # Most words are nowhere: a pattern of each of thousands would take a minute to make.
    met = (word for word in words if word in text)
    whole = any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in met)
    return whole or _quotes_address(text, person, of_email)


def _quotes_address(text: str, person: Person, of_email: OfEmail) -> bool:
    if "@" not in text or not person.email_digests:
        return False
    return any(of_email(address) in person.email_digests for address in _MAIL.findall(text))


def _number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        found = _GID.match(value)
        digits = found[1] if found else value
        return int(digits) if digits.isascii() and digits.isdigit() else None
    return None

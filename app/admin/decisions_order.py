"""Finds the decisions that came before an order, which a merchant names as Shopify does."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select

from app.admin.language import _
from app.admin.outage import shopify_words
from app.attribution.touch_store import browsers_of
from app.attribution.touches import WINDOW_DAYS
from app.columns import named_text
from app.connections import Connections
from app.errors import ShopifyError
from app.shops.documents import ORDERS_NAMED
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.tables import DecisionRow, OrderLineRow, OrderRow
from app.upsert import table_of
from app.values import shopify_id

WINDOW = timedelta(days=WINDOW_DAYS)
_MOST = 1_000  # decisions of one browser, say, the newest
_DECISIONS, _ORDERS, _LINES = table_of(DecisionRow), table_of(OrderRow), table_of(OrderLineRow)
_UNIT = named_text(_DECISIONS.c.inputs, "unit")
# The id in an order's page, whatever follows it there, is longer than any number that a shop counts up to.
_ID = re.compile(r"(?:.*?/orders?/)?(\d{10,18})(?:[/?#].*)?", re.IGNORECASE)
_MEANS_SOMETHING = re.compile(r'["\\]')  # in Shopify's search syntax, within quotes


async def before_order(connections: Connections, shop: Shop, name: str) -> tuple[set[str], str]:
    """Return the decisions before the order, by its number or its page in Shopify, or why none is known.

    Those of its checkout, of whatever time; those that its lines were added from; and those that its customer
    or browser had in the days that offers are credited for, as far as who that was may be kept.
    """
    try:
        orders = await _orders(connections, shop, name)
    except ShopifyError as error:
        return set(), shopify_words(error, shop.shop)
    if not orders:
        every = "read_all_orders" in shop.scopes
        return set(), _("No order has this number.") if every else _(
            "No order of the last 60 days has this number."
        )
    return await _decisions_before(connections, shop.shop, orders), ""


async def _orders(connections: Connections, shop: Shop, name: str) -> list[int]:
    """Return the ids of the orders that are meant: a name may be given twice. Raises ShopifyError."""
    if found := _ID.fullmatch(name):
        return [int(found[1])]
    if not (words := _MEANS_SOMETHING.sub("", name).removeprefix("#").strip()):
        return []
    answer = await ask_shop(connections, shop.shop, ORDERS_NAMED, {"query": f'name:"{words}"'})
    return [shopify_id(each["id"]) for each in answer["orders"]["nodes"]]


async def _decisions_before(connections: Connections, shop: str, order_ids: Collection[int]) -> set[str]:
    placed = select(_ORDERS.c.customer_id, _ORDERS.c.checkout_token, _ORDERS.c.created_at)
    orders = await connections.rows(placed.where(_ORDERS.c.shop == shop, _ORDERS.c.order_id.in_(order_ids)))
    async with connections.read() as db:
        browsers = await browsers_of(db, shop, {each.checkout_token for each in orders})
    found = {name for (name,) in await connections.rows(_linked(shop, order_ids))}
    for order in orders:
        for query in _of_order(shop, order, browsers.get(order.checkout_token)):
            found |= {name for (name,) in await connections.rows(query)}
    return found


def _linked(shop: str, order_ids: Collection[int]) -> Select[Any]:
    columns = _LINES.c
    theirs = columns.shop == shop, columns.order_id.in_(order_ids)
    return select(columns.decision_id).where(*theirs, columns.decision_id.is_not(None))


def _of_order(shop: str, order: Any, browser: str | None) -> Iterator[Select[Any]]:
    """Yield the queries of an order's decisions, one for each name of whose it is. browser: its pseudonym."""
    columns = _DECISIONS.c
    # Not by the bare column: SQLite would look for them by their time.
    at = func.coalesce(columns.decided_at, columns.decided_at)
    theirs = select(columns.decision_id).where(columns.shop == shop).order_by(at.desc()).limit(_MOST)
    within = at.between(order.created_at - WINDOW, order.created_at)
    if order.checkout_token:
        yield theirs.where(columns.checkout_token == order.checkout_token)
    if order.customer_id:
        yield theirs.where(columns.customer_id == order.customer_id, within)
    if browser:
        yield theirs.where(_UNIT.in_([browser]), within)

"""Customers' opt-outs of data sale, compared with Shopify once a day: no webhook tells of them.

A changed one need not count as a change of the customer either, so the hourly look for changes can
miss it. One bulk operation reads the flag of every customer, which costs a large shop no queries;
only those that differ from what is known are written. Shopify's RFM group of each is read with it.
Which customers and orders are not there any more is noted on the way.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import select

from app.connections import Connections
from app.consent.barred import look_and_write
from app.errors import InputError, ShopifyError, ShopifyUnavailable
from app.events.erased import only_kept
from app.events.kinds import CustomerChanged
from app.jobs import exclusive_job, request_job
from app.orders.customers import record_customers
from app.outbound.rfm_groups import record_rfm_groups
from app.shops.store import Shop, installed_shop
from app.shops.turns import shops_by_turns
from app.tables import CustomerRow
from app.upsert import table_of
from app.values import ShopDomain, gid, shopify_id
from webhooks import reconcile
from webhooks.bulk import read_in_bulk
from webhooks.deleted_records import (
    CUSTOMERS,
    ORDERS,
    READ_BACK,
    log_deleted_records,
    orders_of_deleted_customers,
)
from webhooks.documents import BULK_OPT_OUTS, BULK_ORDER_IDS
from webhooks.payload import Payload
from webhooks.read_admin import read_customer

_A_DAY_S = 24 * 3_600
_CUSTOMERS = table_of(CustomerRow)
_log = logging.getLogger(__name__)


async def request_opt_outs(connections: Connections) -> None:
    """Ask for the comparison of each shop once a day: of all at once, it would hold up all other work."""
    for shop in await shops_by_turns(connections, "opt-outs", _A_DAY_S):
        await request_job(connections, "opt_outs", shop.shop)


async def compare_opt_outs(connections: Connections, shop: ShopDomain) -> int:
    """Return how many customers' opt-outs were others than we knew; they are known now.

    What Shopify refuses is logged and asked again tomorrow. Raises ShopifyUnavailable when it is
    worth trying again soon.
    """
    async with exclusive_job(connections, "opt_outs", shop):
        known = await installed_shop(connections, shop)
        if known is None:
            return 0
        now = datetime.now(UTC)
        try:
            changed = await _compare(connections, known, now)
            await _compare_orders(connections, known, now)
            for number in await orders_of_deleted_customers(connections, known, now):
                await reconcile.append_current(connections, known, reconcile.ORDERS, gid("Order", number))
            return changed
        except ShopifyUnavailable:
            raise
        except ShopifyError as error:
            _log.warning("opt-outs not compared", extra={"shop": shop, "reason": str(error)})
            return 0


async def _compare(connections: Connections, shop: Shop, began: datetime) -> int:
    changed, there = 0, array("q")
    async for batch in read_in_bulk(connections, shop.shop, BULK_OPT_OUTS):
        changed += await _record(connections, shop.shop, batch)
        there.extend(_numbers(batch))
    await log_deleted_records(connections, shop, CUSTOMERS, np.array(there, dtype=np.int64), began)
    return changed


async def _compare_orders(connections: Connections, shop: Shop, began: datetime) -> None:
    there = array("q")
    query = BULK_ORDER_IDS % f"{began - READ_BACK:%Y-%m-%dT%H:%M:%SZ}"
    async for batch in read_in_bulk(connections, shop.shop, query):
        there.extend(_numbers(batch))
    await log_deleted_records(connections, shop, ORDERS, np.array(there, dtype=np.int64), began)


def _numbers(batch: Sequence[dict[str, Any]]) -> list[int]:
    return [shopify_id(node.get("id")) for node in batch]


async def _record(connections: Connections, shop: ShopDomain, batch: Sequence[dict[str, Any]]) -> int:
    """Return how many of the batch differed; nothing is written of the others."""
    read = [(event, node) for node in batch if (event := _read(shop, node))]
    current = {event.customer_id: event for event, _ in read}
    known = await _known(connections, shop, sorted(current))
    differing = [
        event for customer_id, event in current.items()
        if bool(event.data_sale_opt_out) != bool(known.get(customer_id))
    ]  # fmt: skip
    kept = await _write(connections, shop, differing) if differing else 0
    groups = {event.customer_id: _rfm_group(node) for event, node in read}
    await record_rfm_groups(connections, shop, groups)
    return kept


async def _write(connections: Connections, shop: str, differing: Sequence[CustomerChanged]) -> int:
    """Return how many were written: nothing of who was erased meanwhile."""
    async with look_and_write(connections, shop, "opt_outs"):
        kept = await only_kept(connections, differing)
        if kept:
            await record_customers(connections, kept)
    return len(kept)


def _read(shop: ShopDomain, node: dict[str, Any]) -> CustomerChanged | None:
    """Return the customer as read now, under an id of this reading: the record itself may be unchanged."""
    try:
        customer = read_customer(shop, Payload(node), currency="")
    except InputError as error:
        _log.warning("an opt-out can't be read", extra={"shop": shop, "reason": str(error)})
        return None
    now = datetime.now(UTC)
    event_id = f"opt-out:{customer.customer_id}:{now.isoformat()}"
    return CustomerChanged(
        shop=shop, event_id=event_id, happened_at=now, customer_id=customer.customer_id,
        orders_count=None, email_marketing=None, sms_marketing=None, created_at=None,
        data_sale_opt_out=customer.data_sale_opt_out, updated_at=customer.updated_at,
    )  # fmt: skip


def _rfm_group(node: dict[str, Any]) -> str | None:
    group = (node.get("statistics") or {}).get("rfmGroup")
    return group if isinstance(group, str) else None


async def _known(connections: Connections, shop: str, customer_ids: Sequence[int]) -> dict[int, bool | None]:
    columns = (_CUSTOMERS.c.customer_id, _CUSTOMERS.c.data_sale_opt_out)
    query = select(*columns).where(_CUSTOMERS.c.shop == shop, _CUSTOMERS.c.customer_id.in_(customer_ids))
    return {row.customer_id: row.data_sale_opt_out for row in await connections.rows(query)}

"""The app as it takes letters in: stored, worked off, reconciled, and what it knows in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select
from starlette.applications import Starlette

from app.catalog.cost_store import read_costs
from app.connections import Connections
from app.errors import TillwiseError
from app.events.consume import work_off
from app.events.log import DEAD, EventConsumer
from app.main import answer_error
from app.profiles.store import kept_profile
from app.shops.store import Shop, install
from app.shops.tokens import exchange_id_token
from app.tables import CustomerRow, OrderLineRow, OrderRow, ProductRow, RefundRow, VariantRow
from app.upsert import table_of
from app.values import ShopDomain
from app.worker import HANDLERS
from tests.convergence.history import Telling
from tests.convergence.world import World, emptied
from tests.devstore.small_shop import SECRET
from tests.webhooks.shopfront import KEY, SCOPES
from webhooks import receive
from webhooks.inbox import parked
from webhooks.reconcile import reconcile_shop
from webhooks.work import process_due

_STATE = (ProductRow, VariantRow, CustomerRow, OrderRow, OrderLineRow, RefundRow)
# When an answer was heard of, and what only one of Shopify's two ways of telling says.
_LEFT_OUT = {
    "email_marketing_at", "sms_marketing_at", "email_digest", "orders_count", "spent_minor", "last_order_at",
}  # fmt: skip

Row = Mapping[Any, Any]
Snapshot = Mapping[str, list[Row]]


@dataclass(frozen=True)
class Taking:
    """The app with one shop, and the way in for its letters."""

    connections: Connections
    shop: Shop
    http: httpx.AsyncClient

    async def deliver(self, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status of the app's answer."""
        return (await self.http.post("/webhooks", content=body, headers=dict(headers))).status_code

    async def work(self) -> None:
        """Work off what is due, webhooks first, then what they tell."""
        while await process_due(self.connections, datetime.now(UTC)):
            pass
        consumer = EventConsumer(self.connections.redis, "test")
        await consumer.open()
        while deliveries := await consumer.read(block_ms=1):
            await work_off(self.connections, consumer, HANDLERS, deliveries)

    async def reconcile(self) -> None:
        """Look for what was missed, and work it off."""
        await reconcile_shop(self.connections, self.shop, datetime.now(UTC) + timedelta(hours=1))
        await self.work()

    async def put_aside(self) -> int:
        """Return how many deliveries and events were put aside as beyond handling."""
        return len(await parked(self.connections)) + int(await self.connections.redis.xlen(DEAD))

    async def snapshot(self) -> Snapshot:
        """Return what is known of the shop, and what follows from it about its customers."""
        known = {}
        async with self.connections.read() as db:
            connection = await db.connection()
            for row in _STATE:
                table = table_of(row)
                found = (await connection.execute(select(table).order_by(*table.primary_key))).mappings()
                known[table.name] = [_compared(each) for each in found]
            costs = (await read_costs(connection, self.shop.shop)).by_variant
        left = _without_the_gone(known)
        profiles = await self._profiles(left["customers"])
        return left | {"profiles": profiles, "costs": [dict(sorted(costs.items()))]}

    async def _profiles(self, customers: Iterable[Row]) -> list[Row]:
        kept = [
            (c, await kept_profile(self.connections, self.shop.shop, c["customer_id"])) for c in customers
        ]
        return [{"customer": c["customer_id"], "profile": profile} for c, profile in kept]


def _compared(row: Any) -> Row:
    values = {name: value for name, value in row.items() if name not in _LEFT_OUT}
    if "email_marketing" in values:  # only the API says it of who never answered
        values["email_marketing"] = values["email_marketing"] or "not_subscribed"
        values["data_sale_opt_out"] = bool(values["data_sale_opt_out"])
    if values.get("cancelled_at"):  # the dev store voids what it cancels, as if it had not been paid
        values["paid"] = False
    if "discount_codes" in values:  # only a webhook says what a code took off
        values["discount_codes"] = [used.get("code", used) for used in values["discount_codes"]]
    return values


def _without_the_gone(known: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """Return what is known without deleted records: whoever asks later is not told that they were."""
    products = [row for row in known["products"] if not row["deleted_at"]]
    customers = [row for row in known["customers"] if not row["deleted_at"]]
    sold = {row["product_id"] for row in products}
    living = {row["customer_id"] for row in customers}
    lines = [
        row if row["product_id"] in sold else row | {"product_id": None, "variant_id": None}
        for row in known["order_lines"]
    ]
    orders = [row if row["customer_id"] in living else row | {"customer_id": None} for row in known["orders"]]
    return dict(known) | {
        "products": products, "customers": customers, "order_lines": lines, "orders": orders
    }  # fmt: skip


@asynccontextmanager
async def taking(world: World, told: Telling, name: str) -> AsyncIterator[Taking]:
    """Yield the app, which knows of nothing, installed in the shop and ready to be told."""
    scopes = frozenset(SCOPES.split(","))
    settings = replace(world.settings, api_key=KEY, api_secret=SECRET, scopes=scopes)
    web = Starlette(routes=receive.routes, exception_handlers={TillwiseError: answer_error})
    transport = httpx.ASGITransport(web)
    async with emptied(replace(world, settings=settings), name) as opened:
        web.state.connections = connections = replace(opened, http=told.to_shopify)
        shop = await _installed(connections, told)
        async with (
            receive.opened(web),
            httpx.AsyncClient(transport=transport, base_url="http://app.test") as http,
        ):
            yield Taking(connections, shop, http)


async def _installed(connections: Connections, told: Telling) -> Shop:
    token = (await told.http.post("/control/id-token")).json()["token"]
    domain = ShopDomain(told.shop.domain)
    return await install(connections, domain, await exchange_id_token(connections, domain, token))

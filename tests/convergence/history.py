"""What may happen in a shop, one thing after another, and what Shopify tells the app of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from hypothesis import strategies as st

from app.shopify import ShopTransport
from devstore import order_payloads
from devstore.app_config import from_dict
from devstore.checkout import Refused, apply_code, complete, start
from devstore.events import Unknown, announce_order, fire
from devstore.main import create_app, create_store
from devstore.payloads import inventory_level
from devstore.records import Customer, Order, Product, Variant
from devstore.shop import Shop, refund, refunded_quantity
from devstore.store import Store
from tests.devstore.small_shop import DOMAIN, SECRET, small_shop
from tests.webhooks.shopfront import KEY, ORIGIN, SCOPES

TOPICS = (
    "orders/create", "orders/updated", "orders/paid", "orders/cancelled", "refunds/create",
    "products/create", "products/update", "products/delete", "inventory_levels/update",
    "inventory_items/update",
    "customers/create", "customers/update", "customers/delete",
    "customers_email_marketing_consent/update",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """Something that happens. which: picks the record it happens to; waits_s: how long after the last."""

    name: str
    which: int
    waits_s: int


@dataclass(frozen=True)
class Letter:
    """A webhook as the dev store sent it. Two are equal when they are the same delivery."""

    topic: str
    headers: Mapping[str, str] = field(compare=False)
    body: bytes = field(compare=False)
    id: str


@dataclass
class Telling:
    """A dev store's shop whose clock is ours, and every letter it has sent. http: its HTTP side."""

    shop: Shop
    now: datetime
    letters: list[Letter] = field(default_factory=list)
    store: Store = field(init=False)
    http: httpx.AsyncClient = field(init=False)
    to_shopify: httpx.AsyncClient = field(init=False)

    def take(self, request: httpx.Request) -> httpx.Response:
        """Keep a letter instead of delivering it."""
        names = ("x-shopify-topic", "x-shopify-webhook-id")
        topic, number = (request.headers[name] for name in names)
        self.letters.append(Letter(topic, dict(request.headers), request.content, number))
        return httpx.Response(200)

    async def live(self, steps: Sequence[Step]) -> list[Letter]:
        """Return the letters that the steps set off, in the order in which Shopify wrote them."""
        for step in steps:
            self.now += timedelta(seconds=step.waits_s)
            # It can't always happen: the product may be sold out, the customer gone.
            with suppress(Unknown, Refused, IndexError, ZeroDivisionError):
                await _HAPPENS[step.name](self, step.which)
            await self.store.settle()
        return self.letters


async def _order(told: Telling, which: int) -> None:
    shop = told.shop
    buyer = [None, *sorted(shop.customers)][which % (len(shop.customers) + 1)]
    variant = sorted(shop.variants)[which % len(shop.variants)]
    checkout = start(shop, f"c-{shop.next_id()}", told.now, [(variant, 1 + which % 2, ())], buyer)
    if which % 3 == 0:
        apply_code(shop, checkout, "TENTH", told.now)
    await announce_order(told.store, shop, complete(shop, checkout, told.now))


async def _note(told: Telling, which: int) -> None:
    order = _picked(told.shop.orders, which)
    await fire(told.store, told.shop, "orders/updated", order.id)


async def _cancel(told: Telling, which: int) -> None:
    order = _picked(told.shop.orders, which)
    await fire(told.store, told.shop, "orders/cancelled", order.id)
    await fire(told.store, told.shop, "orders/updated", order.id)


async def _refund_one(told: Telling, which: int) -> None:
    """Give back one unit. The order is told of as well, as Shopify does."""
    order: Order = _picked(told.shop.orders, which)
    left = [line.id for line in order.lines if line.quantity > refunded_quantity(order, line.id)]
    refund(told.shop, order, {left[which % len(left)]: 1}, told.now)
    payload = order_payloads.refund(told.shop, order, order.refunds[-1])
    await told.store.announce(told.shop, "refunds/create", payload)
    await fire(told.store, told.shop, "orders/updated", order.id)


async def _retitle(told: Telling, which: int) -> None:
    product: Product = _picked(told.shop.products, which)
    product.title = f"{product.title}, again"
    product.variants[0].price_minor += 10
    await fire(told.store, told.shop, "products/update", product.id)


async def _launch(told: Telling, which: int) -> None:
    number = told.shop.next_id()
    product = Product(number, "New", f"new-{number}", "Corner's own", "New", ["new"], told.now, told.now)
    product.variants.append(Variant(number + 1_000, number, "Default Title", 500 + which, 5, number + 2_000))
    told.shop.add_product(product)
    await fire(told.store, told.shop, "products/create", number)


async def _withdraw(told: Telling, which: int) -> None:
    await fire(told.store, told.shop, "products/delete", _picked(told.shop.products, which).id)


async def _restock(told: Telling, which: int) -> None:
    variant: Variant = _picked(told.shop.variants, which)
    variant.inventory = which
    told.shop.product_of(variant.id).updated_at = told.now  # Shopify counts it as a change of the product
    level = inventory_level(variant, told.now)
    await told.store.announce(told.shop, "inventory_levels/update", level)


async def _reprice(told: Telling, which: int) -> None:
    variant: Variant = _picked(told.shop.variants, which)
    variant.cost_minor, variant.cost_at = None if which % 4 == 0 else 100 + which, told.now
    await fire(told.store, told.shop, "inventory_items/update", variant.id)


async def _join(told: Telling, which: int) -> None:
    number = told.shop.next_id()
    told.shop.add_customer(
        Customer(number, "Bo", "Ek", f"bo{number}@example.com", told.now, told.now, "not_subscribed", None)
    )
    await fire(told.store, told.shop, "customers/create", number)


async def _subscribe(told: Telling, which: int) -> None:
    """Turn the newsletter on or off. The customer is told of as well, as Shopify does."""
    customer = _picked(told.shop.customers, which)
    await fire(told.store, told.shop, "customers_email_marketing_consent/update", customer.id)
    await fire(told.store, told.shop, "customers/update", customer.id)


async def _leave(told: Telling, which: int) -> None:
    await fire(told.store, told.shop, "customers/delete", _picked(told.shop.customers, which).id)


def _picked(records: Mapping[int, Any], which: int) -> Any:
    return records[sorted(records)[which % len(records)]]


_HAPPENS: Mapping[str, Callable[[Telling, int], Awaitable[None]]] = {
    "order": _order,
    "note": _note,
    "cancel": _cancel,
    "refund": _refund_one,
    "retitle": _retitle,
    "launch": _launch,
    "withdraw": _withdraw,
    "restock": _restock,
    "reprice": _reprice,
    "join": _join,
    "subscribe": _subscribe,
    "leave": _leave,
}


@asynccontextmanager
async def telling() -> AsyncIterator[Telling]:
    """Yield a small shop in a dev store that keeps its letters; its history begins a few minutes ago."""
    told = Telling(small_shop(), datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5))
    toml = {
        "access_scopes": {"scopes": SCOPES},
        "application_url": ORIGIN,
        "webhooks": {"api_version": "2026-07", "subscriptions": [{"topics": [*TOPICS], "uri": "/webhooks"}]},
    }
    told.store = create_store(
        from_dict(toml, "http://app.test", KEY, SECRET),
        [told.shop],
        base_url=ORIGIN,
        clock=lambda: told.now,
        client=httpx.AsyncClient(transport=httpx.MockTransport(told.take)),
    )
    served = create_app(told.store)
    transport = httpx.ASGITransport(served)
    async with (
        served.router.lifespan_context(served),
        httpx.AsyncClient(transport=transport, base_url=f"http://{DOMAIN}") as told.http,
        httpx.AsyncClient(transport=ShopTransport(transport, ORIGIN)) as told.to_shopify,
    ):
        await told.http.post("/control/install")
        yield told


# Shopify's times are whole seconds; two changes within one can't be told apart (docs/operations.md).
steps = st.lists(
    st.builds(Step, st.sampled_from(sorted(_HAPPENS)), st.integers(0, 9), st.integers(1, 3)),
    min_size=1,
    max_size=10,
)

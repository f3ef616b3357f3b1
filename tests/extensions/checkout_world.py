"""The built checkout extension in a dev store's pages, before an app that answers as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import FrameLocator, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstore.checkout import complete, start
from devstore.main import create_app
from devstore.pages import Builds, routes
from devstore.records import Checkout, Metafield, gid
from devstore.shop import Shop
from tests.devstore.browser_world import CORS, serving
from tests.devstore.small_shop import DOMAIN, GOODS, NOW, small_shop, small_store
from tests.journeys.small_stage import bundles_for

LONG_S = 4.0  # longer than the extension waits
BLOCK = "purchase.checkout.block.render"
LINES = "purchase.checkout.cart-line-list.render-after"
THANK_YOU = "purchase.thank-you.block.render"
ORDER_STATUS = "customer-account.order-status.block.render"
TARGETS = (BLOCK, LINES, THANK_YOU, ORDER_STATUS)
PLACE = '[data-extension-target="{target}"]'


@dataclass(slots=True)
class App:
    """The app's side. body: what it answers, as JSON unless it is text; it keeps what it was asked.

    later: what it answers who asks for a message alone.
    """

    body: Any = None
    later: Any = None
    status: int = 200
    delay_s: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=CORS)
        self.tokens.append(request.headers["authorization"])
        question = json.loads(await request.body())
        self.asked.append(question)
        body = self.later if question.get("wants") == "message" else self.body
        text = body if isinstance(body, str) else json.dumps(body)
        status = self.status
        await asyncio.sleep(self.delay_s)
        return PlainTextResponse(text, status, headers=CORS, media_type="application/json")


@dataclass(frozen=True, slots=True)
class CheckoutWorld:
    """A shop, its dev store's address, and the app."""

    shop: Shop
    app: App
    url: str

    def reset(self) -> None:
        """Forget what an earlier test made of it."""
        assert self.shop.installation is not None
        self.shop.installation.metafields.clear()
        self.shop.checkouts.clear()
        for number, (*_, stock) in enumerate(GOODS, 1):
            self.shop.variants[100 + number].inventory = stock
        self.app.body, self.app.later, self.app.status, self.app.delay_s = None, None, 200, 0.0
        self.app.asked.clear()
        self.app.tokens.clear()

    def checkout(self, token: str = "ck", variants: tuple[int, ...] = (101,)) -> Checkout:
        """Return a new checkout of one of each variant."""
        return start(self.shop, token, NOW, [(variant, 1, ()) for variant in variants])

    def put_ahead(self, owner: str, key: str, value: Mapping[str, Any]) -> None:
        """Write a metafield of the app, as it does itself."""
        installed = self.shop.installation
        assert installed is not None
        made = Metafield(1, owner, "$app", key, "json", json.dumps(value), NOW, NOW)
        installed.metafields[owner, "$app", key] = made

    def open(self, page: Page, target: str = BLOCK, token: str = "ck", **query: str) -> FrameLocator:
        """Return the extension's frame at the target, the page opened there."""
        if target not in (BLOCK, LINES) and self.shop.checkouts[token].order_id is None:
            complete(self.shop, self.shop.checkouts[token], NOW)
        asked = {"consent": "all", "blocks": "lines" if target == LINES else "block"} | query
        path = {THANK_YOU: "/thank-you", ORDER_STATUS: "/order-status"}.get(target, "")
        words = "&".join(f"{name}={value}" for name, value in asked.items())
        page.goto(f"{self.url}/checkout/{token}{path}?{words}")
        return page.frame_locator(f"{PLACE.format(target=target)} iframe")


@contextmanager
def checkout_world(home: Path, app_url: str | None = None) -> Iterator[CheckoutWorld]:
    """Yield the world. app_url: another app than the scripted one, such as one that nobody answers at."""
    app, shop = App(), small_shop()
    answers = [Route("/{path:path}", app.answer, methods=["POST", "OPTIONS"])]
    with ExitStack() as stack:
        scripted = stack.enter_context(serving(lambda _: Starlette(routes=answers)))
        builds = Builds(bundles_for(app_url or scripted, home / "extensions"))

        def dev_store(url: str) -> Starlette:
            store = small_store(shop, base_url=url, app_url=scripted)
            store.install(shop)
            return create_app(store, routes(builds), builds=builds)

        yield CheckoutWorld(shop, app, stack.enter_context(serving(dev_store)))


def answer(*offers: dict[str, Any], decision_id: str = "d1") -> dict[str, Any]:
    """Return an answer of the app's with these offers."""
    return {
        "decision_id": decision_id, "rung": "session", "arm": "personalised", "segment": None,
        "intent": None, "offers": list(offers), "fallback": None, "ttl_s": 60,
    }  # fmt: skip


def product_offer(world: CheckoutWorld, variant_id: int, **changed: Any) -> dict[str, Any]:
    """Return an offer of one of the shop's products, bought together with what is in the cart."""
    product = world.shop.product_of(variant_id)
    told = {
        "product_id": gid("Product", product.id),
        "variant_id": gid("ProductVariant", variant_id),
        "title": product.title,
        "price": f"{world.shop.variants[variant_id].price_minor / 100:.2f}",
        "currency": "USD",
        "image": f"{world.url}/images/{product.id}.svg",
    }
    why = [{"reason": "bought_together", "with": gid("Product", 1), "weight": 0.6}]
    offer = {"offer_id": f"o{variant_id}", "kind": "upsell", "slot": "main", "product": told, "why": why}
    return offer | changed


def coupon_offer(code: str | None = "TENTH", **discount: Any) -> dict[str, Any]:
    told = {"code": code, "percentage": 10, "applies_to": "order", "expires_at": None} | discount
    return {"offer_id": "c1", "kind": "coupon", "slot": "top", "product": None, "discount": told, "why": []}


def message_offer(kind: str = "banner", **changed: Any) -> dict[str, Any]:
    return {"offer_id": "m1", "kind": kind, "slot": "top", "product": None, "why": []} | changed


def progress_offer(current: str, target: str) -> dict[str, Any]:
    told = {"current": current, "target": target, "currency": "USD"}
    message = {"key": "progress.free_shipping", "args": {}}
    return message_offer("progress", progress=told, message=message, offer_id="p1")


def offers_ahead(world: CheckoutWorld, *variant_ids: int, arm: str = "personalised") -> None:
    """Write the shop's offers ahead: these, to everybody."""
    offers = []
    for variant_id in variant_ids:
        told = product_offer(world, variant_id)["product"]
        number = world.shop.variants[variant_id].product_id
        image = f"{world.url}/images/{number}.svg"
        offers.append(
            {
                "p": number,
                "v": variant_id,
                "t": told["title"],
                "c": told["price"],
                "i": image,
                "w": [["popular"]],
            }
        )
    value = {"v": 1, "currency": "USD", "salt": DOMAIN, "arms": [[arm, 1.0]], "offers": offers}
    world.put_ahead(gid("Shop", world.shop.id), "offers", value)

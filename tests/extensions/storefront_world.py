"""A storefront with the theme extension in its pages, before an app that answers as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstore.main import create_app
from devstore.pages import Builds, routes
from devstore.pages.builds import PIXEL, THEME
from devstore.records import Pixel, gid
from devstore.shop import Shop
from devstore.tokens import proxy_query
from tests.devstore.browser_world import CORS, ROOT, serving
from tests.devstore.small_shop import GOODS, SECRET, small_shop, small_store
from tests.extensions.checkout_world import answer
from tests.journeys.small_stage import bundles_for

SHELF = "[data-tillwise-shelf]"
DIALOG = "[data-tillwise-leaving]"
LONG_S = 4.0  # longer than the storefront waits
# Notes what of the page moves by itself.
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) {
    if (each.hadRecentInput) continue;
    window.shifts.push([each.value, ...each.sources.map(({node}) => node?.parentElement?.outerHTML)]);
  }
}).observe({type: 'layout-shift', buffered: true});
"""

# Whether what takes the button's place can be pressed: not by the second half of a double click, but then.
DONE_AT_FIRST = """() => {
  const done = document.querySelector('.tillwise-done');
  const again = done.cloneNode(true);
  done.replaceWith(again);
  const pressed = () => getComputedStyle(again).pointerEvents;
  const first = pressed();
  again.getAnimations().forEach((each) => each.finish());
  return [first, pressed()];
}"""


@dataclass(slots=True)
class App:
    """The app's side. body: what it answers, as JSON unless it is text; it keeps what it hears."""

    body: Any = None
    parting: Any = None  # what it answers to who is about to leave
    status: int = 200
    delay_s: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        """Answer a question that the proxy signed."""
        pairs = parse_qsl(request.url.query, keep_blank_values=True)
        unsigned = [pair for pair in pairs if pair[0] != "signature"]
        assert dict(parse_qsl(proxy_query(unsigned, SECRET)))["signature"] == dict(pairs)["signature"]
        question = json.loads(dict(pairs)["question"])
        self.asked.append(question)
        body = self.parting if question["trigger_type"] == "exit_intent" and self.parting else self.body
        status = self.status
        await asyncio.sleep(self.delay_s)
        text = body if isinstance(body, str) else json.dumps(body)
        return PlainTextResponse(text, status, media_type="application/json")

    async def take(self, request: Request) -> Response:
        if request.method == "POST":
            self.events += json.loads(await request.body())["events"]
        return Response(status_code=204, headers=CORS)

    def told(self, name: str) -> list[dict[str, Any]]:
        """Return the data of the events of this name that the pixel sent."""
        return [event["data"] for event in self.events if event["name"] == f"tillwise:{name}"]


@dataclass(frozen=True, slots=True)
class StorefrontWorld:
    """A shop, its dev store's address, and the app."""

    shop: Shop
    app: App
    url: str

    def reset(self) -> None:
        """Forget what an earlier test made of it."""
        self.shop.carts.clear()
        for number, (*_, stock) in enumerate(GOODS, 1):
            self.shop.variants[100 + number].inventory = stock
            self.shop.variants[100 + number].measure = None
        fresh = App()
        for name in App.__slots__:
            setattr(self.app, name, getattr(fresh, name))

    def open(self, page: Page, path: str = "/products/whole-milk", **query: str) -> None:
        """Open a page of somebody who allowed everything, unless the query says otherwise."""
        asked = {"consent": "all", "delay": "0"} | query
        page.goto(f"{self.url}{path}?{'&'.join(f'{name}={value}' for name, value in asked.items())}")

    def leave(self, page: Page) -> None:
        """Move the mouse out of the window at its top, as to another tab."""
        page.evaluate(
            "document.documentElement.dispatchEvent(new MouseEvent('mouseout', "
            "{bubbles: true, clientY: -3, relatedTarget: null}))"
        )


@contextmanager
def storefront_world(home: Path) -> Iterator[StorefrontWorld]:
    app, shop = App(), small_shop()
    answers = [
        Route("/proxy/offers", app.answer),
        Route("/api/track_event", app.take, methods=["POST", "OPTIONS"]),
    ]
    with ExitStack() as stack:
        app_url = stack.enter_context(serving(lambda _: Starlette(routes=answers)))
        folders = bundles_for(app_url, home / "extensions")
        builds = Builds({PIXEL: folders[PIXEL]}, ROOT / "extensions" / THEME)

        def dev_store(url: str) -> Starlette:
            store = small_store(shop, base_url=url, app_url=app_url)
            store.app = replace(store.app, proxy_url=f"{app_url}/proxy", proxy_path="apps/tillwise")
            store.deliverer.client = httpx.AsyncClient()  # the proxy reaches the app with it
            store.install(shop).pixel = Pixel(1, '{"accountID": "pk_1"}')
            return create_app(store, routes(builds), builds=builds)

        yield StorefrontWorld(shop, app, stack.enter_context(serving(dev_store)))


def with_two_offers(world: StorefrontWorld) -> StorefrontWorld:
    """Return the world as if new, with an app that offers two products."""
    world.reset()
    world.app.body = answer(offer_of(world, 102), offer_of(world, 103))
    return world


def offer_of(world: StorefrontWorld, variant_id: int, **changed: Any) -> dict[str, Any]:
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


def title_and_end(page: Page) -> tuple[float, float]:
    """Return how high the first card's title is, and where its words end, in pixels."""
    words = page.locator(f"{SHELF} .tillwise-words").first
    title, why = (words.locator(f".tillwise-{each}").bounding_box() for each in ("title", "why"))
    assert title
    assert why
    return title["height"], why["y"] + why["height"]

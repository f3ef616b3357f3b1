"""The browser host in a real browser: a bundle in a sandboxed frame and worker, and a pixel beside it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
import uvicorn
from playwright.sync_api import Browser, FrameLocator, Page, expect, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from devstore.checkout import start
from devstore.main import create_app
from devstore.pages import Builds, routes
from devstore.pages.builds import EXTENSION, PIXEL
from devstore.records import Checkout, Pixel
from devstore.shop import Shop
from tests.devstore.small_shop import NOW, SECRET, extension_folders, small_shop, small_store

ROOT = Path(__file__).parents[2]
BUNDLES = Path(__file__).parent / "bundles"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization, Content-Type"}
LOCALE = {"pieces": {"one": "{{ count }} line", "other": "{{ count }} lines"}}
PATIENCE_S = 10.0


@dataclass(slots=True)
class Backend:
    """The app's side: keeps what the browser sent, and who the browser said it was."""

    sent: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    dev_store: str = ""

    async def answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=CORS)
        self.sent.append((request.url.path, dict(request.headers), json.loads(await request.body())))
        return JSONResponse({"title": "Something good"}, headers=CORS)

    async def document(self, request: Request) -> Response:
        """The embedded app: asks App Bridge for a token, and its own server with App Bridge's fetch."""
        self.sent.append(("document", dict(request.headers), dict(request.query_params)))
        return HTMLResponse(
            f"""<script src="{self.dev_store}/app-bridge.js"></script><h1>App</h1><script>
            shopify.idToken().then((token) => fetch('/own', {{method: 'POST', body: JSON.stringify(token)}}))
              .then((answer) => answer.json()).then(({{title}}) => {{document.body.append(title)}});
            </script>"""
        )

    async def bounce(self, _request: Request) -> Response:
        return HTMLResponse(f'<script src="{self.dev_store}/app-bridge.js"></script>')

    def events(self) -> list[Any]:
        return [body for path, _, body in self.sent if path == "/api/track_event"]


@dataclass(frozen=True, slots=True)
class World:
    """One shop with a checkout of milk, and the two servers around it."""

    shop: Shop
    checkout: Checkout
    backend: Backend
    url: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", autouse=True)
def host_built() -> None:
    """Bundle the host, as `make build` does."""
    node = ROOT / ".venv" / "bin" / "node"
    command = [str(node) if node.exists() else "node", str(ROOT / "devstore" / "browser" / "build.mjs")]
    subprocess.run(command, check=True, timeout=60)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    backend = Backend()
    routes_ = [
        Route("/bounce", backend.bounce),
        Route("/app", backend.document),
        Route("/{path:path}", backend.answer, methods=["POST", "OPTIONS"]),
    ]
    with ExitStack() as stack:
        app_url = stack.enter_context(serving(lambda _: Starlette(routes=routes_)))
        builds = Builds(extension_folders(tmp_path, bundles(app_url)))
        (tmp_path / EXTENSION / "locales").mkdir()
        (tmp_path / EXTENSION / "locales" / "en.default.json").write_text(json.dumps(LOCALE))
        privacy = "[customer_privacy]\nanalytics = true\n"
        (tmp_path / PIXEL / "shopify.extension.toml").write_text(privacy)
        shop = small_shop()

        def dev_store(url: str) -> Starlette:
            backend.dev_store = url
            store = small_store(shop, base_url=url, app_url=app_url)
            store.install(shop).pixel = Pixel(1, '{"accountID": "pk_1"}')
            return create_app(store, routes(builds), builds=builds)

        url = stack.enter_context(serving(dev_store))
        yield World(shop, start(shop, "ck", NOW, [(101, 1, ())]), backend, url)


def chromium() -> str | None:
    """Return the browser that the set-up found; None lets Playwright take its own."""
    found = ROOT / ".venv" / "chromium"
    return found.read_text().strip() if found.exists() else shutil.which("chromium")


def bundles(app_url: str) -> dict[str, str]:
    """Return the two bundles with the app's address inlined, as Shopify's CLI does."""
    return {EXTENSION: bundle("extension.jsx", app_url), PIXEL: bundle("pixel.js", app_url)}


def bundle(name: str, app_url: str) -> str:
    flags = ["--bundle", "--format=iife", "--jsx=automatic", "--jsx-import-source=preact"]
    inlined = f'--define:process.env.APP_URL="{app_url}"'
    command = [str(ROOT / "node_modules/.bin/esbuild"), str(BUNDLES / name), *flags, inlined]
    return subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout


@contextmanager
def serving(make: Callable[[str], Starlette]) -> Iterator[str]:
    """Yield the address of an app that is served until the end."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(make(url), log_level="error", ws="none"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        until(lambda: server.started)
        yield url
        server.should_exit = True
        thread.join()


def until(true: Callable[[], object]) -> None:
    """Wait for it to become true. Raises AssertionError when it does not."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def open_checkout(page: Page, world: World, query: str = "consent=all") -> FrameLocator:
    page.goto(f"{world.url}/checkout/ck?{query}")
    return page.frame_locator("[data-extension-target] iframe")


def test_the_extension_sees_the_checkout_through_the_shopify_global(page: Page, world: World) -> None:
    frame = open_checkout(page, world, "customer=7&consent=analytics")
    for text in ("1 line", "$3.49", "gid://shopify/Customer/7", "analytics yes", "no code"):
        expect(frame.get_by_text(text, exact=True)).to_be_visible()
    expect(frame.get_by_role("heading", name="Test")).to_be_visible()
    expect(frame.get_by_role("button", name="Busy")).to_be_disabled()


def test_a_line_change_goes_to_the_dev_store_and_comes_back_as_signals(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Add coffee").click()
    expect(frame.get_by_text("2 lines")).to_be_visible()
    expect(frame.get_by_text("$12.48")).to_be_visible()
    expect(page.locator(".sums .total").last).to_contain_text("$12.48")  # the page's own summary too
    assert world.checkout.lines[1].attributes == (("_tillwise_decision", "d1"),)


def test_a_refused_change_tells_the_extension_why(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Add ice cream").click()
    expect(frame.get_by_text("Mint Ice Cream is sold out.")).to_be_visible()
    expect(frame.get_by_text("1 line", exact=True)).to_be_visible()


def test_a_discount_code_changes_the_cost_of_every_line(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Discount").click()
    expect(frame.get_by_text("TENTH")).to_be_visible()
    expect(frame.get_by_text("$3.14")).to_be_visible()  # 3.49 less a tenth


def test_the_app_is_called_from_no_origin_with_a_session_token(page: Page, world: World) -> None:
    frame = open_checkout(page, world, "customer=7&consent=all")
    frame.get_by_role("button", name="Offer").click()
    expect(frame.get_by_text("Something good")).to_be_visible()
    _, headers, body = next(sent for sent in world.backend.sent if sent[0] == "/api/personalize")
    assert headers["origin"] == "null"
    assert body == {"cart": ["gid://shopify/Product/1"]}
    token = headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="the-key")
    assert (claims["dest"], claims["sub"]) == (world.shop.domain, "gid://shopify/Customer/7")


def test_storage_keeps_what_the_extension_writes(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Remember").click()
    expect(frame.get_by_text("stored 2")).to_be_visible()


def test_the_extension_gets_neither_the_pages_cookies_nor_its_document(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    expect(frame.get_by_text("no cookies")).to_be_visible()
    assert page.frames[1].evaluate("self.origin") == "null"


def test_the_pixel_gets_standard_and_custom_events_in_shopifys_envelope(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Offer").click()
    until(lambda: "tillwise:offer_shown" in [event["name"] for event in world.backend.events()])
    events = {event["name"]: event for event in world.backend.events()}
    assert {"page_viewed", "checkout_started"} <= events.keys()
    assert events["tillwise:offer_shown"]["customData"] == {"title": "Something good"}
    assert [events[n]["type"] for n in ("page_viewed", "tillwise:offer_shown")] == ["standard", "custom"]
    assert len({event["clientId"] for event in events.values()}) == 1
    assert len({event["id"] for event in events.values()}) == len(events)
    assert events["page_viewed"]["page"] == "Checkout · Corner"
    _, headers, _ = next(sent for sent in world.backend.sent if sent[0] == "/api/track_event")
    assert (headers["origin"], headers["authorization"]) == ("null", "Bearer pk_1")


def test_the_pixel_waits_for_consent_and_then_gets_what_it_missed(page: Page, world: World) -> None:
    page.goto(f"{world.url}/products/whole-milk")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    assert world.backend.events() == []
    page.get_by_label("Analytics").check()
    page.get_by_role("button", name="Save choices").click()
    until(lambda: len(world.backend.events()) == 3)
    names = {event["name"] for event in world.backend.events()}
    assert names == {"page_viewed", "product_viewed", "product_added_to_cart"}
    assert world.backend.events()[0]["allowed"] == {
        "analyticsProcessingAllowed": True,
        "marketingAllowed": False,
        "preferencesProcessingAllowed": False,
        "saleOfDataAllowed": False,
    }


def test_a_visitor_who_declines_is_not_followed(page: Page, world: World) -> None:
    page.goto(f"{world.url}/storefront")
    page.get_by_role("button", name="Decline").click()
    page.goto(f"{world.url}/products/whole-milk")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    assert page.locator("body > iframe").count() == 0
    assert world.backend.events() == []


def test_paying_makes_an_order_and_the_thank_you_page_changes_nothing(page: Page, world: World) -> None:
    open_checkout(page, world)
    page.get_by_label("E-mail").fill("somebody@example.com")
    page.get_by_role("button", name="Pay now").click()
    page.wait_for_url("**/thank-you*")
    (order,) = world.shop.orders.values()
    assert (order.email, order.checkout_token) == ("somebody@example.com", "ck")
    frame = page.frame_locator("[data-extension-target] iframe")
    expect(frame.get_by_text(f"gid://shopify/Order/{order.id} change:undefined")).to_be_visible()
    until(lambda: "checkout_completed" in [event["name"] for event in world.backend.events()])


def test_an_extension_that_throws_is_named_on_the_page_and_the_sale_goes_on(
    page: Page, world: World, tmp_path: Path
) -> None:
    broken = tmp_path / EXTENSION / "dist" / f"{EXTENSION}.js"
    broken.write_text(
        "shopify.extend('purchase.checkout.block.render', () => { throw new Error('no luck'); });"
    )
    page.goto(f"{world.url}/checkout/ck")
    place = page.locator("[data-extension-target]")
    expect(place).to_have_attribute("data-failed", "Uncaught Error: no luck")
    expect(page.get_by_role("button", name="Pay now")).to_be_enabled()


def test_app_bridge_gives_the_embedded_app_fresh_tokens_and_signs_its_calls(page: Page, world: World) -> None:
    page.goto(f"{world.url}/admin?shop={world.shop.domain}&path=/app")
    expect(page.frame_locator("iframe[data-app]").get_by_text("Something good")).to_be_visible()
    _, headers, asked = next(sent for sent in world.backend.sent if sent[0] == "/own")
    _, _, opened = next(sent for sent in world.backend.sent if sent[0] == "document")
    signed = headers["authorization"].removeprefix("Bearer ")
    for token in (asked, signed, opened["id_token"]):
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="the-key")
        assert claims["dest"] == f"https://{world.shop.domain}"
    assert len({asked, signed, opened["id_token"]}) == 3


def test_a_bounce_page_is_left_for_the_address_it_names_with_a_new_token(page: Page, world: World) -> None:
    page.goto(f"{world.url}/admin?path=/bounce%3Fshopify-reload%3D/app")
    expect(page.frame_locator("iframe[data-app]").get_by_role("heading", name="App")).to_be_visible()
    _, _, opened = next(sent for sent in world.backend.sent if sent[0] == "document")
    claims = jwt.decode(opened["id_token"], SECRET, algorithms=["HS256"], audience="the-key")
    assert claims["iss"] == f"https://{world.shop.domain}/admin"


@pytest.mark.parametrize(
    ("button", "says"),
    [
        ("Replay", '"left":0'),
        ("Sell out", '"available":0'),
        ("Set", '"duplicate":0.5'),
        ("Uninstall Tillwise", '"installed":false'),
    ],
)
def test_each_button_of_the_panel_does_what_it_says(page: Page, world: World, button: str, says: str) -> None:
    page.goto(world.url)
    page.get_by_label("Duplicate").fill("0.5")
    form = page.locator("form[data-control]").filter(has=page.get_by_role("button", name=button))
    form.get_by_role("button", name=button).click()
    expect(form.locator("output")).to_contain_text(says)
    expect(form).to_have_attribute("data-outcome", "done")

"""The dashboard's scripts, run in Chromium against the real routes."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from playwright.async_api import Page
from playwright.async_api import Route as Asked
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.admin.routes import routes
from app.admin.store import find_products
from app.connections import Connections
from app.errors import TillwiseError
from app.main import answer_error
from app.shops.store import get_shop
from tests.admin.chromium import CHROMIUM
from tests.admin.factories import OTHER, SHOP, bearer, entrance, imported, keep, keep_busy_shop, shop_row

ROOT = Path(__file__).parents[2]
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


async def app_bridge(_request: Request) -> Response:
    """Answer a stand-in for App Bridge: tokens, also to come back with, and toasts shown as the title.

    A token is of the shop in whose admin the document is.
    """
    tokens = {shop: bearer(shop)["Authorization"].removeprefix("Bearer ") for shop in (SHOP, OTHER)}
    script = f"""
        const token = ({json.dumps(tokens)})[new URLSearchParams(location.search).get("shop")];
        window.shopify = {{
          idToken: async () => token,
          toast: {{show: (message) => {{ document.title = message; }}}},
          // A merchant who agrees unless the test says otherwise.
          scopes: {{request: async () => ({{result: window.agreed ?? "granted-all"}})}},
        }};
        const back = new URLSearchParams(location.search).get("shopify-reload");
        if (back) location.replace(`${{back}}&id_token=${{token}}`);
    """
    return Response(script, media_type="text/javascript")


@asynccontextmanager
async def served(connections: Connections) -> AsyncIterator[str]:
    """Yield the address of the admin, which takes itself for the dev store."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = replace(connections.settings, app_url=url, dev_store_url=url)
        web = Starlette(
            routes=[Route("/app-bridge.js", app_bridge), *routes],
            exception_handlers={TillwiseError: answer_error},
        )
        web.state.connections = replace(connections, settings=settings)
        server = uvicorn.Server(uvicorn.Config(web, log_level="error", ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield url
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def opened(url: str, path: str, viewport: dict[str, int], **about: str) -> AsyncIterator[Page]:
    """Yield a page of the admin; an error in its scripts fails the test. about: whom it shows."""
    address, query = entrance(path, **about)
    errors: list[str] = []
    async with CHROMIUM.context(viewport) as context:
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{url}{address}?{urlencode(query)}")
        yield page
    assert errors == []


async def test_merchant_excludes_a_product_with_a_click(connections: Connections) -> None:
    await keep_busy_shop(connections)
    shop = await get_shop(connections, SHOP)
    assert shop
    async with served(connections) as url, opened(url, "/admin/products", DESKTOP) as page:
        await page.get_by_role("button", name="Exclude Rye bread").click()
        await page.get_by_role("button", name="Include Rye bread").wait_for()
        assert await page.title() == "Rye bread is no longer offered"
        assert await page.locator("[data-excluded-count]").inner_text() == "1"
    excluded = [each.title for each in await find_products(connections, shop, "") if each.excluded]
    assert excluded == ["Rye bread"]


async def test_a_click_before_the_scripts_listen_waits_for_them(connections: Connections) -> None:
    await keep_busy_shop(connections)
    arrives = asyncio.Event()

    async def late(route: Asked) -> None:
        await arrives.wait()
        await route.continue_()

    async with served(connections) as url, opened(url, "/admin/products", DESKTOP) as page:
        await page.route("**/admin/static/admin.js", late)
        await page.reload(wait_until="commit")
        await page.get_by_role("button", name="Exclude Rye bread").click()
        arrives.set()
        await page.get_by_role("button", name="Include Rye bread").wait_for()


async def test_bars_move_by_themselves_and_give_way_when_all_is_in(
    connections: Connections,
) -> None:
    loading = imported("orders", status="loading", loaded=10, total=100)
    await keep(connections, shop_row(), imported("products"), imported("customers"), loading)
    async with served(connections) as url, opened(url, "/", DESKTOP) as page:
        orders = page.locator('[data-kind="orders"]')
        assert await orders.get_by_role("progressbar").get_attribute("value") == "10"
        await keep(connections, imported("orders", status="loading", loaded=60, total=100))
        await orders.get_by_text("60 of 100").wait_for()
        await keep(connections, imported("orders"))
        await orders.wait_for(state="detached")
        await page.get_by_text("No checkout has asked for an offer yet").wait_for()


async def test_a_step_that_is_done_is_counted_at_once(connections: Connections) -> None:
    await keep(connections, shop_row(), imported("products"))
    async with served(connections) as url, opened(url, "/", DESKTOP) as page:
        await page.get_by_text("1 of 7 done").wait_for()
        await page.get_by_role("button", name="Understood").click()
        await page.get_by_text("2 of 7 done").wait_for()


async def test_a_script_that_is_no_file_of_ours_or_shopifys_does_not_run(connections: Connections) -> None:
    await keep_busy_shop(connections)
    async with served(connections) as url, opened(url, "/admin/products", DESKTOP) as page:
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text))
        await page.evaluate("""() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'ran'";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<img src='/none' onerror='document.title = 1'>");
          return new Promise((resolve) => { document.body.lastChild.addEventListener("error", resolve); });
        }""")
        assert await page.title() not in ("ran", "1")
        assert [each for each in refused if "Content Security Policy" in each]

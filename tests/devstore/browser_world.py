"""A dev store and an app's side to open in a real browser, around the small shop and two small bundles."""

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
from tests.devstore.small_shop import NOW, extension_folders, small_shop, small_store

ROOT = Path(__file__).parents[2]
BUNDLES = Path(__file__).parent / "bundles"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization, Content-Type"}
DECLARED = """
[[extensions]]
[[extensions.metafields]]
namespace = "$app"
key = "offers"
[extensions.capabilities]
network_access = true
[extensions.capabilities.collect_buyer_consent]
customer_privacy = true
"""
LOCALE = {"pieces": {"one": "{{ count }} line", "other": "{{ count }} lines"}}
PATIENCE_S = 60.0
expect.set_options(timeout=PATIENCE_S * 1_000)


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


@contextmanager
def small_world(tmp_path: Path) -> Iterator[World]:
    """Yield a shop of a few products behind its dev store, with the two bundles of these tests built."""
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
        (tmp_path / EXTENSION / "shopify.extension.toml").write_text(DECLARED)
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


def build_host() -> None:
    """Bundle the host, as `make build` does."""
    node = ROOT / ".venv" / "bin" / "node"
    command = [str(node) if node.exists() else "node", str(ROOT / "devstore" / "browser" / "build.mjs")]
    subprocess.run(command, check=True, timeout=60)


def chromium() -> str | None:
    """Return the browser that the set-up found; None lets Playwright take its own."""
    found = ROOT / ".venv" / "chromium"
    return found.read_text().strip() if found.exists() else shutil.which("chromium")


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Yield a browser, closed on leaving."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


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
        try:
            until(lambda: server.started)
            yield url
        finally:
            server.should_exit = True
            thread.join()


def until(true: Callable[[], object]) -> None:
    """Wait for it to become true. Raises AssertionError when it does not."""
    until_within(PATIENCE_S, true)


def until_within(patience_s: float, true: Callable[[], object]) -> None:
    """Wait that long at most for it to become true. Raises AssertionError when it does not."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def open_checkout(page: Page, world: World, query: str = "consent=all") -> FrameLocator:
    page.goto(f"{world.url}/checkout/ck?{query}")
    return page.frame_locator("[data-extension-target] iframe")

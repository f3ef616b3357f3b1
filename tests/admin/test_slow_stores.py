"""Every page and call of the admin while a store answers too slowly: said in time, and nothing half kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import respx
from redis.asyncio import Redis
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import app.connections
import app.shops.changes
from app.admin.access import MOST_AT_ONCE, staff_only
from app.admin.outage import TooSlow, patience
from app.admin.routes import routes
from app.config import Settings
from app.connections import Connections, connect
from app.shops.store import Shop
from app.tables import ShopRow
from tests.admin.every_call import CALLS, RIGHT
from tests.admin.factories import OTHER, SHOP, bearer, entrance, now
from tests.admin.test_every_call import ASKS_SHOPIFY, a_shop_with_all_that_is_asked_of, contents
from tests.admin.test_markup import ABOUT, PAGES
from tests.conftest import on_postgresql
from tests.shops.web import browsing
from tests.test_live import until

PATIENCE_S = 0.03
ALL_PAGES = (*PAGES, "/admin/definitions")
SLOW_DATABASE = "database is too slow just now"


@asynccontextmanager
async def hurried(connections: Connections, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a browser of an app whose patience ends at once."""
    settings = replace(connections.settings, patience_s=PATIENCE_S)
    async with browsing(routes, replace(connections, settings=settings, **changes)) as browser:
        yield browser


async def shown(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    address, query = entrance(path, **ABOUT.get(path, {}))
    return await browser.get(address, params=query)


async def called(browser: httpx.AsyncClient, name: str) -> httpx.Response:
    return await browser.post(f"{CALLS}/{name}", json=RIGHT[name], headers=bearer())


@asynccontextmanager
async def locked(connections: Connections) -> AsyncIterator[None]:
    """Let nobody else read or write the shop, as a table is while it is changed."""
    async with connections.engine.connect() as database:
        await database.execute(text("LOCK TABLE shops IN ACCESS EXCLUSIVE MODE"))
        yield


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Yield the address of a server that takes every connection and never says a word."""
    ends = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ends.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
    finally:
        ends.set()
        server.close()


def impatient(address: str) -> Redis:
    """Return a client of the Redis that soon gives up, as the app's own does after seconds."""
    return Redis.from_url(f"redis://{address}", socket_timeout=0.02, retry=None)


@contextmanager
def shopify_pondering(pause_s: float) -> Iterator[None]:
    """Let Shopify answer after the pause, that it refuses."""

    async def ponder(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(pause_s)
        return httpx.Response(200, json={"errors": [{"message": "denied"}]})

    with respx.mock(assert_all_called=False) as shopify:
        shopify.post(host=SHOP).mock(side_effect=ponder)
        shopify.route(host="app").pass_through()
        shopify.route(host="tillwise.example.com").pass_through()
        yield


async def ask_shopify(connections: Connections, address: str) -> None:
    await connections.http.post(f"http://{address}")


async def ask_redis(connections: Connections, _address: str) -> None:
    await connections.redis.ping()


async def ask_database(connections: Connections, _address: str) -> None:
    async with connections.read() as db:
        await db.connection()


@pytest.mark.parametrize(
    ("ask", "store"), [(ask_shopify, "Shopify"), (ask_redis, "Redis"), (ask_database, "database")]
)
async def test_whose_answer_was_waited_for_is_known_when_patience_ends(
    settings: Settings, ask: Callable[[Connections, str], Awaitable[None]], store: str
) -> None:
    async with silent_server() as address:
        silent = replace(
            settings, database_url=f"postgresql+asyncpg://nobody@{address}/none", patience_s=PATIENCE_S
        )
        async with connect(silent, f"redis://{address}") as connections:
            http = httpx.AsyncClient()
            with pytest.raises(TooSlow) as told:
                async with http, patience(silent):
                    await ask(replace(connections, http=http), address)
    assert told.value.store == store


async def test_each_page_and_call_says_in_time_that_the_database_is_slow_and_keeps_nothing(
    settings: Settings, redis_url: str, postgres_url: str
) -> None:
    async with on_postgresql(settings, redis_url, postgres_url) as connections:
        await a_shop_with_all_that_is_asked_of(connections)
        before = await contents(connections)
        async with hurried(connections) as browser, locked(connections):
            for path in ALL_PAGES:
                page = await shown(browser, path)
                assert (path, page.status_code, SLOW_DATABASE in page.text) == (path, 503, True)
            for name in RIGHT:
                answer = await called(browser, name)
                assert (name, answer.status_code, SLOW_DATABASE in answer.text) == (name, 503, True)
        assert await contents(connections) == before


async def test_database_that_stops_answering_holds_nobody_longer_than_that(
    settings: Settings, redis_url: str, postgres_url: str
) -> None:
    async with on_postgresql(settings, redis_url, postgres_url) as connections:
        await a_shop_with_all_that_is_asked_of(connections)
    async with silent_server() as address:
        silent = replace(settings, database_url=f"postgresql+asyncpg://nobody@{address}/none")
        async with connect(silent, redis_url) as unanswered, hurried(unanswered) as browser:
            page, answer = await shown(browser, "/admin/products"), await called(browser, "exclusions")
    assert (page.status_code, SLOW_DATABASE in page.text) == (503, True)
    assert (answer.status_code, SLOW_DATABASE in answer.text) == (503, True)


async def test_sqlite_that_is_being_written_by_another_is_said_to_be_away_and_a_repeat_completes(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_shop_with_all_that_is_asked_of(connections)
    monkeypatch.setattr(app.connections, "_BUSY_MS", 20)
    before = await contents(connections)
    async with (
        connect(connections.settings, connections.redis_url) as waiting,
        browsing(routes, waiting) as hindered,
        connections.write() as writing,
    ):
        await writing.connection()
        for name in ("exclusions", "products/wish", "campaigns/keep", "segments/keep", "experiments/stop"):
            answer = await called(hindered, name)
            assert (name, answer.status_code) == (name, 503)
            assert "can't reach its database" in answer.json()["error"]
    assert await contents(connections) == before
    assert (await called(browser, "exclusions")).json() == {"title": "Butter", "excluded": True}


async def test_each_page_and_call_says_in_time_that_redis_is_slow_or_does_without_it(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_shop_with_all_that_is_asked_of(connections)
    monkeypatch.setattr(app.shops.changes, "_PATIENCE_S", PATIENCE_S / 4)
    before = await contents(connections)
    async with (
        silent_server() as address,
        impatient(address) as silent,
        browsing(routes, replace(connections, redis=silent)) as browser,
    ):
        with shopify_pondering(0):
            for path in ALL_PAGES:
                page = await shown(browser, path)
                told = "reach its Redis just now" in page.text
                assert (path, page.status_code, told) in ((path, 200, False), (path, 503, True))
            for name in RIGHT:
                answer = await called(browser, name)
                if answer.status_code == 503:
                    assert "can't reach its Redis just now" in answer.json()["error"], name
                    assert await changed(connections, before) <= {"secrets"}, name
                assert answer.status_code < 500 or name in ASKS_SHOPIFY or answer.status_code == 503
                if answer.status_code < 300:
                    before = await contents(connections)


async def changed(connections: Connections, before: dict[str, list[Any]]) -> set[str]:
    """Return the tables that are not as before."""
    return {table for table, rows in (await contents(connections)).items() if rows != before[table]}


async def test_what_is_kept_while_redis_is_silent_is_said_to_reach_checkouts_later(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_shop_with_all_that_is_asked_of(connections)
    async with (
        silent_server() as address,
        impatient(address) as silent,
        browsing(routes, replace(connections, redis=silent)) as hindered,
    ):
        with monkeypatch.context() as here:
            here.setattr(app.shops.changes, "_PATIENCE_S", PATIENCE_S / 4)
            answer = await called(hindered, "exclusions")
    assert (answer.status_code, answer.headers["X-Tillwise-Later"]) == (200, "1")
    answer = await called(browser, "settings/language")
    assert (answer.status_code, "X-Tillwise-Later" in answer.headers) == (200, False)


@pytest.mark.parametrize("name", sorted(ASKS_SHOPIFY))
async def test_call_says_in_time_that_shopify_is_slow(connections: Connections, name: str) -> None:
    await a_shop_with_all_that_is_asked_of(connections)
    before = await contents(connections)
    async with hurried(connections) as browser:
        with shopify_pondering(60):
            answer = await called(browser, name)
    assert (answer.status_code, "too slow just now" in answer.text) == (503, True)
    assert await changed(connections, before) <= {"secrets"}


async def test_page_of_a_shop_that_is_let_in_says_in_time_that_shopify_is_slow(
    connections: Connections,
) -> None:
    async with hurried(connections) as browser:
        with shopify_pondering(60):
            page = await shown(browser, "/admin")
    assert (page.status_code, "too slow just now" in page.text) == (503, True)


async def test_what_is_slow_but_comes_in_time_is_waited_for(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await a_shop_with_all_that_is_asked_of(connections)
    with shopify_pondering(PATIENCE_S):
        answer = await called(browser, "privacy/person")
    assert answer.status_code == 502  # what Shopify said in the end, not that it took long


async def test_calls_of_one_shop_wait_for_each_other_and_hold_up_no_other(connections: Connections) -> None:
    """Else whoever has a staff member's token could take every connection to the database."""
    begun, go = Counter[str](), asyncio.Event()

    @staff_only
    async def slow(_request: Request, _connections: Connections, shop: Shop) -> Response:
        begun[shop.shop] += 1
        await go.wait()
        return Response()

    async def all_have_begun() -> bool:
        return begun[OTHER] > 0 and begun[SHOP] >= MOST_AT_ONCE

    async with connections.write() as db:
        db.add_all(
            ShopRow(shop=each, publishable_key=f"pk_{each}", installed_at=now()) for each in (SHOP, OTHER)
        )
    async with browsing([Route("/slow", slow)], connections) as browser:
        askers = [SHOP] * (MOST_AT_ONCE + 3) + [OTHER]
        calls = [asyncio.create_task(browser.get("/slow", headers=bearer(each))) for each in askers]
        await until(all_have_begun)
        assert begun[SHOP] == MOST_AT_ONCE
        go.set()
        assert {(await each).status_code for each in calls} == {200}
    assert begun == {SHOP: MOST_AT_ONCE + 3, OTHER: 1}

"""The link in every letter: one click takes its reader off, also while the database is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.admin.alerts_view import alert_letter
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.requests import Kind, open_request
from app.main import create_app
from app.privacy.shop import erase_shop
from app.reach.jobs import reach_shop
from app.reach.pending_unsubscribes import carry_out_unsubscribes, remember_unsubscribe
from app.reach.suppressions import BOUNCED, suppress, suppression
from app.reach_tables import SuppressionRow
from devstore.schema import MODULES
from tests.reach.scene import NOW, Scene

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@asynccontextmanager
async def reading(scene: Scene) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a browser on the app."""
    web = create_app(scene.connections.settings, scene.connections.redis_url)
    transport = httpx.ASGITransport(web)
    async with (
        web.router.lifespan_context(web),
        httpx.AsyncClient(transport=transport, base_url="https://tillwise.example.com") as browser,
    ):
        yield browser


async def test_one_click_takes_off_and_a_later_opt_in_puts_on_again(scene: Scene) -> None:
    await scene.left()
    link = str(scene.office.letters[0]["List-Unsubscribe"]).strip("<>")
    async with reading(scene) as browser:
        digest = (await open_digests(scene.connections)).of_email(scene.shop, "ada@example.com")
        opened = await browser.get(link)
        assert (opened.status_code, "<form" in opened.text) == (200, True)
        assert await suppression(scene.connections, scene.shop, digest, None) is None  # looking is no click
        done = await browser.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert (await browser.post(link[:-1])).status_code == 404
    before, after = NOW - timedelta(days=9), datetime.now(UTC) + timedelta(minutes=1)
    assert await suppression(scene.connections, scene.shop, digest, before) == "unsubscribed"
    assert await suppression(scene.connections, scene.shop, digest, after) is None
    await suppress(scene.connections, scene.shop, digest, BOUNCED, NOW)
    assert await suppression(scene.connections, scene.shop, digest, after) == BOUNCED


async def test_a_click_while_the_database_is_away_is_kept_until_it_is_back(scene: Scene) -> None:
    await scene.left()
    link = str(scene.office.letters[0]["List-Unsubscribe"]).strip("<>")
    async with reading(scene) as browser:
        for name in ("secrets", "suppressions"):
            await run_sql(scene, f"ALTER TABLE {name} RENAME TO {name}_away")
        assert (await browser.get(link)).status_code == 200
        assert "You get no more." in (await browser.post(link)).text
        broken = await browser.post(link.rpartition(".")[0])
        assert (broken.status_code, "try again" in broken.text) == (503, True)
        for name in ("secrets", "suppressions"):
            await run_sql(scene, f"ALTER TABLE {name}_away RENAME TO {name}")
    digest = (await open_digests(scene.connections)).of_email(scene.shop, "ada@example.com")
    assert await suppression(scene.connections, scene.shop, digest, None) is None
    await remember_unsubscribe(scene.connections, f"corner.{'0' * 32}.{'0' * 32}", NOW)  # made up
    await reach_shop(scene.connections, scene.shop, alert_letter)
    assert await suppression(scene.connections, scene.shop, digest, None) == "unsubscribed"
    assert await scene.connections.redis.exists("tw:unsubscribe") == 0
    assert len(await scene.rows(SuppressionRow)) == 1


async def test_of_an_erased_shop_nothing_is_written_down(scene: Scene) -> None:
    await scene.left()
    link = str(scene.office.letters[0]["List-Unsubscribe"]).strip("<>")
    await erase(scene)
    async with reading(scene) as browser:
        assert "You get no more." in (await browser.post(link)).text
    await remember_unsubscribe(scene.connections, link.rpartition("/")[2], NOW)
    await carry_out_unsubscribes(scene.connections)
    assert await scene.rows(SuppressionRow) == []


async def test_a_wish_that_waits_goes_with_its_shop(scene: Scene) -> None:
    others = f"corner-two.{'0' * 32}.{'0' * 32}"
    for token in (f"corner.{'1' * 32}.{'1' * 32}", others):
        await remember_unsubscribe(scene.connections, token, NOW)
    await erase(scene)
    assert await kept_wishes(scene.connections) == [others]


async def erase(scene: Scene) -> None:
    await open_request(scene.connections, scene.shop, "r", Kind.SHOP, NOW)
    await erase_shop(scene.connections, scene.shop, "r")


async def kept_wishes(connections: Connections) -> list[str]:
    kept: Any = await connections.redis.hkeys("tw:unsubscribe")
    return [each.decode() for each in kept]


async def run_sql(scene: Scene, statement: str) -> None:
    async with scene.connections.write() as db:
        await (await db.connection()).execute(text(statement))

"""One decision made again from what was logged of it, and what is said of the comparison."""

from __future__ import annotations

import httpx
from sqlmodel import update

from app.archive_tables import SnapshotRow
from app.connections import Connections
from app.tables import DecisionRow, VariantRow
from tests.admin.decision_factories import decide, keep_decided
from tests.admin.test_decisions import page, replay


async def test_a_decision_comes_out_the_same_after_all_has_changed(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    shop = await keep_decided(connections)
    await decide(connections, shop, "x1")
    async with connections.write() as db:
        await db.exec(update(VariantRow).values(price_minor=9_900))
    told = (await replay(browser, "x1")).json()
    assert (told["same"], told["tone"]) == (True, "success")


async def test_a_decision_that_comes_out_otherwise_says_what_differs(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    shop = await keep_decided(connections)
    await decide(connections, shop, "x1")
    async with connections.write() as db:
        await db.exec(update(DecisionRow).values(answer={"offers": []}))
    told = (await replay(browser, "x1")).json()
    assert told["same"] is False
    assert told["says"].startswith("It comes out otherwise. Then: nothing. Now: ")
    assert "Product 30" in told["says"]


async def test_what_can_not_be_made_again_is_said(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    shop = await keep_decided(connections)
    await decide(connections, shop, "x1")
    async with connections.write() as db:
        await db.exec(update(SnapshotRow).values(version="another"))
        await db.exec(update(VariantRow).values(price_minor=9_900))
    assert (await replay(browser, "x1")).status_code == 404
    text = await page(browser, "/one", id="x1", ranking="1")
    assert "The shop as it was then is no longer kept." in text
    assert "Its rule as it was then is no longer kept." in text
    async with connections.write() as db:
        await db.exec(update(DecisionRow).values(inputs={}))
    assert "erased with its customer" in (await replay(browser, "x1")).json()["error"]
    assert "erased with its customer" in await page(browser, "/one", id="x1", ranking="1")

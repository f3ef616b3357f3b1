from __future__ import annotations

from datetime import UTC, datetime

from app.connections import Connections
from app.reach.alert_store import raise_alert, resolve_others
from app.reach.alerts import COUPONS_LOW, Alert
from app.shops.store import get_shop
from app.tables import ShopRow
from tests.commands.conftest import Terminal

SHOP = "a.myshopify.com"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


async def a_shop(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW))


async def a_low_pool(connections: Connections) -> None:
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    await raise_alert(connections, shop, Alert(COUPONS_LOW, "2 codes are left.", "spring"), NOW)


async def filled(connections: Connections) -> None:
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    await resolve_others(connections, shop, {COUPONS_LOW}, [], NOW)


def test_what_is_open_is_listed_and_told_by_the_exit_code(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    quiet = terminal.run("alerts", "--shop", SHOP)
    assert (quiet.exit_code, quiet.output) == (0, "nothing to know\n")
    terminal.prepare(a_low_pool)
    open_now = terminal.run("alerts", "--shop", SHOP)
    assert open_now.exit_code == 1
    assert "coupons_low (spring)  since 2026-11-20T00:00+00:00\n  2 codes are left." in open_now.output
    terminal.prepare(filled)
    assert terminal.run("alerts", "--shop", SHOP).output == "nothing to know\n"
    assert "over 2026-11-20T00:00" in terminal.run("alerts", "--shop", SHOP, "--last", "5").output


def test_a_shop_that_is_not_installed_is_named(terminal: Terminal) -> None:
    assert "is not installed" in str(terminal.run("alerts", "--shop", SHOP).exception)

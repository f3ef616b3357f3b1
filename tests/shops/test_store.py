from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from app.connections import Connections, redis_key
from app.errors import NotFound
from app.events.kinds import AppUninstalled, ScopesChanged
from app.shops.changes import CHANGED
from app.shops.grants import Grant
from app.shops.store import (
    change_scopes,
    describe,
    finish_install,
    get_shop,
    install,
    installed_shops,
    mark_uninstalled,
    shop_by_publishable_key,
)
from app.shops.tax import tax_rate_of
from app.shops.tokens import has_token, sealed_row
from app.tables import BackfillRow, ShopRow
from app.values import shop_domain
from tests.conftest import on_sqlite
from tests.shops.admin_api import SHOP, Admin, admin_api
from tests.shops.factories import forget_token

OTHER = shop_domain("other.myshopify.com")
GRANT = Grant(
    access_token="shpat_x",
    scopes=frozenset({"read_products", "write_pixels"}),
    access_expires_at=datetime.now(UTC) + timedelta(days=1),
    refresh_token="shprt_x",
    refresh_expires_at=datetime.now(UTC) + timedelta(days=90),
)


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def queued(connections: Connections) -> int:
    return int(await connections.redis.exists(redis_key(SHOP, "waiting", "backfill")))


async def test_install_describes_the_shop_makes_its_pixel_and_asks_for_the_import(
    connections: Connections,
) -> None:
    with admin_api(Admin()) as admin:
        shop = await install(connections, SHOP, GRANT)
    assert (shop.name, shop.currency, shop.time_zone) == ("Acme", "EUR", "Europe/Berlin")
    async with connections.read() as db:
        row = await db.get(ShopRow, SHOP)
    assert row is not None
    assert row.development is False
    assert shop.scopes == {"read_products", "write_pixels"}
    assert len(shop.publishable_key) == 46
    made = dict(admin.asked)["CreateWebPixel"]
    assert made == {"webPixel": {"settings": {"accountID": shop.publishable_key}}}
    assert await has_token(connections, SHOP)
    assert await queued(connections)


async def test_install_again_changes_nothing_and_asks_shopify_nothing(
    connections: Connections,
) -> None:
    with admin_api(Admin()) as admin:
        first = await install(connections, SHOP, GRANT)
        asked = len(admin.asked)
        assert await install(connections, SHOP, GRANT) == first
    assert len(admin.asked) == asked


async def test_two_first_opens_at_once_make_one_shop(connections: Connections) -> None:
    with admin_api(Admin()):
        one, two = await asyncio.gather(install(connections, SHOP, GRANT), install(connections, SHOP, GRANT))
    assert one.publishable_key == two.publishable_key
    assert [shop.shop for shop in await installed_shops(connections)] == [SHOP]


async def test_pixel_that_is_there_already_is_told_the_key(connections: Connections) -> None:
    with admin_api(Admin(pixel="gid://shopify/WebPixel/9")) as admin:
        await install(connections, SHOP, GRANT)
    assert "CreateWebPixel" not in admin.names()
    assert dict(admin.asked)["UpdateWebPixel"]["id"] == "gid://shopify/WebPixel/9"


async def test_a_shop_with_another_currency_has_its_prices_read_again(connections: Connections) -> None:
    with admin_api(Admin()):
        await install(connections, SHOP, GRANT)
        async with connections.write() as db:
            for kind in ("products", "orders"):
                db.add(BackfillRow(shop=SHOP, kind=kind, status="done", updated_at=datetime.now(UTC)))
        await connections.redis.flushall()
        await describe(connections, SHOP)
        assert not await queued(connections)
        async with connections.write() as db:
            row = await db.get(ShopRow, SHOP)
            assert row is not None
            row.currency = "JPY"
            db.add(row)
        await describe(connections, SHOP)
    assert await queued(connections)
    async with connections.read() as db:
        assert (await db.exec(select(BackfillRow.kind))).all() == ["orders"]


async def test_a_development_store_that_sells_from_now_on_has_its_orders_read_again(
    connections: Connections,
) -> None:
    with admin_api(Admin()):
        await install(connections, SHOP, GRANT)
        async with connections.write() as db:
            for kind in ("products", "orders"):
                db.add(BackfillRow(shop=SHOP, kind=kind, status="done", updated_at=datetime.now(UTC)))
            row = await db.get(ShopRow, SHOP)
            assert row is not None
            row.development = True
            db.add(row)
        await connections.redis.flushall()
        await describe(connections, SHOP)
    assert await queued(connections)
    async with connections.read() as db:
        assert (await db.exec(select(BackfillRow.kind))).all() == ["products"]


@pytest.mark.parametrize(("status", "goes_on"), [("failed", True), ("done", False), ("running", False)])
async def test_an_import_that_failed_with_the_token_before_goes_on_with_the_next(
    connections: Connections, status: str, goes_on: bool
) -> None:
    with admin_api(Admin()):
        await install(connections, SHOP, GRANT)
        async with connections.write() as db:
            db.add(BackfillRow(shop=SHOP, kind="orders", status=status, updated_at=datetime.now(UTC)))
        await connections.redis.flushall()
        await finish_install(connections, SHOP)
        assert not await queued(connections)  # opened again with the token that it failed with
        await install(connections, SHOP, GRANT)
    assert bool(await queued(connections)) is goes_on


async def test_what_shopify_refused_is_done_when_the_app_is_next_opened(
    connections: Connections,
) -> None:
    with admin_api(Admin(refuse={"CreateWebPixel", "DescribeShop"})) as admin:
        assert (await install(connections, SHOP, GRANT)).name == "acme"
        admin.refuse.clear()
        assert (await finish_install(connections, SHOP)).name == "Acme"
    assert admin.names().count("CreateWebPixel") == 2


async def test_shop_that_was_never_installed_can_not_be_finished(connections: Connections) -> None:
    with pytest.raises(NotFound):
        await finish_install(connections, SHOP)


async def test_uninstalled_shop_loses_token_key_and_pixel_and_keeps_its_row(
    connections: Connections,
) -> None:
    with admin_api(Admin()):
        shop = await install(connections, SHOP, GRANT)
    assert await shop_by_publishable_key(connections, shop.publishable_key) == shop
    gone = datetime.now(UTC) + timedelta(seconds=1)
    await mark_uninstalled(connections, AppUninstalled(shop=SHOP, event_id="1", happened_at=gone))
    assert not await has_token(connections, SHOP)
    assert await shop_by_publishable_key(connections, shop.publishable_key) is None
    assert await installed_shops(connections) == []
    kept = await get_shop(connections, SHOP)
    assert kept is not None
    assert kept.uninstalled_at == gone


async def test_shop_that_comes_back_keeps_its_key_and_is_imported_and_measured_anew(
    connections: Connections,
) -> None:
    with admin_api(Admin()) as admin:
        first = await install(connections, SHOP, GRANT)
        async with connections.write() as db:
            row = BackfillRow(shop=SHOP, kind="orders", updated_at=datetime.now(UTC))
            db.add(row)
        gone = datetime.now(UTC) + timedelta(milliseconds=1)
        event = AppUninstalled(shop=SHOP, event_id="1", happened_at=gone)
        await mark_uninstalled(connections, event)
        await connections.redis.flushall()
        admin.pixel = None
        again = await install(connections, SHOP, GRANT)
    assert again.publishable_key == first.publishable_key
    assert again.uninstalled_at is None
    assert admin.names().count("CreateWebPixel") == 2
    assert await queued(connections)


async def test_shop_that_was_gone_without_our_knowing_is_measured_anew(connections: Connections) -> None:
    with admin_api(Admin()) as admin:
        await install(connections, SHOP, GRANT)
        await forget_token(connections, SHOP)  # Shopify took it no more
        admin.pixel = None  # Shopify deletes it with the app
        await install(connections, SHOP, GRANT)
    assert admin.pixel is not None


async def test_late_uninstall_of_an_earlier_install_changes_nothing(
    connections: Connections,
) -> None:
    with admin_api(Admin()):
        await install(connections, SHOP, GRANT)
    before = datetime.now(UTC) - timedelta(minutes=1)
    event = AppUninstalled(shop=SHOP, event_id="1", happened_at=before)
    await mark_uninstalled(connections, event)
    assert await has_token(connections, SHOP)


async def test_an_uninstall_that_is_told_after_the_return_makes_the_pixel_and_the_import_anew(
    connections: Connections,
) -> None:
    with admin_api(Admin()) as admin:
        await install(connections, SHOP, GRANT)
        left = datetime.now(UTC) + timedelta(minutes=1)
        admin.pixel = None  # Shopify deletes it with the app
        async with connections.write() as db:
            db.add(BackfillRow(shop=SHOP, kind="orders", updated_at=datetime.now(UTC)))
            row = sealed_row(connections, SHOP, GRANT)
            row.updated_at = left + timedelta(minutes=1)
            await db.merge(row)
        await connections.redis.flushall()
        event = AppUninstalled(shop=SHOP, event_id="1", happened_at=left)
        await mark_uninstalled(connections, event)
        asked = len(admin.asked)
        await mark_uninstalled(connections, event)
    assert len(admin.asked) == asked
    assert admin.pixel is not None
    assert await queued(connections)
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert (shop.uninstalled_at, shop.installed_at) == (None, left + timedelta(minutes=1))
    assert await has_token(connections, SHOP)


async def test_scopes_change_for_this_shop_only_and_not_to_older_ones(
    connections: Connections,
) -> None:
    with admin_api(Admin()):
        await install(connections, SHOP, GRANT)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    newest = ScopesChanged(shop=SHOP, event_id="2", happened_at=soon, scopes=("read_orders",))
    older = ScopesChanged(
        shop=SHOP, event_id="1", happened_at=soon - timedelta(minutes=1), scopes=("read_themes",)
    )
    foreign = ScopesChanged(shop=OTHER, event_id="3", happened_at=soon, scopes=("read_files",))
    for event in (newest, older, foreign):
        await change_scopes(connections, event)
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.scopes == {"read_orders"}


async def test_scopes_told_late_are_those_that_a_newer_token_tells_of(connections: Connections) -> None:
    told_at = datetime.now(UTC) - timedelta(minutes=5)
    with admin_api(Admin()):
        await install(connections, SHOP, GRANT)
    more = replace(GRANT, scopes=GRANT.scopes | {"write_customers"})
    async with connections.write() as db:  # a token renewed meanwhile brings what was granted
        await db.merge(sealed_row(connections, SHOP, more))
    late = ScopesChanged(shop=SHOP, event_id="1", happened_at=told_at, scopes=tuple(more.scopes))
    await change_scopes(connections, late)
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.scopes == more.scopes


@pytest.mark.parametrize("key", ["", "pk_short", "pk_" + "a" * 44, "sk_" + "a" * 43, "pk_" + "a" * 43])
async def test_key_that_is_no_shops_is_nobodys(connections: Connections, key: str) -> None:
    assert await shop_by_publishable_key(connections, key) is None


async def test_key_is_remembered_of_the_database_it_was_read_in(
    connections: Connections, redis_url: str, empty_database: Path, tmp_path: Path
) -> None:
    with admin_api(Admin()):
        shop = await install(connections, SHOP, GRANT)
    assert await shop_by_publishable_key(connections, shop.publishable_key) == shop
    elsewhere = replace(connections.settings, database_url=f"sqlite+aiosqlite:///{tmp_path}/another.db")
    async with on_sqlite(elsewhere, redis_url, empty_database) as another:
        assert await shop_by_publishable_key(another, shop.publishable_key) is None


async def test_install_is_announced_to_every_process(connections: Connections) -> None:
    async with connections.redis.pubsub() as listener:
        await listener.subscribe(CHANGED)
        with admin_api(Admin()):
            await install(connections, SHOP, GRANT)
        heard = []
        while message := await listener.get_message(timeout=0.2):
            heard.append(message["data"])
    assert SHOP.encode() in heard


async def tax_rate(connections: Connections) -> float:
    async with connections.read() as db:
        return (await db.exec(select(ShopRow.tax_rate))).one()


def sold(total: str, tax: str, *, included: bool = True) -> dict[str, Any]:
    amounts = {
        "totalPriceSet": {"shopMoney": {"amount": total}},
        "totalTaxSet": {"shopMoney": {"amount": tax}},
    }
    return amounts | {"taxesIncluded": included}


@pytest.mark.parametrize(
    ("orders", "rate"),
    [
        ([sold("119.0", "19.0"), sold("11.9", "1.9"), sold("50.0", "0.0")], 0.19),  # the last was sent abroad
        ([sold("108", "8"), sold("110", "10"), sold("1080", "80")], 0.08),
        ([sold("119.0", "19.0", included=False), sold("0.0", "0.0")], None),
        ([], None),
    ],
)
def test_the_tax_in_prices_is_what_most_orders_held(orders: list[dict[str, Any]], rate: float | None) -> None:
    assert tax_rate_of(orders) == rate


async def test_the_tax_in_prices_stays_as_known_where_no_order_tells_it(connections: Connections) -> None:
    taxed = [sold("119.0", "19.0")]
    with admin_api(Admin(sold=taxed)) as admin:
        await install(connections, SHOP, GRANT)
        assert await tax_rate(connections) == 0.19
        admin.sold = []
        await describe(connections, SHOP)
        assert await tax_rate(connections) == 0.19
        admin.sold = None  # from now on it comes on top
        await describe(connections, SHOP)
    assert await tax_rate(connections) == 0.0


async def test_a_shop_is_described_where_its_orders_may_not_be_read(connections: Connections) -> None:
    with admin_api(Admin(sold=[], refuse={"LatestTaxes"})):
        assert (await install(connections, SHOP, GRANT)).currency == "EUR"
        await describe(connections, SHOP)
    assert await tax_rate(connections) == 0.0

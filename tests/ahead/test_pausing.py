"""A pause takes back what Shopify shows without asking us, against the dev store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.ahead import write
from app.ahead.customers import Done
from app.ahead.pausing import go_on, pause_shop
from app.ahead.write import write_offers_ahead
from app.campaigns.codes import pool_of
from app.campaigns.store import change_status, keep_campaign
from app.campaigns.supply import supply_codes
from app.connections import Connections
from app.coupons.pool import pool_key
from app.errors import ShopifyUnavailable
from app.offers.snapshot import ShopSnapshot
from app.shops.pausing import is_paused, pause
from app.shops.store import get_shop
from devstore.schema import MODULES
from devstore.shop import Function
from tests.ahead.test_write import held, stock
from tests.campaigns.factories import a_campaign
from tests.webhooks.shopfront import SCOPES, Shopfront, installed

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
NOW = datetime.now(UTC)
TEN_OFF = {"kind": "coupon", "discount": {"percentage": 10}}


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    """A shop with offers ahead, a campaign with codes and one with a discount without a code."""
    scopes = f"{SCOPES},write_customers,write_products,write_discounts"
    async with installed(connections, scopes) as made:
        await stock(made)
        made.shop.functions = {"offer-discount": Function(Path(), "", Path())}  # which nobody runs
        without_code = {"kind": "coupon", "discount": {"percentage": 5, "with_code": False}}
        for name, offer in (("codes", TEN_OFF), ("auto", without_code)):
            campaign = a_campaign(name, offer=offer, caps={"total": 12})
            await keep_campaign(connections, made.installed.shop, campaign)
            await change_status(connections, made.installed.shop, name, "running")
        yield made


async def work(front: Shopfront) -> None:
    """Do what the worker is asked for."""
    await supply_codes(front.connections, front.installed.shop)
    await write_offers_ahead(front.connections, front.installed.shop)


def paints(front: Shopfront) -> bool:
    return (f"Shop/{front.shop.id}", "offers") in held(front)


async def ready(front: Shopfront) -> int:
    pool = pool_of(a_campaign("codes", offer=TEN_OFF, caps={"total": 12}), front.installed.currency)
    return await front.connections.redis.llen(pool_key(front.installed.shop, str(pool)))


async def test_a_pause_hides_offers_ahead_at_once_ends_grants_and_leaves_codes_good(front: Shopfront) -> None:
    shop = front.installed.shop
    await work(front)
    assert (paints(front), len(front.shop.automatic), await ready(front)) == (True, 1, 12)
    await pause_shop(front.connections, shop, "7", NOW)
    assert not paints(front)
    await work(front)
    assert (paints(front), len(front.shop.automatic), await ready(front)) == (False, 0, 12)
    await go_on(front.connections, shop, "7", NOW)
    await work(front)
    assert (paints(front), len(front.shop.automatic), await ready(front)) == (True, 1, 12)


async def test_offers_that_were_under_way_when_the_shop_was_paused_are_not_shown(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_customers = write.write_customers

    async def paused_meanwhile(connections: Connections, shop: ShopSnapshot) -> Done:
        await pause(connections, shop.shop, "7", NOW)
        return await write_customers(connections, shop)

    monkeypatch.setattr(write, "write_customers", paused_meanwhile)
    await work(front)
    assert held(front)
    assert not paints(front)


async def test_without_shopify_the_shop_is_paused_all_the_same(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_connections: Connections, _shop: str) -> int:
        raise ShopifyUnavailable("away")

    monkeypatch.setattr("app.ahead.pausing.hide_offers", away)
    await pause_shop(front.connections, front.installed.shop, "7", NOW)
    shop = await get_shop(front.connections, front.installed.shop)
    assert shop is not None
    assert is_paused(shop.settings)

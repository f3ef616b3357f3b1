from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.campaigns.campaign import Running, read_campaign
from app.campaigns.codes import pool_of
from app.campaigns.store import change_status, keep_campaign
from app.campaigns.supply import READY, pool_size, supply_codes, wishes_of
from app.connections import Connections
from app.coupons.pool import pool_key
from devstore.schema import MODULES
from tests.webhooks.shopfront import SCOPES, Shopfront, installed

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
needs_packages = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


def campaign(**changes: Any) -> Any:
    offer = {"kind": "coupon", "discount": {"percentage": 10}}
    rule = {">=": [{"var": "cart.subtotal"}, 80]}
    return read_campaign({"id": "ten", "name": "Ten", "rule": rule, "offer": offer} | changes)


def wishes(*campaigns: Any) -> list[tuple[str, int]]:
    running = [Running(each, at) for at, each in enumerate(campaigns)]
    return [(wish.campaign_id, wish.size) for wish in wishes_of(running, "EUR", 500, NOW)]


def test_only_campaigns_that_give_out_codes_need_a_pool_and_never_more_than_they_may_show() -> None:
    banner = campaign(id="hello", offer={"kind": "banner", "key": "banner.reassurance"})
    without_code = campaign(
        id="auto", offer={"kind": "coupon", "discount": {"percentage": 5, "with_code": False}}
    )
    few = campaign(id="few", caps={"total": 40})
    assert wishes(campaign(), banner, without_code, few) == [("ten", 500), ("few", 40)]


def test_a_campaign_whose_time_is_over_needs_none() -> None:
    over = campaign(schedule={"ends_at": (NOW - timedelta(days=1)).isoformat()})
    assert wishes(over) == []


@pytest.mark.parametrize(
    ("setting", "size"), [(None, READY), (40, 40), (-1, READY), ("many", READY), (10**9, 10_000)]
)
def test_a_shop_may_keep_more_or_fewer_ready(setting: object, size: int) -> None:
    assert pool_size({} if setting is None else {"coupon_pool": setting}) == size


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    async with installed(connections, f"{SCOPES},write_discounts") as made:
        yield made


@needs_packages
async def test_a_campaign_has_its_codes_while_it_runs_and_none_once_it_stopped(front: Shopfront) -> None:
    shop, few = front.installed.shop, campaign(caps={"total": 12})
    pool = pool_of(few, front.installed.currency)
    assert pool is not None
    await keep_campaign(front.connections, shop, few)
    await supply_codes(front.connections, shop)
    assert await front.connections.redis.llen(pool_key(shop, pool)) == 0
    await change_status(front.connections, shop, "ten", "running")
    await supply_codes(front.connections, shop)
    assert await front.connections.redis.llen(pool_key(shop, pool)) == 12
    await change_status(front.connections, shop, "ten", "stopped")
    await supply_codes(front.connections, shop)
    assert await front.connections.redis.llen(pool_key(shop, pool)) == 0

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.admin.language import speaking
from app.admin.sentences import told
from app.campaigns.arms import served
from app.campaigns.campaign import Running, read_campaign
from app.campaigns.codes import pool_of
from app.campaigns.store import change_status, get_campaign, keep_campaign
from app.campaigns.supply import READY, pool_size, promises_of, supply_codes, wishes_of
from app.connections import Connections, redis_key
from app.coupons.pool import pool_key
from app.experiments.assign import Arm, Experiment
from app.experiments.design import read_design
from app.experiments.versions import draft, start
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


def a_test(**discount: Any) -> Experiment:
    """Return an experiment whose second arm gives another discount."""
    changes = {"campaigns": {"ten": {"offer": {"discount": discount}}}}
    return Experiment("salt", (Arm("as_is", 0.5), Arm("other", 0.5, changes)), 1.0, "discount", "1")


def test_what_an_arm_makes_of_a_campaign_has_a_pool_of_its_own_where_it_takes_off_something_else() -> None:
    running, banner = [Running(campaign(), 0)], campaign(id="hello", offer={"kind": "banner"})
    dearer = served([*running, Running(banner, 1)], [a_test(percentage=15)])
    found = wishes_of(dearer, "EUR", 500, NOW)
    assert [each.terms.percentage for each in found] == [10, 15]
    assert len({each.pool_id for each in found}) == 2
    renamed = Experiment("salt", (Arm("other", 1.0, {"campaigns": {"ten": {"priority": 9}}}),), 1.0, "p", "1")
    assert len(wishes_of(served(running, [renamed]), "EUR", 500, NOW)) == 1
    assert served(running, [a_test(percentage=-1)]) == running
    assert len(promises_of(served(running, [a_test(with_code=False)]), "EUR", NOW)) == 1


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


@needs_packages
async def test_a_campaign_whose_discount_was_deactivated_stops_until_it_is_started_again(
    front: Shopfront,
) -> None:
    shop, few = front.installed.shop, campaign(caps={"total": 12})
    pool = str(pool_of(few, front.installed.currency))
    await keep_campaign(front.connections, shop, few)
    await change_status(front.connections, shop, "ten", "running")
    await supply_codes(front.connections, shop)
    (discount,) = [each for each in front.shop.discounts.values() if each.title == few.name]
    discount.ends_at = off = datetime.now(UTC)
    for _ in range(2):
        await front.connections.redis.delete(redis_key(shop, "coupons", "looked"))
        await supply_codes(front.connections, shop)
        kept = await get_campaign(front.connections, shop, "ten")
        assert (kept.status, few.name in kept.reason) == ("stopped", True)
        with speaking("de"):
            assert told(kept.reason).startswith(f"ihr Rabatt „{few.name}“ wurde in Shopify deaktiviert")
        assert await front.connections.redis.llen(pool_key(shop, pool)) == 0
        assert discount.ends_at == off
    await change_status(front.connections, shop, "ten", "running")
    await supply_codes(front.connections, shop)
    (again,) = [
        each for each in front.shop.discounts.values() if each.title == few.name and each is not discount
    ]
    assert await front.connections.redis.llen(pool_key(shop, pool)) == len(again.codes) == 12
    assert discount.ends_at == off
    assert (await get_campaign(front.connections, shop, "ten")).reason == ""


@needs_packages
async def test_what_the_merchant_decided_stands_where_a_discount_was_deactivated(front: Shopfront) -> None:
    shop, few = front.installed.shop, campaign(caps={"total": 12})
    await keep_campaign(front.connections, shop, few)
    await change_status(front.connections, shop, "ten", "running")
    await supply_codes(front.connections, shop)
    await change_status(front.connections, shop, "ten", "paused")
    for discount in front.shop.discounts.values():
        discount.ends_at = datetime.now(UTC)
    await supply_codes(front.connections, shop)
    kept = await get_campaign(front.connections, shop, "ten")
    assert (kept.status, kept.reason) == ("paused", "")


@needs_packages
async def test_an_arm_of_an_experiment_has_codes_of_its_own_discount(front: Shopfront) -> None:
    shop, few, now = front.installed.shop, campaign(caps={"total": 12}), datetime.now(UTC)
    await keep_campaign(front.connections, shop, few)
    await change_status(front.connections, shop, "ten", "running")
    changes = {"campaigns": {"ten": {"offer": {"discount": {"percentage": 15}}}}}
    arms = [{"name": "as_is"}, {"name": "dearer", "changes": changes}]
    design = read_design({"id": "discount", "control": "as_is", "arms": arms})
    await draft(front.connections, shop, design, now)
    started = await start(front.connections, shop, "discount", now)
    await supply_codes(front.connections, shop)
    pools = [
        pool_of(each, front.installed.currency) for each, _ in served([Running(few, 0)], [started.experiment])
    ]
    ready = [await front.connections.redis.llen(pool_key(shop, str(each))) for each in pools]
    assert ready == [12, 12]

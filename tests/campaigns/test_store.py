import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, update

from app.campaign_tables import CampaignRow
from app.campaigns.store import (
    all_campaigns,
    campaigns_fingerprint,
    change_status,
    get_campaign,
    keep_campaign,
    remove_draft,
    running_campaigns,
)
from app.connections import Connections
from app.errors import InputError, NotFound
from app.tables import ShopRow
from app.values import ShopDomain
from tests.campaigns.factories import NOW, a_campaign

SHOP = ShopDomain("acme.myshopify.com")
OTHER = ShopDomain("other.myshopify.com")


async def test_a_campaign_is_a_draft_until_it_is_started(on_both_databases: Connections) -> None:
    connections, campaign = on_both_databases, a_campaign(rule={">": [{"var": "cart.subtotal"}, 50]})
    kept = await keep_campaign(connections, SHOP, campaign)
    assert (kept.campaign, kept.status) == (campaign, "draft")
    assert await running_campaigns(connections, SHOP) == []
    await change_status(connections, SHOP, "help", "running")
    assert [each.campaign for each in await running_campaigns(connections, SHOP)] == [campaign]
    assert (await get_campaign(connections, SHOP, "help")).status == "running"


async def test_a_changed_campaign_keeps_its_number_and_its_status(connections: Connections) -> None:
    await keep_campaign(connections, SHOP, a_campaign("first"))
    before = await keep_campaign(connections, SHOP, a_campaign("second"))
    await change_status(connections, SHOP, "second", "running")
    after = await keep_campaign(connections, SHOP, a_campaign("second", priority=5))
    assert (before.number, after.number, after.status) == (1, 1, "running")
    assert [each.campaign.id for each in await all_campaigns(connections, SHOP)] == ["second", "first"]


async def test_campaigns_kept_at_once_have_each_a_number_of_their_own(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW))
    kept = await asyncio.gather(*(keep_campaign(connections, SHOP, a_campaign(f"c{n}")) for n in range(8)))
    assert sorted(each.number for each in kept) == list(range(8))


async def test_to_say_again_what_stands_changes_nothing(connections: Connections) -> None:
    await keep_campaign(connections, SHOP, a_campaign())
    stopped = await change_status(connections, SHOP, "help", "stopped", "too many errors")
    assert await change_status(connections, SHOP, "help", "stopped") == stopped
    assert await get_campaign(connections, SHOP, "help") == stopped


async def test_every_change_is_seen_in_the_fingerprint(connections: Connections) -> None:
    seen = [await campaigns_fingerprint(connections, SHOP)]
    await keep_campaign(connections, SHOP, a_campaign())
    seen.append(await campaigns_fingerprint(connections, SHOP))
    await change_status(connections, SHOP, "help", "running")
    seen.append(await campaigns_fingerprint(connections, SHOP))
    assert len(set(seen)) == 3


async def test_a_shop_knows_nothing_of_the_campaigns_of_another(connections: Connections) -> None:
    await keep_campaign(connections, SHOP, a_campaign())
    assert await all_campaigns(connections, OTHER) == []
    with pytest.raises(NotFound, match=r"other\.myshopify\.com has no campaign 'help'"):
        await change_status(connections, OTHER, "help", "running")


async def test_a_draft_is_removed_and_what_was_started_stays(on_both_databases: Connections) -> None:
    connections = on_both_databases
    for name in ("first", "second"):
        await keep_campaign(connections, SHOP, a_campaign(name))
        await keep_campaign(connections, OTHER, a_campaign(name))
    await change_status(connections, SHOP, "first", "running")
    await change_status(connections, SHOP, "first", "stopped")
    before = await campaigns_fingerprint(connections, SHOP)
    with pytest.raises(InputError, match="was started already"):
        await remove_draft(connections, SHOP, "first")
    await remove_draft(connections, SHOP, "second")
    assert [each.campaign.id for each in await all_campaigns(connections, SHOP)] == ["first"]
    assert await campaigns_fingerprint(connections, SHOP) != before
    with pytest.raises(NotFound):
        await remove_draft(connections, SHOP, "second")
    assert len(await all_campaigns(connections, OTHER)) == 2


async def test_what_has_ended_is_not_started(connections: Connections) -> None:
    over = a_campaign(schedule={"ends_at": (NOW - timedelta(days=900)).isoformat()})
    await keep_campaign(connections, SHOP, over)
    with pytest.raises(InputError, match="has ended; give it a later end"):
        await change_status(connections, SHOP, "help", "running")


async def test_a_campaign_that_can_not_be_read_any_more_stops_no_other(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("good", "bad"):
        await keep_campaign(connections, SHOP, a_campaign(name))
        await change_status(connections, SHOP, name, "running")
    async with connections.write() as db:
        await db.exec(update(CampaignRow).where(col(CampaignRow.campaign_id) == "bad").values(content={}))
    assert [each.campaign.id for each in await running_campaigns(connections, SHOP)] == ["good"]
    assert "a campaign can't be read" in caplog.text

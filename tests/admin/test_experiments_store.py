"""What the admin changes for good with one write, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from app.admin.experiments_store import choices, keep_arm
from app.admin.products_store import keep_wish
from app.campaigns.store import get_campaign
from app.connections import Connections
from app.errors import InputError
from app.experiments.design import read_design
from app.experiments.versions import draft, start, versions
from app.recommend.publish import current_version
from app.shops.store import Shop, get_shop
from app.values import ShopDomain
from tests.admin.campaign_factories import keep_named
from tests.admin.experiment_factories import days_ago, design
from tests.admin.factories import SHOP, keep, now, product, shop_row
from tests.admin.model_factories import keep_models


async def the_shop(connections: Connections) -> Shop:
    found = await get_shop(connections, SHOP)
    assert found is not None
    return found


async def tried(connections: Connections, changes: dict[str, Any]) -> None:
    """Start an experiment named `dear` of these changes, or its next version."""
    arms = [{"name": "as_it_is"}, {"name": "changed", "changes": changes}]
    await draft(connections, ShopDomain(SHOP), read_design(design(arms=arms)), days_ago(1))
    await start(connections, ShopDomain(SHOP), "dear", days_ago(1))


async def test_an_arm_is_kept_whole_with_the_end_of_its_experiment(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await keep(connections, shop_row(settings={"pinned": [1], "locale": "de"}))
    await keep_named(connections, "free-shipping", "running")
    changes = {"pinned": None, "dear_ratio": 3, "campaigns": {"free-shipping": {"priority": 7}}}
    await tried(connections, changes)
    await keep_arm(connections, await the_shop(connections), "dear", 1, "changed", now())
    assert (await the_shop(connections)).settings == {"locale": "de", "dear_ratio": 3}
    kept = await get_campaign(connections, SHOP, "free-shipping")
    assert (kept.campaign.priority, kept.status) == (7, "running")
    (version,) = await versions(connections, SHOP)
    assert version.status == "stopped"


async def test_nothing_of_an_arm_is_kept_where_a_campaign_of_it_is_gone(connections: Connections) -> None:
    await keep(connections, shop_row())
    before, serving = await keep_models(connections)
    changes = {"model": before, "dear_ratio": 3, "campaigns": {"gone": {"priority": 7}}}
    await tried(connections, changes)
    with pytest.raises(InputError, match="campaign is not there any more"):
        await keep_arm(connections, await the_shop(connections), "dear", 1, "changed", now())
    assert current_version(connections.settings.data_dir, ShopDomain(SHOP)) == serving
    assert (await the_shop(connections)).settings == {}
    assert [each.status for each in await versions(connections, SHOP)] == ["running"]


async def test_keeping_an_arm_of_an_older_version_ends_the_newer_one_too(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    await keep(connections, shop_row())
    await tried(connections, {"dear_ratio": 3})
    await tried(connections, {"dear_ratio": 4})
    await keep_arm(connections, await the_shop(connections), "dear", 1, "changed", now())
    assert (await the_shop(connections)).settings == {"dear_ratio": 3}
    assert [each.status for each in await versions(connections, SHOP)] == ["stopped", "stopped"]


async def test_a_wish_is_kept_beside_the_other_settings(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await keep(connections, shop_row(settings={"locale": "de"}), *product(1, "Butter"))
    shop = await the_shop(connections)
    assert not (await choices(connections, shop)).wishes
    assert await keep_wish(connections, shop, 1, "0.5") == "Butter"
    shop = await the_shop(connections)
    assert shop.settings == {"locale": "de", "boosts": {"1": 0.5}}
    assert (await choices(connections, shop)).wishes

from typing import Any

import pytest
import respx

from app.connections import Connections
from app.consent.policies import (
    current_policy,
    policy_history,
    read_policies,
    read_policy,
    regions_of,
)
from app.consent.policy import UNREAD, RegionPolicy
from app.shops.changes import CHANGED
from app.shops.tokens import sealed_row
from app.tables import ShopRow
from app.values import shop_domain
from devstore.schema import MODULES
from tests.offers.factories import NOW
from tests.shops.test_tokens import GRAPHQL_URL, SHOP, grant
from tests.webhooks.shopfront import SCOPES, installed
from webhooks.backfill import run_backfill

BANNER = {"banner": {"enabled": True, "autoManaged": True}}


async def install(connections: Connections, shop: str = SHOP) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=shop, publishable_key=f"pk_{shop}", installed_at=NOW))
        db.add(sealed_row(connections, shop, grant()))


def answering(*regions: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"data": {"privacySettings": BANNER | settings, "consentPolicy": list(regions)}}


def region(country: str | None, asks: bool | None, code: str | None = None) -> dict[str, Any]:
    return {
        "countryCode": country, "regionCode": code, "consentRequired": asks, "dataSaleOptOutRequired": False
    }  # fmt: skip


async def test_every_change_of_the_settings_is_kept_and_announced_and_a_look_at_the_same_is_noted(
    connections: Connections,
) -> None:
    await install(connections)
    async with connections.redis.pubsub() as channel:
        await channel.subscribe(CHANGED)
        with respx.mock:
            route = respx.post(GRAPHQL_URL)
            for asks in (True, True, False):
                route.respond(json=answering(region("DE", asks)))
                await read_policy(connections, SHOP)
        told = [await channel.get_message(ignore_subscribe_messages=True, timeout=1) for _ in range(4)]
    assert [each["data"] for each in told if each] == [SHOP.encode()] * 2
    newest, first = await policy_history(connections, SHOP)
    assert (newest.policy.regions, first.policy.regions) == (
        {"DE": RegionPolicy(False, False)}, {"DE": RegionPolicy(True, False)}
    )  # fmt: skip
    assert newest.policy.version != first.policy.version
    assert first.read_at < first.checked_at < newest.read_at == newest.checked_at
    assert (await current_policy(connections, SHOP)) == newest.policy
    assert newest.settings == BANNER


async def test_a_shop_that_can_not_be_read_keeps_what_it_had_and_holds_up_no_other(
    connections: Connections,
) -> None:
    other = shop_domain("zeta.myshopify.com")
    await install(connections)
    await install(connections, other)
    with respx.mock:
        respx.post(GRAPHQL_URL).respond(json=answering(region("DE", True)))
        respx.post(GRAPHQL_URL.replace(SHOP, other)).respond(json=answering(region("US", False)))
        await read_policies(connections)
    await connections.redis.delete("tw:turns")  # an hour later
    with respx.mock:
        respx.post(GRAPHQL_URL).respond(403)
        respx.post(GRAPHQL_URL.replace(SHOP, other)).respond(json=answering(region("US", True)))
        await read_policies(connections)
    assert (await current_policy(connections, SHOP)).regions == {"DE": RegionPolicy(True, False)}
    assert (await current_policy(connections, other)).regions == {"US": RegionPolicy(True, False)}


async def test_before_the_first_look_nothing_is_allowed_unasked(connections: Connections) -> None:
    assert await current_policy(connections, SHOP) is UNREAD


@pytest.mark.parametrize("code", ["CA", "US-CA", "us-ca"])
def test_a_region_is_found_by_either_way_of_writing_its_code(code: str) -> None:
    assert regions_of([region("US", True, code)]) == {"US-CA": RegionPolicy(True, False)}


def test_regions_are_named_by_country_and_province_and_what_names_neither_says_nothing() -> None:
    found = regions_of([region("us", False), region("US", True, "ca"), region(None, False), {}])
    assert found == {"US": RegionPolicy(False, False), "US-CA": RegionPolicy(True, False)}


@pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
async def test_the_settings_are_read_on_install(connections: Connections) -> None:
    async with installed(connections, SCOPES + ",read_privacy_settings") as front:
        assert await policy_history(front.connections, front.installed.shop) == []
        await run_backfill(front.connections, front.installed.shop)
        (read,) = await policy_history(front.connections, front.installed.shop)
        assert read.policy.regions["DE"].consent_required is True

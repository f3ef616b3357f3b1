"""A campaign whose discount changes while shoppers hold its codes: none is said to do what it does not."""

from __future__ import annotations

from typing import Any

from app.campaigns.codes import pool_of
from app.connections import Connections
from app.coupons.pool import fill
from tests.campaigns.factories import TEN_PERCENT, a_campaign
from tests.campaigns.till import kept, nudges, run
from tests.offers.factories import EVERYTHING, SHOP
from tests.test_decide import a_till, a_trained_shop, ask
from tests.test_live import until

TWENTY = {"kind": "coupon", "discount": {"percentage": 20}}


async def fill_pool(connections: Connections, offer: dict[str, Any], *codes: str) -> None:
    await fill(connections, SHOP, str(pool_of(a_campaign("ten", offer=offer), "USD")), codes)


async def discounts_of(client: Any) -> list[dict[str, Any]]:
    answer = await ask(client, 10, consent=EVERYTHING)
    return [offer["discount"] for offer in answer["offers"] if "campaign" in offer]


async def test_who_holds_a_code_has_one_of_the_new_terms_until_their_old_end(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT)
    await fill_pool(connections, TEN_PERCENT, "TEN-0")
    await fill_pool(connections, TWENTY, "TWENTY-0", "TWENTY-1")
    async with a_till(connections) as client:
        (before,) = await discounts_of(client)
        await run(connections, "ten", offer=TWENTY)

        async def is_changed() -> bool:
            return [each["percentage"] for each in await discounts_of(client)] == [20.0]

        await until(is_changed)
        (after,) = await discounts_of(client)
    assert (before["code"], after["code"]) == ("TEN-0", "TWENTY-0")
    assert after["expires_at"] == before["expires_at"]
    assert (await kept(connections)).fired["ten"].code == "TWENTY-0"


async def test_where_no_code_of_the_new_terms_is_left_the_old_one_is_not_told_to_do_what_they_say(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT)
    await fill_pool(connections, TEN_PERCENT, "TEN-0")
    async with a_till(connections) as client:
        assert [each["code"] for each in await discounts_of(client)] == ["TEN-0"]
        await run(connections, "ten", offer=TWENTY)

        async def is_gone() -> bool:
            return nudges(await ask(client, 10, consent=EVERYTHING)) == []

        await until(is_gone)

"""Logged decisions found in the database, on both that there are."""

from __future__ import annotations

from datetime import timedelta

from app.admin.decisions_filter import Filter
from app.admin.decisions_store import find, outcomes
from app.admin.settings_store import count_answers, decisions_since, feedback_on
from app.connections import Connections
from app.shops.store import Shop, get_shop
from tests.admin.factories import (
    OTHER,
    SHOP,
    decision,
    feedback,
    keep,
    keep_busy_shop,
    now,
    shop_row,
)


async def the_shop(connections: Connections) -> Shop:
    found = await get_shop(connections, SHOP)
    assert found is not None
    return found


async def found_ids(connections: Connections, products: list[int] | None = None, **wanted: str) -> set[str]:
    found = await find(connections, await the_shop(connections), Filter(**wanted), products)
    return {each.decision_id for each in found.decisions}


async def test_every_way_to_ask_finds_the_same_on_both_databases(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await keep_busy_shop(connections)
    offers = [{"offer_id": "o", "kind": "banner", "campaign": "10_percent", "why": []}]
    await keep(connections, shop_row(OTHER), decision(3, OTHER), decision(4, answer={"offers": offers}))
    assert await found_ids(connections) == {"d0", "d1", "d2", "d4"}
    assert await found_ids(connections, products=[2]) == {"d0", "d1"}
    assert await found_ids(connections, products=[1]) == set()
    assert await found_ids(connections, products=[]) == set()
    assert await found_ids(connections, campaign="10_percent") == {"d4"}
    assert await found_ids(connections, campaign="10-percent") == set()  # an underscore is no wildcard
    assert await found_ids(connections, outcome="accepted") == {"d0"}
    assert await found_ids(connections, fallback="any") == {"d1"}
    assert await found_ids(connections, rung="contextual", arm="holdout") == {"d2"}


async def test_what_became_of_offers_is_told_by_offer(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await keep_busy_shop(connections)
    await keep(connections, feedback(1, "dismissed"))
    shop = await the_shop(connections)
    came = await outcomes(connections, shop, ["d0", "d1", "d2"])
    assert sorted(came["d0"]["o"]) == ["accepted", "shown"]
    assert came["d1"]["o"] == ["dismissed"]
    assert "d2" not in came
    assert await feedback_on(connections, shop, ["d1"]) == {("d1", "o"): {"dismissed"}}


async def test_the_shops_decisions_are_counted_and_read_in_parts(on_both_databases: Connections) -> None:
    connections = on_both_databases
    at = now() - timedelta(hours=1)
    old = decision(90, decided_at=at - timedelta(days=40))
    rows = [decision(n, decided_at=at - timedelta(seconds=n // 4)) for n in range(10)]
    await keep(connections, shop_row(), shop_row(OTHER), *rows, old, decision(50, OTHER))
    shop, since = await the_shop(connections), at - timedelta(days=30)
    assert await count_answers(connections, shop, since) == 10
    parts = [part async for part in decisions_since(connections, shop, since, 7)]
    assert [row.decision_id for part in parts for row in part][:4] == ["d3", "d2", "d1", "d0"]
    assert sum(map(len, parts)) == 7

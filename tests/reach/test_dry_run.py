"""What a campaign for who left would have done about the last checkouts left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.campaigns.campaign import Campaign
from app.connections import Connections
from app.reach.dry_run import dry_run_on_abandoned
from app.reach_tables import AbandonmentRow
from app.shops.store import get_shop
from tests.campaigns.factories import TEN_PERCENT, a_campaign
from tests.reach.places import ADA, BO, NOW, SHOP, a_shop

ABOVE_50 = {">": [{"var": "cart.subtotal"}, 50]}


def writes(**changes: Any) -> Campaign:
    fields: dict[str, Any] = {"rule": ABOVE_50, "trigger": "abandonment", "offer": TEN_PERCENT, "holdout": 1}
    return a_campaign("left", **(fields | changes))


def left(number: int, customer: int | None, subtotal_minor: int, **changes: Any) -> AbandonmentRow:
    at = NOW + timedelta(minutes=number)
    times = {"began_at": at, "last_at": at, "silent_since": at, "abandoned_at": at}
    fields: dict[str, Any] = {"kind": "checkout", "lines": [[11, 1]], "currency": "USD"}
    return AbandonmentRow(
        shop=SHOP, abandonment_id=f"a{number}", customer_id=customer, subtotal_minor=subtotal_minor,
        **(times | fields | changes),
    )  # fmt: skip


async def tried(connections: Connections, campaign: Campaign, last: int, *rows: Any) -> Any:
    await a_shop(connections)
    async with connections.write() as db:
        db.add_all(rows)
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    return await dry_run_on_abandoned(connections, shop, campaign, last)


async def test_those_whose_rule_holds_would_have_been_written_to(on_both_databases: Connections) -> None:
    found = await tried(
        on_both_databases,
        writes(),
        100,
        left(1, ADA, 6_000, resolution="ordered"),
        left(2, BO, 6_000),
        left(3, BO, 7_000),
        left(4, ADA, 4_000),  # not above 50
        left(5, None, 9_000),  # nobody that may be written to
    )
    assert (found.looked_at, found.written, found.shoppers, found.bought) == (4, 3, 2, 1)
    assert found.says() == (
        "Would have written 3 messages to 2 customers about the last 4 checkouts that were left by who may "
        "be written to; 1 of these were ordered anyway."
    )


async def test_caps_hold_and_the_latest_are_looked_at(connections: Connections) -> None:
    rows = [left(number, ADA if number < 4 else BO, 6_000) for number in range(6)]
    found = await tried(connections, writes(caps={"per_visitor": 1}), 4, *rows)
    assert (found.looked_at, found.written, found.left_out) == (4, 2, {"capped": 2})


async def test_of_nobody_left_it_says_so(connections: Connections) -> None:
    assert (await tried(connections, writes(), 9)).says().startswith("Nobody who may be written to has left")

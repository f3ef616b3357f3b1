"""From a running experiment over real decisions and orders to what is read of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from app.connections import Connections
from app.consent.policy import Consent, permissions
from app.events.kinds import DecisionMade
from app.experiments.analysis import Verdict
from app.experiments.design import read_design
from app.experiments.refusal import Refusal
from app.experiments.store import read_out
from app.experiments.versions import draft, start
from app.offers.answer import answer_to
from app.offers.replay import entry_of
from app.offers.situation import Occasion, in_arms, situation_of
from app.offers.store import record_decisions
from app.offers.wire import read_question
from app.profiles.recall import Shopper
from app.snapshots import load_snapshot
from app.tables import OrderRow, ProductRow, VariantRow
from tests.attribution.test_store import SHOP, a_shop, write
from tests.experiments.factories import NOW
from tests.experiments.test_design import a_design
from tests.offers.factories import a_body, as_json

WHEN = NOW - timedelta(days=20)
ALLOWED = Consent(analytics=True)


async def products(connections: Connections) -> None:
    fields: dict[str, Any] = {"shop": SHOP, "created_at": NOW, "updated_at": NOW}
    for number in (10, 20, 30):
        await write(connections, ProductRow(product_id=number, title=f"Tea {number}", **fields))
        await write(
            connections,
            VariantRow(shop=SHOP, variant_id=1000 + number, product_id=number, price_minor=500),
        )


async def decided(connections: Connections, visitors: int) -> list[DecisionMade]:
    """Return what was logged of that many visitors of the shop as it is."""
    shop = await load_snapshot(connections, SHOP)
    assert shop is not None
    made = []
    for n in range(visitors):
        question = read_question(as_json(a_body(client_id=f"c{n}", checkout_token=f"t{n}")))
        occasion = in_arms(Occasion(f"d{n}", WHEN, shop, question, ALLOWED, permissions(ALLOWED), Shopper()))
        situation = situation_of(occasion)
        made.append(entry_of(occasion, situation, answer_to(occasion, situation), 1))
    return made


async def test_an_arm_that_sells_is_found_and_nobody_of_the_holdout_is_in_it(
    connections: Connections,
) -> None:
    await write(connections, a_shop())
    await products(connections)
    arms = [{"name": "as_is"}, {"name": "pinned", "changes": {"pinned": [10]}}]
    await draft(connections, SHOP, read_design(a_design(arms=arms, metric="conversion")), WHEN)
    await start(connections, SHOP, "pin", WHEN, ramp=0.8)
    made = await decided(connections, 1_200)
    for entry in made:
        await record_decisions(
            connections, [msgspec.json.decode(msgspec.json.encode(entry), type=DecisionMade)]
        )
        first = entry.answer["offers"][0]["product"]["title"] if entry.answer["offers"] else None
        arm = entry.inputs["experiments"].get("pin", ["", ""])[1]
        assert (arm == "pinned") == (first == "Tea 10")
        if entry.arm == "holdout":
            assert "pin" not in entry.inputs["experiments"]
    await write(connections, *orders(made))
    found = await read_out(connections, SHOP, "pin", NOW)
    assert sum(found.counts) == sum("pin" in each.inputs["experiments"] for each in made)
    assert 0.65 < sum(found.counts) / 1_200 < 0.79  # .9 personalised * .8 let in
    told = found.reading.metrics["conversion"]
    assert not isinstance(told, Refusal)
    assert told[0].verdict is Verdict.BETTER
    standing = await read_out(connections, SHOP, "standing", NOW)
    assert sum(standing.counts) == 1_200
    assert dict(zip(standing.design.shares, standing.counts, strict=True))["holdout"] > 30


def orders(made: list[DecisionMade]) -> list[OrderRow]:
    """Return an order of every second visitor who was shown product 10, and of every fourth other."""
    rows = []
    for n, entry in enumerate(made):
        pinned = entry.inputs["experiments"].get("pin", ["", ""])[1] == "pinned"
        if n % (2 if pinned else 4) == 0:
            rows.append(
                OrderRow(
                    shop=SHOP,
                    order_id=n + 1,
                    checkout_token=f"t{n}",
                    currency="EUR",
                    subtotal_minor=1_000,
                    created_at=WHEN + timedelta(hours=1),
                    updated_at=NOW,
                )
            )
    return rows

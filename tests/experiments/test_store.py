from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments import record_store
from app.experiments.assign import pseudonym
from app.experiments.baseline import baseline_of
from app.experiments.design import read_design, standing_design
from app.experiments.mismatch import Mismatch
from app.experiments.outcomes import DataQuality, Observations
from app.experiments.refusal import Cause, Refusal
from app.experiments.store import EVER, Readout, observed_since, read_out, reading_of
from app.experiments.units import Units
from app.experiments.versions import draft, get_version, start
from app.tables import (
    OF_SHIPPING,
    DecisionRow,
    EventRow,
    FeedbackRow,
    ItemCostRow,
    OrderLineRow,
    OrderRow,
    RefundRow,
    VariantRow,
)
from tests.attribution.test_store import SHOP, a_shop, write
from tests.experiments.factories import NOW, drawn, with_columns
from tests.experiments.test_design import a_design

STANDING = "holdout=0.05 personalised=0.9 static=0.05"
WHEN = NOW - timedelta(days=20)


def a_decision(decision_id: str, arm: str = "as_is", **changes: Any) -> DecisionRow:
    version, name = changes.pop("version", "1"), changes.pop("experiment", "pin")
    inputs = {"unit": f"client:{decision_id}", "experiments": {name: [version, arm, 0.5]}}
    inputs |= changes.pop("inputs", {})
    fields = {
        "shop": SHOP, "decided_at": WHEN, "surface": "checkout", "rung": "session", "arm": "personalised",
        "checkout_token": f"token-{decision_id}", "inputs": inputs,
    }  # fmt: skip
    return DecisionRow(decision_id=decision_id, **(fields | changes))


def an_order(order_id: int, token: str, **changes: Any) -> OrderRow:
    fields = {
        "shop": SHOP, "checkout_token": token, "currency": "EUR", "subtotal_minor": 1_000,
        "created_at": WHEN + timedelta(hours=1), "updated_at": NOW,
    }  # fmt: skip
    return OrderRow(order_id=order_id, **(fields | changes))


def a_line(order_id: int, product_id: int = 10, variant_id: int | None = None) -> OrderLineRow:
    return OrderLineRow(
        shop=SHOP, line_id=order_id, order_id=order_id, product_id=product_id, variant_id=variant_id,
        quantity=2, price_minor=500,
    )  # fmt: skip


async def running(
    connections: Connections, *rows: Any, design: dict[str, Any] | None = None, **settings: Any
) -> None:
    """Write a shop with an experiment that runs, and the rows."""
    shop = a_shop()
    shop.settings = settings
    await write(connections, shop)
    await write(connections, *rows)
    await draft(connections, SHOP, read_design(design or a_design()), WHEN)
    await start(connections, SHOP, "pin", WHEN)


async def read(connections: Connections, name: str = "pin", **version: str) -> Readout:
    return await read_out(connections, SHOP, name, NOW, **version)


async def units_of(connections: Connections, name: str = "pin", version: str = "1") -> Units:
    """Return what each person of the version did."""
    if name == "standing":
        design = standing_design(version)
    else:
        design = (await get_version(connections, SHOP, name, int(version))).design
    return (await observed_since(connections, SHOP, {EVER: design}, version, NOW))[EVER].units


async def test_units_orders_refunds_and_acceptances_meet(on_both_databases: Connections) -> None:
    refund = RefundRow(
        shop=SHOP, refund_id=1, line_id=1, order_id=1, amount_minor=200, created_at=WHEN + timedelta(days=2)
    )
    of_shipping = RefundRow(**refund.model_dump() | {"line_id": OF_SHIPPING, "amount_minor": 90})
    back = refund.model_dump() | {"amount_minor": 300, "quantity": 1}
    one_unit = RefundRow(**back | {"refund_id": 2})
    too_late = RefundRow(**back | {"refund_id": 3, "created_at": WHEN + timedelta(days=15)})
    accepted = FeedbackRow(
        shop=SHOP, event_id="e", decision_id="a", offer_id="o", kind="accepted", happened_at=WHEN
    )
    connections = on_both_databases
    await running(
        connections, a_decision("a", "pinned"), a_decision("b"), an_order(1, "token-a"), a_line(1), refund,
        of_shipping, one_unit, too_late, accepted, an_order(2, "token-z"), costs={"10": 150},
    )  # fmt: skip
    found, units = await read(connections), await units_of(connections)
    assert (found.counts, units.arm.tolist()) == ((1, 1), [1, 0])
    assert (units.bought.tolist(), units.revenue.tolist()) == ([1, 0], [500, 0])
    assert (units.profit.tolist(), units.accepted.tolist()) == ([350, 0], [1, 0])  # 500 less the 150 of one


async def test_a_guests_browser_is_told_by_their_checkout_and_by_no_offer(
    on_both_databases: Connections,
) -> None:
    units = [pseudonym(SHOP, f"client:{name}") for name in "ab"]
    events = [
        EventRow(
            shop=SHOP, event_id=f"browser:{name}", name=told, happened_at=WHEN, recorded_at=WHEN,
            client_id=name, checkout_token=f"token-{name}",
        )
        for name, told in (("a", "checkout_started"), ("b", "tillwise:offer_shown"))
    ]  # fmt: skip
    decisions = [
        a_decision(f"in {name}", checkout_token=None, inputs={"unit": unit})
        for name, unit in zip("ab", units, strict=True)
    ]
    orders = [an_order(1, "token-a"), an_order(2, "token-b")]
    await running(on_both_databases, *decisions, *events, *orders)
    assert (await units_of(on_both_databases)).orders.tolist() == [1, 0]


async def test_what_is_read_in_parts_is_all_of_it(
    on_both_databases: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = on_both_databases
    decisions = [a_decision(f"{n}", ("as_is", "pinned")[n % 2]) for n in range(11)]
    orders = [an_order(n, f"token-{n}") for n in range(0, 11, 3)]
    await running(connections, *decisions, *orders, *(a_line(n) for n in range(0, 11, 3)), costs={"10": 100})
    whole, profit = await read(connections), (await units_of(connections)).profit
    monkeypatch.setattr(record_store, "_AT_ONCE", 2)
    parts, again = await read(connections), (await units_of(connections)).profit
    assert parts.counts == whole.counts == (6, 5)
    assert again.tolist() == profit.tolist()
    assert sorted(again.tolist())[-4:] == [800.0] * 4


async def test_what_shopify_says_that_each_variant_costs_is_what_goods_cost(
    on_both_databases: Connections,
) -> None:
    variants = [
        row
        for number, cost in ((1, 100), (2, 370))
        for row in (
            VariantRow(
                shop=SHOP, variant_id=number, product_id=10, price_minor=500, inventory_item_id=number
            ),
            ItemCostRow(shop=SHOP, inventory_item_id=number, cost_minor=cost, updated_at=NOW),
        )
    ]
    lines = [a_line(number, variant_id=number) for number in (1, 2)]
    said = a_line(3, product_id=11, variant_id=2)
    orders = [an_order(number, f"token-{name}") for number, name in enumerate("abc", 1)]
    decisions = [a_decision(name) for name in "abc"]
    await running(on_both_databases, *decisions, *orders, *lines, said, *variants, costs={"11": 50})
    profit = (await units_of(on_both_databases)).profit
    assert sorted(profit.tolist()) == [260, 800, 900]  # 10.00 less 2 * 3.70, 2 * 1.00 and 2 * 0.50


async def test_an_order_of_unknown_cost_has_no_profit(connections: Connections) -> None:
    await running(connections, a_decision("a"), an_order(1, "token-a"), a_line(1, product_id=99))
    assert np.isnan((await units_of(connections)).profit).all()


async def test_each_version_is_read_apart(connections: Connections) -> None:
    await running(connections, a_decision("a"), a_decision("b", version="2"), a_decision("c", version="2"))
    await draft(connections, SHOP, read_design(a_design()), NOW)
    assert sum((await read(connections)).counts) == 1
    assert sum((await read(connections, version="2")).counts) == 2
    for nonsense in ("3", "second"):
        with pytest.raises(NotFound):
            await read(connections, version=nonsense)


async def test_another_shops_and_another_experiments_decisions_are_not_in_it(
    connections: Connections,
) -> None:
    theirs = a_decision("x", shop="b.myshopify.com")
    await running(connections, a_decision("a"), theirs, a_decision("b", experiment="other"))
    assert (await read(connections)).counts == (1, 0)


async def test_a_visitor_who_is_not_to_be_remembered_is_told_by_arm_and_followed_nowhere(
    on_both_databases: Connections,
) -> None:
    # They were shown their arm, and even ordered: nothing says that the order is theirs.
    nobody: dict[str, Any] = {"inputs": {"unit": None}, "checkout_token": None}
    await running(
        on_both_databases, a_decision("a", **nobody), a_decision("b"), a_decision("c", "pinned", **nobody),
        a_decision("d", "pinned", **nobody), an_order(1, "token-a"), an_order(2, "token-b"),
    )  # fmt: skip
    found = await read(on_both_databases)
    assert (found.nameless, found.nameless_by_arm) == (3, {"as_is": 1, "pinned": 2})
    assert found.counts == (1, 0)
    assert (await units_of(on_both_databases)).revenue.tolist() == [1_000]


async def test_an_arm_that_could_not_be_served_keeps_its_visitors_and_is_told(
    on_both_databases: Connections,
) -> None:
    unserved = a_decision("a", "pinned", inputs={"unserved": True})
    served = a_decision("b", "pinned", inputs={"unserved": False})
    await running(on_both_databases, unserved, served, a_decision("c"))
    found = await read(on_both_databases)
    assert (found.counts, found.aside.unserved) == ((1, 2), 1)


async def test_money_in_two_currencies_is_refused(connections: Connections) -> None:
    await running(connections, a_decision("a"), an_order(1, "token-a", currency="USD"))
    found = (await read(connections)).reading
    told = found.metrics["revenue"]
    assert isinstance(told, Refusal)
    assert told.cause is Cause.CURRENCIES
    conversion = found.metrics["conversion"]
    assert isinstance(conversion, Refusal)
    assert conversion.cause is Cause.EMPTY_ARM


async def test_the_standing_experiment_is_read_by_the_shares_it_had(on_both_databases: Connections) -> None:
    connections = on_both_databases

    def standing(decision_id: str, arm: str, version: str, days: int) -> DecisionRow:
        at = WHEN + timedelta(days=days)
        return a_decision(decision_id, arm, version=version, experiment="standing", decided_at=at)

    before = "holdout=0.1 personalised=0.9"
    await write(connections, a_shop())
    await write(connections, standing("a", "personalised", before, 0), standing("b", "holdout", STANDING, 1))
    found = await read(connections, "standing")
    assert (found.version, found.counts) == (STANDING, (1, 0, 0))
    assert isinstance(found.reading.mismatch, Mismatch)
    assert found.reading.mismatch.shares == pytest.approx((0.05, 0.9, 0.05))
    assert (await read(connections, "standing", version=before)).counts == (0, 1)
    with pytest.raises(InputError):
        await read(connections, "standing", version="all")


@pytest.mark.parametrize(("name", "before"), [("standing", [1_000.0]), ("pin", [2_000.0])])
async def test_the_standing_experiment_adjusts_for_nothing_that_its_arms_may_have_moved(
    connections: Connections, name: str, before: list[float]
) -> None:
    # Under the shares of before, or by decisions that are too old to be kept, they were in the same arm.
    shop = a_shop()
    shop.installed_at = WHEN - timedelta(days=60)
    version = STANDING if name == "standing" else "1"
    await write(connections, shop)
    await draft(connections, SHOP, read_design(a_design()), WHEN)
    await start(connections, SHOP, "pin", WHEN)
    arm = "personalised" if name == "standing" else "as_is"
    await write(connections, a_decision("a", arm, version=version, experiment=name, customer_id=7))
    times = [WHEN - timedelta(days=days) for days in (90, 30)]
    earlier = [an_order(n, f"then-{n}", created_at=at, customer_id=7) for n, at in enumerate(times, start=1)]
    await write(connections, *earlier)
    assert (await units_of(connections, name, version)).before.tolist() == before


async def test_a_shop_that_came_back_was_touched_from_its_first_decision_on(
    connections: Connections,
) -> None:
    # Uninstalled and installed again: everybody is in the arm of before.
    shop = a_shop()
    shop.installed_at = WHEN - timedelta(days=10)
    first = a_decision("then", "personalised", version="personalised=1", experiment="standing")
    first.decided_at = WHEN - timedelta(days=60)
    now = a_decision("a", "personalised", version=STANDING, experiment="standing", customer_id=7)
    times = [WHEN - timedelta(days=days) for days in (90, 30)]
    earlier = [an_order(n, f"then-{n}", created_at=at, customer_id=7) for n, at in enumerate(times, start=1)]
    await write(connections, shop, first, now, *earlier)
    assert (await units_of(connections, "standing", STANDING)).before.tolist() == [1_000.0]


async def test_a_shop_that_never_decided_has_nothing_standing_to_read(connections: Connections) -> None:
    await write(connections, a_shop())
    with pytest.raises(NotFound, match="no decision"):
        await read(connections, "standing")


@pytest.mark.parametrize(("shares", "told"), [("holdout=0.5 personalised=0.5", False),
                                              ("personalised=0.5 static=0.5", True)])  # fmt: skip
def test_nobody_is_better_at_accepting_offers_than_who_was_offered_none(shares: str, told: bool) -> None:
    units, design = drawn(size=20_000), standing_design(shares)
    control = list(design.shares).index(design.control)
    units = with_columns(units, accepted=units.accepted * (told or units.arm != control))
    found = reading_of(Observations(units, tuple(units.counts(2)), DataQuality()), design)
    assert isinstance(found.metrics["acceptance"], Refusal) is not told
    assert not isinstance(found.metrics["conversion"], Refusal)


@pytest.mark.parametrize("days", [28, 6])
async def test_a_plan_starts_from_what_units_did_of_late_also_where_the_shop_is_young(
    connections: Connections, days: int
) -> None:
    begun = NOW - timedelta(days=14 + days)
    decisions = [
        a_decision(f"{n}", "personalised", version=STANDING, experiment="standing",
                   decided_at=begun + timedelta(days=days) * n / 120)
        for n in range(120)
    ]  # fmt: skip
    orders = [an_order(n, f"token-{n}", created_at=decisions[n].decided_at) for n in range(30)]
    await write(connections, a_shop(), *decisions, *orders)
    base = await baseline_of(connections, SHOP, "conversion", 14, NOW)
    assert (base.mean, base.units, base.days) == (0.25, 120, days)
    assert base.deviation == pytest.approx((0.25 * 0.75 * 120 / 119) ** 0.5)
    assert base.units_a_day == pytest.approx(120 / days)
    with pytest.raises(InputError, match="a plan needs 100"):
        await baseline_of(connections, SHOP, "conversion", 14, NOW + timedelta(days=60))


async def test_what_a_subscription_charges_is_nobodys_conversion(connections: Connections) -> None:
    renewal = an_order(1, "of-a-machine", customer_id=5, renewal=True)
    await running(connections, a_decision("a", "pinned", customer_id=5), a_decision("b"), renewal)
    units = await units_of(connections)
    assert (units.bought.tolist(), units.revenue.tolist()) == ([0, 0], [0, 0])

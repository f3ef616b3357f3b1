from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.campaigns.activity import activity
from app.connections import Connections
from app.tables import DecisionRow, FeedbackRow, OrderRow
from tests.attribution.test_store import NOW, SHOP, a_shop, write

WHEN, BEGUN = NOW - timedelta(days=20), NOW - timedelta(days=30)


def a_decision(
    n: int,
    *,
    checkout_token: str = "",
    inputs: dict[str, Any] | None = None,
    unit: str | None = None,
    **campaigns: Any,
) -> DecisionRow:
    offers = [{"offer_id": "o", "kind": "banner", "campaign": "help"}] if "chosen" in campaigns else []
    weighed = {"unit": unit, "situation": {"campaigns": {"inputs": {"at": 5}, **campaigns}}}
    return DecisionRow(
        shop=SHOP, decision_id=f"d{n}", decided_at=WHEN, surface="checkout", rung="session",
        arm="personalised", checkout_token=checkout_token or f"t{n}", answer={"offers": offers},
        inputs=weighed if inputs is None else inputs,
    )  # fmt: skip


def said(event_id: str, n: int, kind: str) -> FeedbackRow:
    return FeedbackRow(
        shop=SHOP, event_id=event_id, decision_id=f"d{n}", offer_id="o", kind=kind, happened_at=WHEN
    )


async def test_a_campaigns_showings_false_positives_and_feedback_are_counted_with_intervals(
    on_both_databases: Connections,
) -> None:
    shown = [a_decision(n, chosen=[{"campaign_id": "help", "propensity": 1.0}]) for n in range(4)]
    held = [a_decision(n, left_out={"help": "withheld"}) for n in range(4, 7)]
    ordered = OrderRow(
        shop=SHOP, order_id=1, checkout_token="t4", currency="EUR", created_at=WHEN, updated_at=WHEN
    )
    words = [said("1", 0, "dismissed"), said("2", 0, "dismissed"), said("3", 1, "accepted")]
    # One asked and met no campaign; the shop had none yet when another did.
    others = a_decision(7), a_decision(8, inputs={"situation": {}})
    await write(on_both_databases, a_shop(), *shown, *held, *others, ordered, *words)
    found = await activity(on_both_databases, SHOP, ["help", "tea"], BEGUN, NOW)
    assert (found.since, found.whole) == (BEGUN, True)
    done = found.done["help"]
    assert (done.fired.happened, done.fired.of) == (4, 8)
    assert (done.anyway.happened, done.anyway.of) == (1, 3)  # t4 bought without it
    assert (done.dismissed.happened, done.accepted.happened, done.accepted.of) == (1, 1, 4)
    assert 0 < done.anyway.low < 1 / 3 < done.anyway.high < 1
    assert found.done["tea"].fired.happened == 0


async def test_the_order_before_a_thank_you_page_was_not_bought_anyway(connections: Connections) -> None:
    held = [a_decision(n, left_out={"help": "withheld"}) for n in (1, 2)]
    held[0].surface = "thank_you"
    late = [
        OrderRow(
            shop=SHOP, order_id=n, checkout_token=f"t{n}", currency="EUR", updated_at=WHEN,
            created_at=WHEN + timedelta(seconds=5),
        )
        for n in (1, 2)
    ]  # fmt: skip
    await write(connections, a_shop(), *held, *late)
    done = (await activity(connections, SHOP, ["help"], BEGUN, NOW)).done["help"]
    assert (done.anyway.happened, done.anyway.of, done.fired.of) == (1, 1, 2)


async def test_who_asks_again_is_one_shopper(on_both_databases: Connections) -> None:
    again = [
        a_decision(n, chosen=[{"campaign_id": "help", "propensity": 1.0}], checkout_token="t")
        for n in range(3)
    ]
    words = said("1", 2, "dismissed"), said("2", 1, "accepted")
    await write(on_both_databases, a_shop(), *again, *words)
    done = (await activity(on_both_databases, SHOP, ["help"], BEGUN, NOW)).done["help"]
    assert (done.fired.happened, done.fired.of, done.accepted.happened, done.dismissed.happened) == (
        1,
        1,
        1,
        1,
    )


async def test_a_browser_on_many_pages_of_the_storefront_is_one_shopper(
    on_both_databases: Connections,
) -> None:
    shown = [{"campaign_id": "help", "propensity": 1.0}]
    pages = [a_decision(n, unit="browser", chosen=shown) for n in range(3)]
    account = [a_decision(3, unit="account", chosen=shown), a_decision(4, unit="account", chosen=shown)]
    nobody = a_decision(5, chosen=shown)
    for each in (*pages, account[0], nobody):
        each.checkout_token = None
    await write(on_both_databases, a_shop(), *pages, *account, nobody, said("1", 2, "accepted"))
    done = (await activity(on_both_databases, SHOP, ["help"], BEGUN, NOW)).done["help"]
    assert (done.fired.happened, done.fired.of, done.accepted.happened) == (3, 3, 1)


async def test_of_who_may_not_be_remembered_nobody_says_whether_they_bought_anyway(
    connections: Connections,
) -> None:
    held = [a_decision(n, left_out={"help": "withheld"}) for n in range(4)]
    held[0].checkout_token = held[1].checkout_token = None
    held[1].inputs |= {"unit": "anna"}  # first met in the storefront
    held[2].inputs |= {"unit": "anna"}
    held[2].decided_at = WHEN + timedelta(hours=1)
    bought = [
        OrderRow(
            shop=SHOP, order_id=n, checkout_token=f"t{n}", currency="EUR", updated_at=WHEN,
            created_at=WHEN + timedelta(hours=2),
        )
        for n in (2, 3)
    ]  # fmt: skip
    await write(connections, a_shop(), *held, *bought)
    done = (await activity(connections, SHOP, ["help"], BEGUN, NOW)).done["help"]
    assert (done.anyway.happened, done.anyway.of, done.fired.of) == (1, 1, 3)


async def test_of_more_decisions_than_are_read_the_window_says_where_it_begins(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.campaigns.activity.MOST_DECISIONS", 2)
    many = [a_decision(n, chosen=[{"campaign_id": "help", "propensity": 1.0}]) for n in range(3)]
    for n, each in enumerate(many):
        each.decided_at = WHEN + timedelta(hours=n)
    await write(connections, a_shop(), *many)
    found = await activity(connections, SHOP, ["help"], BEGUN, NOW)
    assert (found.since, found.whole) == (WHEN + timedelta(hours=1), False)
    assert found.done["help"].fired.of == 2

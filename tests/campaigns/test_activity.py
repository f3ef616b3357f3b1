from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.campaigns.activity import activity
from app.connections import Connections
from app.tables import DecisionRow, FeedbackRow, OrderRow
from tests.attribution.test_store import NOW, SHOP, a_shop, write

WHEN = NOW - timedelta(days=20)


def a_decision(n: int, **campaigns: Any) -> DecisionRow:
    offers = [{"offer_id": "o", "kind": "banner", "campaign": "help"}] if "chosen" in campaigns else []
    return DecisionRow(
        shop=SHOP, decision_id=f"d{n}", decided_at=WHEN, surface="checkout", rung="session",
        arm="personalised", checkout_token=f"t{n}", answer={"offers": offers},
        inputs={"situation": {"campaigns": {"inputs": {}, **campaigns}}},
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
    await write(on_both_databases, a_shop(), *shown, *held, a_decision(7), ordered, *words)
    found = (await activity(on_both_databases, SHOP, NOW))["help"]
    assert (found.activated.happened, found.activated.of) == (4, 8)
    assert (found.bought_anyway.happened, found.bought_anyway.of) == (1, 3)  # t4 bought without it
    assert (found.dismissed.happened, found.accepted.happened, found.accepted.of) == (1, 1, 4)
    assert 0 < found.bought_anyway.low < 1 / 3 < found.bought_anyway.high < 1

from typing import Any

import pytest
from sqlmodel import select

from app.connections import Connections
from app.events.kinds import BrowserEvent, DecisionMade
from app.offers.store import record_decisions, record_feedback
from app.tables import DecisionRow, FeedbackRow
from tests.offers.factories import NOW, SHOP


def a_decision(**changes: Any) -> DecisionMade:
    fields: dict[str, Any] = {
        "shop": SHOP, "event_id": "d", "happened_at": NOW, "surface": "checkout", "rung": "personal",
        "arm": "personalised", "fallback": None, "model_version": "v1", "checkout_token": "token",
        "customer_id": 7, "duration_us": 900, "inputs": {"snapshot": "s"}, "answer": {"offers": []},
    }  # fmt: skip
    return DecisionMade(**(fields | changes))


def a_message(name: str = "tillwise:offer_shown", **changes: Any) -> BrowserEvent:
    fields: dict[str, Any] = {
        "shop": SHOP, "event_id": "e", "happened_at": NOW, "name": name, "client_id": "browser",
        "checkout_token": "token", "customer_id": None, "permitted": ("analytics",),
        "data": {"decision_id": "d", "offer_id": "o", "product_id": 10},
    }  # fmt: skip
    return BrowserEvent(**(fields | changes))


async def rows(connections: Connections, row: Any) -> list[Any]:
    async with connections.read() as db:
        return list(await db.exec(select(row)))


async def test_a_decision_is_kept_once(on_both_databases: Connections) -> None:
    for _ in range(2):
        await record_decisions(on_both_databases, [a_decision()])
    (row,) = await rows(on_both_databases, DecisionRow)
    assert (row.shop, row.decision_id, row.decided_at) == (SHOP, "d", NOW)
    assert (row.inputs, row.answer, row.customer_id) == ({"snapshot": "s"}, {"offers": []}, 7)


async def test_two_shops_may_use_the_same_decision_id(connections: Connections) -> None:
    await record_decisions(connections, [a_decision()])
    await record_decisions(connections, [a_decision(shop="b.myshopify.com")])
    assert len(await rows(connections, DecisionRow)) == 2


async def test_what_became_of_an_offer_is_kept_once(on_both_databases: Connections) -> None:
    for _ in range(2):
        await record_feedback(on_both_databases, a_message())
    (row,) = await rows(on_both_databases, FeedbackRow)
    assert (row.decision_id, row.offer_id, row.kind, row.happened_at) == ("d", "o", "shown", NOW)


@pytest.mark.parametrize("kind", ["shown", "accepted", "failed", "dismissed"])
async def test_each_kind_is_known(connections: Connections, kind: str) -> None:
    await record_feedback(connections, a_message(f"tillwise:offer_{kind}"))
    assert [row.kind for row in await rows(connections, FeedbackRow)] == [kind]


@pytest.mark.parametrize(
    "message",
    [
        a_message("product_viewed"),
        a_message("tillwise:offer_stolen"),
        a_message("shown"),
        a_message(data={}),
        a_message(data={"decision_id": "d"}),
        a_message(data={"decision_id": 1, "offer_id": "o"}),
        a_message(data={"decision_id": "", "offer_id": "o"}),
        a_message(data={"decision_id": "d" * 65, "offer_id": "o"}),
        a_message(data={"decision_id": "d\0", "offer_id": "o"}),
    ],
)
async def test_anything_else_is_not_for_here(connections: Connections, message: BrowserEvent) -> None:
    await record_feedback(connections, message)
    assert await rows(connections, FeedbackRow) == []

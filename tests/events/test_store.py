from datetime import UTC, datetime
from typing import Any

from sqlmodel import select

from app.connections import Connections
from app.events.kinds import (
    BrowserEvent,
    CartUpdated,
    CustomerDataRequested,
    CustomerRedactionRequested,
    DecisionMade,
    GrantUsed,
    InventoryChanged,
    ProductDeleted,
)
from app.events.store import record_events
from app.tables import EventRow
from tests.profiles.factories import an_order

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ANY = {"shop": "a.myshopify.com", "happened_at": NOW}


def browsed(event_id: str, *permitted: str) -> BrowserEvent:
    return BrowserEvent(
        **ANY,
        event_id=event_id,
        name="product_viewed",
        client_id="c",
        checkout_token=None,
        customer_id=None,
        permitted=permitted,
        data={"product_id": 2},
    )


async def rows(connections: Connections) -> list[EventRow]:
    async with connections.read() as db:
        return list((await db.exec(select(EventRow))).all())


async def test_an_event_is_kept_once_however_often_it_is_told(on_both_databases: Connections) -> None:
    cart = CartUpdated(**ANY, event_id="1", cart_token="t", lines=())
    await record_events(on_both_databases, [cart, cart])
    await record_events(on_both_databases, [cart, browsed("2", "analytics")])
    kept = {row.event_id: row for row in await rows(on_both_databases)}
    assert kept["1"].name == "CartUpdated"
    assert kept["1"].data == {"cart_token": "t", "lines": []}
    assert (kept["2"].name, kept["2"].client_id) == ("product_viewed", "c")
    assert kept["2"].data == {"product_id": 2}


async def test_whose_a_used_grant_is_is_kept_with_its_use_alone(connections: Connections) -> None:
    """There it is forgotten once it matters no more, and events are kept for longer."""
    grant = GrantUsed(terms_id="terms", number="0123456789ab", titles=("10 % off",))
    await record_events(connections, [an_order(1, grant=grant)])
    (row,) = await rows(connections)
    assert row.data["order_id"] == 1
    assert grant.number not in str(row.data)


async def test_what_may_not_be_kept_is_not(on_both_databases: Connections) -> None:
    decision: dict[str, Any] = {"fallback": None, "model_version": None, "duration_us": 1}
    await record_events(
        on_both_databases,
        [
            browsed("1"),
            browsed("2", "marketing", "preferences"),
            CustomerRedactionRequested(**ANY, event_id="3", customer_id=5, order_ids=()),
            CustomerDataRequested(**ANY, event_id="3a", request_id=1, customer_id=5, order_ids=()),
            DecisionMade(
                **ANY,
                **decision,
                event_id="4",
                surface="checkout",
                rung="session",
                arm="a",
                checkout_token=None,
                customer_id=None,
                inputs={},
                answer={},
            ),
            InventoryChanged(
                **ANY, event_id="5", inventory_item_id=1, location_id=1, available=1, updated_at=NOW
            ),
            ProductDeleted(**ANY, event_id="6", product_id=2),
        ],
    )
    assert await rows(on_both_databases) == []

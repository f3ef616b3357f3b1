from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.catalog.cost_store import record_cost
from app.connections import Connections
from app.events.kinds import CostChanged
from app.tables import ItemCostRow
from devstore.schema import MODULES
from tests.devstore.small_shop import NOW
from tests.webhooks.shopfront import Shopfront, installed
from webhooks import backfill
from webhooks.backfill import run_backfill
from webhooks.jsonl import Tree

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    async with installed(connections) as made:
        yield made


async def item_costs(connections: Connections) -> dict[int, int | None]:
    async with connections.read() as db:
        return {row.inventory_item_id: row.cost_minor for row in await db.exec(select(ItemCostRow))}


async def test_what_items_cost_is_imported_where_nothing_newer_is_known(front: Shopfront) -> None:
    for each in (101, 102, 103):
        front.shop.variants[each].cost_minor = each
    for number, updated_at in ((902, NOW + timedelta(hours=1)), (903, NOW - timedelta(hours=1))):
        told = CostChanged(
            shop=front.shop.domain, event_id=str(number), happened_at=updated_at, inventory_item_id=number,
            cost_minor=7, updated_at=updated_at,
        )  # fmt: skip
        await record_cost(front.connections, told)
    await run_backfill(front.connections, front.installed.shop)
    assert await item_costs(front.connections) == {901: 101, 902: 7, 903: 103}  # of 904 Shopify has none


async def test_a_cost_in_another_currency_than_the_shops_is_left_out(front: Shopfront) -> None:
    batch = [
        Tree(
            {
                "id": "gid://shopify/Product/1", "title": "Milk", "status": "ACTIVE",
                "createdAt": "2026-11-01T12:00:00Z", "updatedAt": "2026-11-01T12:00:00Z",
            },
            0,
            [_of_cost(901, "USD"), _of_cost(902, "EUR")],
        )
    ]  # fmt: skip
    await backfill._store_products(front.connections, front.installed, batch)
    assert await item_costs(front.connections) == {901: 250}


def _of_cost(item: int, currency: str) -> dict[str, Any]:
    """Return a variant whose unit costs 2.50."""
    return {
        "id": f"gid://shopify/ProductVariant/{item - 800}",
        "price": "3.49",
        "inventoryItem": {
            "id": f"gid://shopify/InventoryItem/{item}",
            "updatedAt": "2026-11-01T12:00:00Z",
            "unitCost": {"amount": "2.5", "currencyCode": currency},
        },
    }

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlmodel import col, select

from app.connections import Connections
from app.outbound.rfm_groups import record_rfm_groups
from app.segment_tables import CustomerSegmentRow
from devstore.schema import MODULES
from tests.outbound.segments import move
from tests.webhooks.shopfront import Shopfront, installed
from webhooks.opt_outs import compare_opt_outs

SHOP = "a.myshopify.com"
needs_schema = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    async with installed(connections) as made:
        yield made


async def groups(connections: Connections) -> dict[int, str | None]:
    query = select(CustomerSegmentRow).order_by(col(CustomerSegmentRow.customer_id))
    async with connections.read() as db:
        return {row.customer_id: row.rfm_group for row in (await db.exec(query)).all()}


async def test_groups_are_kept_of_who_is_in_a_segment_and_of_nobody_else(
    on_both_databases: Connections,
) -> None:
    await move(on_both_databases, SHOP, 7, "champions")
    await move(on_both_databases, "b.myshopify.com", 8, "champions")
    assert await record_rfm_groups(on_both_databases, SHOP, {7: "AT_RISK", 8: "LOYAL", 9: "NEW"}) == 1
    assert await record_rfm_groups(on_both_databases, SHOP, {7: "AT_RISK"}) == 0
    assert await groups(on_both_databases) == {7: "AT_RISK", 8: None}


async def test_a_move_keeps_shopifys_group(connections: Connections) -> None:
    await move(connections, SHOP, 7, "champions")
    await record_rfm_groups(connections, SHOP, {7: "AT_RISK"})
    await move(connections, SHOP, 7, "loyal", minute=1)
    assert await groups(connections) == {7: "AT_RISK"}


@needs_schema
async def test_the_daily_reading_brings_shopifys_group(front: Shopfront) -> None:
    await move(front.connections, front.installed.shop, 7, "champions")
    for told in ("CHAMPIONS", "AT_RISK", None):
        front.shop.customers[7].rfm_group = told
        await compare_opt_outs(front.connections, front.installed.shop)
        assert await groups(front.connections) == {7: told}

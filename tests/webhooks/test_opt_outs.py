from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import col, select

from app.connections import Connections
from app.privacy_tables import ConsentRow
from app.tables import CustomerRow
from devstore.schema import MODULES
from tests.webhooks.shopfront import Shopfront, installed
from webhooks.opt_outs import compare_opt_outs

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    async with installed(connections) as made:
        yield made


async def rows(front: Shopfront, kind: Any) -> list[Any]:
    async with front.connections.read() as db:
        return list((await db.exec(select(kind).order_by(col(kind.shop)))).all())


async def compare(front: Shopfront) -> int:
    return await compare_opt_outs(front.connections, front.installed.shop)


async def test_an_opt_out_that_changed_nothing_else_is_found_and_told_the_ledger(
    front: Shopfront,
) -> None:
    (customer,) = front.shop.customers.values()
    assert await compare(front) == 0
    assert await rows(front, ConsentRow) == []
    for opted_out in (True, False):
        customer.data_sale_opt_out = opted_out
        assert await compare(front) == 1
        assert await compare(front) == 0
        (known,) = await rows(front, CustomerRow)
        assert known.data_sale_opt_out is opted_out
    told = [(row.source, row.told) for row in await rows(front, ConsentRow)]
    assert told == [
        ("customer_record", {"data_sale_opt_out": True}),
        ("customer_record", {"data_sale_opt_out": False}),
    ]


async def test_a_shop_that_left_is_asked_again_another_day(front: Shopfront) -> None:
    await front.http.post("/control/uninstall")
    assert await compare(front) == 0
    assert await rows(front, ConsentRow) == []

"""SQLite: what a statement costs of its thread's turns, and that no row is lost by reading some at once."""

from __future__ import annotations

from typing import Any

import aiosqlite
import pytest
from sqlalchemy import func, insert, select, text

from app.connections import Connections
from app.sqlite import AT_ONCE
from app.tables import ShopRow
from tests.test_connections import shop_row

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last) SELECT i FROM n"
SIZES = (1, 2, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE, 3 * AT_ONCE + 7)


@pytest.fixture
async def turns(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the database's thread was asked for, once a connection is open."""
    await connections.rows(select(ShopRow.shop))
    asked: list[Any] = []
    execute = aiosqlite.Connection._execute

    async def noted(self: aiosqlite.Connection, function: Any, *given: Any, **named: Any) -> Any:
        asked.append(function)
        return await execute(self, function, *given, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", noted)
    return asked


async def test_a_query_is_one_turn_beside_those_of_its_transaction(
    connections: Connections, turns: list[Any]
) -> None:
    assert await connections.rows(select(ShopRow.shop)) == []
    assert len(turns) == 4  # begin, the query, roll back, and what the pool rolls back


async def test_a_change_is_one_turn_beside_those_of_its_transaction(
    connections: Connections, turns: list[Any]
) -> None:
    row = shop_row("a.myshopify.com").model_dump()
    assert await connections.execute(insert(ShopRow).values(**row)) == 1
    assert len(turns) == 4  # begin, the change, commit, and what the pool rolls back
    assert await connections.scalar(select(func.count()).select_from(ShopRow)) == 1


@pytest.mark.parametrize("last", SIZES)
async def test_all_rows_come_once_and_in_order(connections: Connections, last: int) -> None:
    query = text(NUMBERS).bindparams(last=last)
    whole = list(range(1, last + 1))
    assert await connections.scalars(query) == whole
    async with connections.engine.connect() as connection:
        for at_once in (1, 7, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE):
            rows = await connection.stream_scalars(query.execution_options(yield_per=at_once))
            parts = [list(part) async for part in rows.partitions()]
            assert [each for part in parts for each in part] == whole
            assert {len(part) for part in parts[:-1]} <= {at_once}


async def test_a_stream_that_is_left_half_way_holds_nobody_up(connections: Connections) -> None:
    query = text(NUMBERS).bindparams(last=3 * AT_ONCE).execution_options(yield_per=2)
    async with connections.engine.connect() as connection:
        async with connection.stream(query) as rows:
            assert await rows.fetchone() == (1,)
            assert await rows.fetchmany(2) == [(2,), (3,)]
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    async with connections.write() as db:
        db.add(shop_row("a.myshopify.com"))


async def test_the_rows_of_a_statement_that_changes_are_all_there_and_all_changed(
    connections: Connections,
) -> None:
    shops = [f"shop-{n}.myshopify.com" for n in range(2 * AT_ONCE + 1)]
    async with connections.write() as db:
        rows = [shop_row(shop).model_dump() for shop in shops]
        await (await db.connection()).execute(insert(ShopRow), rows)
    async with connections.write() as db:
        raised = text("UPDATE shops SET name = 'new' RETURNING shop")
        assert sorted((await (await db.connection()).execute(raised)).scalars()) == sorted(shops)
    named = select(func.count()).where(ShopRow.name == "new")
    assert await connections.scalar(named) == len(shops)

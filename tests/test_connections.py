import asyncio
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from app.connections import Connections
from app.tables import ShopRow


def shop_row(shop: str) -> ShopRow:
    return ShopRow(shop=shop, publishable_key=f"pk_{shop}", installed_at=datetime.now(UTC))


async def test_what_is_written_is_read_back_with_its_time_zone(on_both_databases: Connections) -> None:
    async with on_both_databases.write() as db:
        db.add(shop_row("a.myshopify.com"))
    async with on_both_databases.read() as db:
        (row,) = (await db.exec(select(ShopRow))).all()
    assert row.installed_at.tzinfo is not None


async def test_an_error_leaves_nothing_half_written(on_both_databases: Connections) -> None:
    with pytest.raises(RuntimeError):
        async with on_both_databases.write() as db:
            db.add(shop_row("a.myshopify.com"))
            await db.flush()
            raise RuntimeError
    async with on_both_databases.read() as db:
        assert (await db.exec(select(ShopRow))).all() == []


async def test_a_cancellation_is_not_lost_that_comes_when_all_is_sent(connections: Connections) -> None:
    await connections.redis.ping()
    (connection,) = connections.redis.connection_pool._available_connections
    send, asking = connection._send_packed_command, asyncio.create_task(connections.redis.ping())

    async def send_and_cancel(command: object) -> None:
        await send(command)
        asking.cancel()

    connection._send_packed_command = send_and_cancel
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not connection.is_connected
    connection._send_packed_command = send
    assert await connections.redis.echo("again") == b"again"


async def test_who_was_cancelled_before_can_still_tidy_up(connections: Connections) -> None:
    async def tidies_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await connections.redis.set("tidied", 1)

    task = asyncio.create_task(tidies_up())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await connections.redis.get("tidied") == b"1"

from __future__ import annotations

import asyncio

import pytest

from app.connections import Connections
from app.ttl_cache import TtlCache


class Slow:
    """A reading that ends when it is let. read: how often it was begun."""

    def __init__(self) -> None:
        self.read, self.may_end = 0, asyncio.Event()

    async def __call__(self, _connections: Connections, _shop: str) -> int:
        self.read += 1
        number = self.read
        await self.may_end.wait()
        return number


async def asked(remembered: TtlCache[int], connections: Connections) -> asyncio.Task[int]:
    """Ask, and go on once the question waits."""
    task = asyncio.create_task(remembered.of(connections, "acme"))
    await asyncio.sleep(0)
    return task


async def test_who_asks_while_a_shop_is_read_waits_for_that_reading(connections: Connections) -> None:
    slow = Slow()
    remembered = TtlCache(slow)
    waiting = [await asked(remembered, connections) for _ in range(3)]
    slow.may_end.set()
    assert await asyncio.gather(*waiting) == [1, 1, 1]
    assert await remembered.of(connections, "acme") == 1
    assert await remembered.of(connections, "other") == 2


async def test_one_who_gives_up_or_fails_leaves_the_reading_to_the_next(connections: Connections) -> None:
    slow = Slow()
    remembered = TtlCache(slow)
    first, second = [await asked(remembered, connections) for _ in range(2)]
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    slow.may_end.set()
    assert await second == 2


async def test_what_was_read_before_it_was_to_be_forgotten_is_not_remembered(
    connections: Connections,
) -> None:
    slow = Slow()
    remembered = TtlCache(slow)
    before = await asked(remembered, connections)
    remembered.forget(connections, "acme")
    after = await asked(remembered, connections)
    slow.may_end.set()
    assert (await before, await after, await remembered.of(connections, "acme")) == (1, 2, 2)

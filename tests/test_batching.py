import asyncio
import time
from collections.abc import Sequence

import pytest

from app.batching import Batcher, batched_reads
from app.connections import Connections


async def test_what_is_asked_at_once_is_one_batch() -> None:
    batches: list[list[int]] = []

    async def double(batch: list[int]) -> list[int]:
        batches.append(batch)
        return [2 * each for each in batch]

    doubled = Batcher(double, timeout_ms=1_000)
    assert await asyncio.gather(*map(doubled, range(5))) == [0, 2, 4, 6, 8]
    assert batches == [[0, 1, 2, 3, 4]]


async def test_who_comes_while_a_batch_is_under_way_joins_the_next() -> None:
    sizes: list[int] = []
    release = asyncio.Event()

    async def answer(batch: list[int]) -> list[int]:
        sizes.append(len(batch))
        await release.wait()
        return batch

    asked = Batcher(answer, timeout_ms=10_000)
    first = asyncio.create_task(asked(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(asked(n)) for n in (2, 3)]
    await asyncio.sleep(0)
    release.set()
    assert await asyncio.gather(first, *others) == [1, 2, 3]
    assert sizes == [1, 2]


async def test_a_batch_is_never_larger_than_it_may_be() -> None:
    sizes: list[int] = []

    async def answer(batch: list[int]) -> list[int]:
        sizes.append(len(batch))
        return batch

    asked = Batcher(answer, timeout_ms=1_000, batch_size=3)
    assert await asyncio.gather(*map(asked, range(7))) == list(range(7))
    assert sizes == [3, 3, 1]


async def test_an_answer_that_came_while_the_process_stood_still_is_in_time() -> None:
    async def answer(batch: list[int]) -> list[int]:
        loop = asyncio.get_running_loop()
        came = loop.create_future()
        loop.call_later(0.001, came.set_result, batch)
        loop.call_soon(time.sleep, 0.1)  # the answer comes meanwhile, and so does the end of the time
        return list(await came)

    asked = Batcher(answer, timeout_ms=10)
    assert await asked(1) == 1


async def test_nothing_comes_after_a_pause_either() -> None:
    async def hang(batch: list[int]) -> list[int]:
        asyncio.get_running_loop().call_soon(time.sleep, 0.02)
        await asyncio.Event().wait()
        return batch

    with pytest.raises(TimeoutError):
        await Batcher(hang, timeout_ms=10)(1)


async def test_an_error_reaches_everyone_who_waits_and_nobody_after() -> None:
    failing = True

    async def answer(batch: list[int]) -> list[int]:
        if failing:
            raise ConnectionError("gone")
        return batch

    asked = Batcher(answer, timeout_ms=1_000, batch_size=2)
    results = await asyncio.gather(*map(asked, range(5)), return_exceptions=True)
    assert {type(result) for result in results} == {ConnectionError}
    failing = False
    assert await asked(1) == 1


async def test_what_one_asks_that_can_not_be_answered_costs_that_one_alone() -> None:
    batches: list[list[int]] = []

    async def answer(batch: list[int]) -> list[int]:
        batches.append(batch)
        if 3 in batch:
            raise OverflowError
        return batch

    asked = Batcher(answer, timeout_ms=1_000, batch_size=4)
    results = await asyncio.gather(*map(asked, range(6)), return_exceptions=True)
    assert isinstance(results.pop(3), OverflowError)
    assert results == [0, 1, 2, 4, 5]
    assert batches == [[0, 1, 2, 3], [0], [1], [2], [3], [4, 5]]


async def test_a_slow_batch_ends_at_its_bound_for_all_who_wait() -> None:
    async def hang(batch: list[int]) -> list[int]:
        await asyncio.Event().wait()
        return batch

    asked = Batcher(hang, timeout_ms=1, batch_size=1)
    results = await asyncio.gather(*map(asked, range(3)), return_exceptions=True)
    assert {type(result) for result in results} == {TimeoutError}


async def test_a_caller_who_leaves_disturbs_no_one_else() -> None:
    release = asyncio.Event()

    async def answer(batch: list[int]) -> list[int]:
        await release.wait()
        return batch

    asked = Batcher(answer, timeout_ms=10_000)
    leaves, stays = asyncio.create_task(asked(1)), asyncio.create_task(asked(2))
    await asyncio.sleep(0)
    leaves.cancel()
    release.set()
    assert await stays == 2


async def test_reads_come_back_to_who_asked(connections: Connections) -> None:
    await connections.redis.mset({"a": b"1", "b": b"2"})
    read = batched_reads(connections.redis, timeout_ms=1_000)
    asked: list[Sequence[str]] = [["a", "missing"], ["b"], ["a"]]
    assert await asyncio.gather(*map(read, asked)) == [[b"1", None], [b"2"], [b"1"]]


async def test_a_server_that_does_not_answer_is_not_waited_for(connections: Connections) -> None:
    read = batched_reads(connections.redis, timeout_ms=20)
    await connections.redis.client_pause(1_000)
    with pytest.raises(TimeoutError):
        await read(["a"])
    patient = batched_reads(connections.redis, timeout_ms=60_000)
    assert await patient(["a"]) == [None]

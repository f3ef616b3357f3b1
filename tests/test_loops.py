import asyncio

import pytest

from app import loops
from app.loops import keep_running, rest


async def test_a_loop_that_fails_is_started_again_until_told_to_stop(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loops, "_FIRST_PAUSE_S", 0.001)
    stop, runs = asyncio.Event(), 0

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs == 4:
            stop.set()
        raise ValueError("again")

    await keep_running("test", loop, stop)
    assert runs == 4
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 4


async def test_a_loop_is_not_started_once_stopped() -> None:
    stop = asyncio.Event()
    stop.set()

    async def loop() -> None:
        raise AssertionError

    await keep_running("test", loop, stop)


async def test_rest_ends_at_once_when_told_to_stop() -> None:
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(60):
        await rest(stop, 3_600)

"""A process that is asked to stop finishes what it holds, and ends well."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import col, select

from app.tables import OrderRow
from tests.chaos.stage import Stage, staged, until
from tests.chaos.traffic import under_load
from tests.test_worker import finish_by_hand


async def test_processes_that_are_stopped_under_load_keep_what_they_acknowledged(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        async with under_load(stage.origin) as traffic:
            await until(lambda: _any_order(stage))  # the worker is at work
            assert await stage.worker.stop() == 0
            assert await stage.web.stop() == 0
        assert "error" not in traffic.answers
        await finish_by_hand(stage.connections)
        assert traffic.orders <= await _orders(stage)


async def _any_order(stage: Stage) -> bool:
    return bool(await _orders(stage))


async def _orders(stage: Stage) -> set[int]:
    async with stage.connections.read() as db:
        return set((await db.exec(select(col(OrderRow.order_id)))).all())

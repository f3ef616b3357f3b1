import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.connections import Connections, redis_key
from app.schedules import Schedule, keep_schedules, request_due_training
from app.tables import ModelRow, OrderRow, ShopRow

SHOP = "a.myshopify.com"


async def run_once(connections: Connections, *schedules: Schedule) -> None:
    """Run the schedules' first turn: the last one stops the loop."""
    stop = asyncio.Event()

    async def end(_connections: Connections) -> None:
        stop.set()

    await keep_schedules(connections, [*schedules, Schedule("end", 60, end, everywhere=True)], stop)


async def test_a_turn_is_done_by_one_worker_of_all(connections: Connections) -> None:
    done: list[str] = []

    async def once(_connections: Connections) -> None:
        done.append("once")

    async def everywhere(_connections: Connections) -> None:
        done.append("everywhere")

    for _ in range(2):
        await run_once(connections, Schedule("a", 60, once), Schedule("b", 60, everywhere, everywhere=True))
    assert sorted(done) == ["everywhere", "everywhere", "once"]


async def test_work_that_fails_holds_up_no_other(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_connections: Connections) -> None:
        raise ValueError("no")

    await run_once(connections, Schedule("fails", 60, fails))
    assert [record.message for record in caplog.records] == ["scheduled work failed"]


@pytest.mark.parametrize(
    ("trained_days_ago", "ordered_days_ago", "asked"),
    [
        (2, 1, True),  # an order since, and the model is over a day old
        (0.5, 0.1, False),  # the model is of today
        (3, 4, False),  # nothing since
        (None, 1, False),  # the import asks for the first training
    ],
)
async def test_a_model_is_trained_anew_when_there_are_orders_it_has_not_seen(
    connections: Connections, trained_days_ago: float | None, ordered_days_ago: float, asked: bool
) -> None:
    now = datetime.now(UTC)
    async with connections.write() as db:
        ordered_at = now - timedelta(days=ordered_days_ago)
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=now))
        db.add(OrderRow(shop=SHOP, order_id=1, currency="USD", created_at=ordered_at, updated_at=ordered_at))
        if trained_days_ago is not None:
            trained_at = now - timedelta(days=trained_days_ago)
            db.add(ModelRow(shop=SHOP, version="1", status="champion", trained_at=trained_at))
    await request_due_training(connections)
    assert bool(await connections.redis.exists(redis_key(SHOP, "waiting", "train"))) is asked

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

import app.progress_bars
from app.connections import Connections
from app.errors import NotFound, TillwiseError
from app.jobs import Progress, alone, is_under_way, report_progress
from app.progress_bars import KINDS, ask_for_backfill, follow_backfill, follow_training
from app.tables import BackfillRow
from app.values import ShopDomain
from tests.test_live import install

SHOP = ShopDomain("a.myshopify.com")
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def imported(connections: Connections, status: str, at: datetime, error: str = "") -> None:
    async with connections.write() as db:
        for kind in KINDS:
            await db.merge(BackfillRow(shop=SHOP, kind=kind, status=status, error=error, updated_at=at))


async def ends(following: Awaitable[None]) -> None:
    await asyncio.wait_for(following, 60)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  (who is followed decides)
            await asyncio.sleep(0.02)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that were looked after, once for each look."""
    seen: list[str] = []

    async def looked(connections: Connections, job: str, shop: str) -> bool:
        under_way = await is_under_way(connections, job, shop)
        seen.append(job)
        return under_way

    monkeypatch.setattr(app.progress_bars, "is_under_way", looked)
    monkeypatch.setattr(app.progress_bars, "_EVERY_S", 0.01)
    return seen


@pytest.mark.parametrize("follow", [ask_for_backfill, follow_backfill, follow_training])
async def test_a_shop_without_the_app_is_not_waited_for(connections: Connections, follow) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotFound, match="does not have the app"):
        await ends(follow(connections, SHOP, Console(file=StringIO())))


async def test_an_import_is_followed_to_its_end(connections: Connections) -> None:
    await install(connections, SHOP)
    await imported(connections, "done", NOW)
    await ends(follow_backfill(connections, SHOP, Console(file=StringIO())))


async def test_an_import_that_fails_says_why(connections: Connections) -> None:
    await install(connections, SHOP)
    await imported(connections, "failed", NOW, "Shopify said no")
    with pytest.raises(TillwiseError, match=r"importing \w+ failed: Shopify said no"):
        await ends(follow_backfill(connections, SHOP, Console(file=StringIO())))


async def test_asking_again_after_a_failure_waits_for_the_new_attempt(
    connections: Connections, looks: list[str]
) -> None:
    await install(connections, SHOP)
    await imported(connections, "failed", NOW, "the old reason")
    asking = asyncio.create_task(ask_for_backfill(connections, SHOP, Console(file=StringIO())))
    await until(lambda: len(looks) >= 3)
    assert not asking.done()
    await imported(connections, "failed", NOW + timedelta(minutes=1), "the new reason")
    with pytest.raises(TillwiseError, match="the new reason"):
        await ends(asking)


async def test_a_training_that_failed_is_an_error(connections: Connections) -> None:
    await install(connections, SHOP)
    await report_progress(connections, "train", SHOP, Progress("failed"))
    with pytest.raises(TillwiseError, match="training failed"):
        await ends(follow_training(connections, SHOP, Console(file=StringIO())))


async def test_who_waits_for_a_worker_in_vain_is_told_once(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, looks: list[str]
) -> None:
    monkeypatch.setattr(app.progress_bars, "_NO_WORKER_S", 0.0)
    await install(connections, SHOP)
    said = StringIO()
    following = asyncio.create_task(follow_training(connections, SHOP, Console(file=said)))
    await until(lambda: len(looks) >= 3)
    await report_progress(connections, "train", SHOP, Progress("published", 1, 1))
    await ends(following)
    assert said.getvalue().count("does `tillwise serve` or `tillwise worker` run?") == 1


async def test_an_import_that_nobody_goes_on_with_is_told_of(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, looks: list[str]
) -> None:
    monkeypatch.setattr(app.progress_bars, "_QUIET_S", 0.0)
    await install(connections, SHOP)
    await imported(connections, "failed", NOW, "the worker was down")
    said = StringIO()
    async with alone(connections, "backfill", SHOP):
        asking = asyncio.create_task(ask_for_backfill(connections, SHOP, Console(file=said)))
        await until(lambda: len(looks) >= 3)
        assert "tillwise worker" not in said.getvalue()
    seen = len(looks)
    await until(lambda: len(looks) >= seen + 4)
    await imported(connections, "done", NOW + timedelta(minutes=1))
    await ends(asking)
    assert said.getvalue().count("does `tillwise serve` or `tillwise worker` run?") == 1

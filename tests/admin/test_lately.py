"""Pages of a shop with so many decisions that the worker counts them ahead."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from app.admin import lately
from app.attribution import figures
from app.attribution.figures import AGAIN_AFTER, keep_figures, kept_figures, read_figures, request_due_figures
from app.attribution.readings import StoredReadout, read_bases, read_versions
from app.child_process import ChildFailed
from app.connections import Connections, redis_key
from app.experiments.baseline import baseline_of
from app.experiments.design import read_design
from app.experiments.versions import draft, start, stop
from app.tables import DecisionRow, ShopRow
from app.values import ShopDomain
from tests.admin.experiment_factories import days_ago, keep_experiment
from tests.admin.experiment_factories import design as experiment_design
from tests.admin.factories import SHOP, bearer, feedback, keep, opened, order, refund, shop_row

KEY = redis_key(SHOP, "figures")
ASKED_FOR = redis_key(SHOP, "waiting", "figures")
AWAITED = "Tillwise is working this out"


@pytest.fixture(autouse=True)
def no_process_for_so_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work figures out in a thread: starting a process takes longer. See tests/test_child_process.py."""
    monkeypatch.setattr(figures, "run_in_child", asyncio.to_thread)


def large_from(connections: Connections, monkeypatch: pytest.MonkeyPatch, decisions: int) -> None:
    """Count decisions ahead from so many on."""
    monkeypatch.setattr(figures, "MANY", decisions)
    lately._large.forget(connections, SHOP)


def told(page: str) -> str:
    """Return what the page says of the shop, without of when it is."""
    section = page.partition('class="figure')[2].partition("</s-page>")[0]
    return section.partition("Health")[0]


async def test_pages_show_what_the_worker_found_as_they_would_have_read_it(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_experiment(connections, rates=(0.1, 0.6))
    await keep(connections, feedback(1, "shown"), *order(1, decision_id="e1"), refund(1, 300))
    read = [told(await opened(browser, page)) for page in ("/", "/admin/experiments/earned")]
    days = (await browser.get("/admin/api/home/earned", headers=bearer())).json()["days"]

    large_from(connections, monkeypatch, decisions=0)
    assert AWAITED in await opened(browser)
    assert AWAITED in await opened(browser, "/admin/experiments/earned")
    awaited = (await browser.get("/admin/api/home/earned", headers=bearer())).json()
    assert awaited["days"] == []
    assert awaited["awaited"].startswith(AWAITED)
    assert await connections.redis.exists(ASKED_FOR)

    await keep_figures(connections, ShopDomain(SHOP))
    for page, before in zip(("/", "/admin/experiments/earned"), read, strict=True):
        shown = await opened(browser, page)
        assert "As of" in shown
        assert before in shown
        assert len(before) > 1_000
    kept = (await browser.get("/admin/api/home/earned", headers=bearer())).json()
    assert [each["value"] for each in kept["days"]] == [each["value"] for each in days]


@pytest.mark.parametrize("whom", ["", "vouched"])
@pytest.mark.parametrize("name", ["dear", "standing"])
async def test_an_experiments_page_shows_what_the_worker_found_as_it_would_have_read_it(
    connections: Connections,
    browser: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    whom: str,
) -> None:
    async def shown() -> tuple[str, str]:
        about = {"id": name, "whom": whom}
        page = await opened(browser, "/admin/experiments/read", **about)
        as_of, _, rest = page.rpartition("data-as-of")
        return as_of and rest[:60], page.partition("<s-banner")[2].partition("</s-page>")[0]

    async def taken_away() -> tuple[int, str]:
        answer = await browser.post("/admin/api/experiments/export", json={"id": name}, headers=bearer())
        return answer.status_code, answer.text

    await keep_experiment(connections)
    async with connections.write() as db:  # nobody vouches for every third
        others = col(DecisionRow.decision_id).in_([f"e{n}" for n in range(0, 1_600, 3)])
        await (await db.connection()).execute(update(DecisionRow).where(others).values(surface="storefront"))
    (at_once, read), (_, table) = await shown(), await taken_away()
    assert (at_once, "progress" in read, "progress" in table) == ("", True, False)

    large_from(connections, monkeypatch, decisions=0)
    awaited, figures = await shown()
    assert (AWAITED in awaited, figures) == (True, "")
    status, says = await taken_away()
    assert (status, AWAITED in says) == (400, True)

    await keep_figures(connections, ShopDomain(SHOP))
    as_of, kept = await shown()
    assert "As of" in as_of
    assert (kept, await taken_away()) == (read, (200, table))


async def test_a_young_version_and_one_that_is_not_there_are_read_while_somebody_waits(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_experiment(connections, units=20)
    large_from(connections, monkeypatch, decisions=30)  # the shop made 40, none of late
    design = read_design(experiment_design(id="young"))
    await draft(connections, ShopDomain(SHOP), design, datetime.now(UTC))
    for name, says in (("dear", AWAITED), ("young", "No visitor"), ("nothing", "is not there")):
        page = await opened(browser, "/admin/experiments/read", id=name)
        assert (says in page, AWAITED in page) == (True, says == AWAITED)
    await stop(connections, ShopDomain(SHOP), "dear", datetime.now(UTC))
    await start(connections, ShopDomain(SHOP), "young", datetime.now(UTC))
    async with connections.write() as db:  # many were made in the hours before
        hours_ago = datetime.now(UTC) - timedelta(hours=3)
        await (await db.connection()).execute(update(DecisionRow).values(decided_at=hours_ago))
    assert AWAITED not in await opened(browser, "/admin/experiments/read", id="young")


async def test_what_a_version_showed_in_the_end_is_read_once_a_day(connections: Connections) -> None:
    await keep_experiment(connections, units=20)
    now = datetime.now(UTC)
    await stop(connections, ShopDomain(SHOP), "dear", days_ago(15))

    async def read_at(when: datetime, before: dict[str, StoredReadout]) -> datetime:
        return (await read_versions(connections, ShopDomain(SHOP), when, 1, before))["dear/1"].read_at

    first = await read_versions(connections, ShopDomain(SHOP), now - timedelta(hours=50), 1, {})
    assert await read_at(now - timedelta(hours=40), first) == now - timedelta(hours=40)  # windows were open
    kept = await read_versions(connections, ShopDomain(SHOP), now, 1, first)
    assert await read_at(now + timedelta(hours=23), kept) == now
    assert await read_at(now + timedelta(hours=25), kept) == now + timedelta(hours=25)
    assert await read_versions(connections, ShopDomain(SHOP), now, 100, kept) == {}  # few, read at once
    older = {key: msgspec.structs.replace(each, vouched=None) for key, each in kept.items()}
    assert await read_at(now + timedelta(hours=1), older) == now + timedelta(hours=1)  # of an older app


async def test_a_plan_starts_from_what_the_worker_found_as_it_would_have_read_it(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_experiment(connections)
    large_from(connections, monkeypatch, decisions=0)
    await keep_figures(connections, ShopDomain(SHOP))
    kept = await kept_figures(connections, SHOP)
    assert kept is not None
    monkeypatch.setattr(lately, "baseline_of", None)
    for metric in ("conversion", "revenue", "aov"):
        for window_days in (7, 14):
            known = await lately.base(connections, ShopDomain(SHOP), metric, window_days)
            read = await baseline_of(connections, ShopDomain(SHOP), metric, window_days, kept.read_at)
            assert (known, known.units) == (read, 800)
    assert kept.bases.of[21] == {}  # nobody was followed for so long
    hours = timedelta(hours=1)
    for later, anew in ((23 * hours, False), (25 * hours, True)):
        bases = await read_bases(connections, ShopDomain(SHOP), kept.read_at + later, kept.bases)
        assert (bases != kept.bases) is anew


async def test_what_is_kept_is_what_is_read(connections: Connections) -> None:
    await keep_experiment(connections, rates=(0.1, 0.6))
    await keep_figures(connections, ShopDomain(SHOP))
    kept = await kept_figures(connections, SHOP)
    assert kept is not None
    again = await read_figures(connections, ShopDomain(SHOP), kept.read_at)
    assert kept == msgspec.structs.replace(again, took_s=kept.took_s)


async def test_what_another_version_kept_in_another_layout_is_worked_out_anew(
    connections: Connections,
) -> None:
    await connections.redis.set(KEY, msgspec.msgpack.encode({"read_at": datetime.now(UTC), "took_s": 1.0}))
    assert await kept_figures(connections, SHOP) is None
    assert await connections.redis.exists(ASKED_FOR)


async def test_what_fails_is_not_asked_for_again_at_once(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_much(*_given: object) -> bytes:
        raise ChildFailed("ended with exit code -9")

    monkeypatch.setattr(figures, "run_in_child", too_much)
    await keep(connections, shop_row())
    with pytest.raises(ChildFailed):
        await keep_figures(connections, ShopDomain(SHOP))
    assert await kept_figures(connections, SHOP) is None
    assert not await connections.redis.exists(ASKED_FOR)


async def test_a_large_shops_figures_are_asked_for_when_they_are_old(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_asked_for() -> bool:
        await connections.redis.delete(ASKED_FOR)
        await request_due_figures(connections)
        return bool(await connections.redis.exists(ASKED_FOR))

    async def was_kept(ago: timedelta, took_s: float) -> None:
        known = {"read_at": datetime.now(UTC) - ago, "took_s": took_s}
        await connections.redis.set(KEY, msgspec.msgpack.encode(known))

    await keep_experiment(connections, units=5)
    assert not await is_asked_for()
    large_from(connections, monkeypatch, decisions=9)
    assert await is_asked_for()
    await was_kept(AGAIN_AFTER - timedelta(minutes=1), took_s=1)
    assert not await is_asked_for()
    await was_kept(AGAIN_AFTER + timedelta(minutes=1), took_s=1)
    assert await is_asked_for()
    await was_kept(AGAIN_AFTER + timedelta(minutes=1), took_s=120)  # not again for 40 minutes
    assert not await is_asked_for()
    await was_kept(-timedelta(days=1), took_s=1)  # a clock was put back
    assert await is_asked_for()
    large_from(connections, monkeypatch, decisions=10)
    assert not await is_asked_for()


async def test_nothing_is_kept_of_a_shop_that_is_gone(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_figures(connections, ShopDomain(SHOP))
    assert not await connections.redis.exists(KEY)
    await keep(connections, shop_row())

    async def erased_meanwhile(*_given: object) -> bytes:
        async with connections.write() as db:
            await db.exec(delete(ShopRow))
        return b""

    monkeypatch.setattr(figures, "run_in_child", erased_meanwhile)
    await keep_figures(connections, ShopDomain(SHOP))
    assert not await connections.redis.exists(KEY)

"""A redaction in the middle of a training, of other jobs' writing, and of a checkout."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from app import jobs
from app.connections import Connections
from app.consent import ledger
from app.consent.barred import look_and_write
from app.consent.digests import open_digests
from app.consent.requests import Kind, open_request
from app.consent.told import told_key
from app.errors import TillwiseError
from app.events.consume import work_off
from app.events.log import EventConsumer, this_consumer
from app.jobs import exclusive_job
from app.outbound.marking import MARKING
from app.outbound.offer_metafield_writing import WRITING
from app.privacy import erasure, unfinished
from app.privacy.erasure import erase_person
from app.privacy.shop import erase_shop
from app.privacy.unfinished import RequestIncomplete
from app.profiles import store
from app.profiles.keys import customer_key, granted_key, nudged_key
from app.profiles.names import Names
from app.profiles.store import follow_customers, keep_orders, rebuild
from app.recommend import retrain
from app.recommend.process import Job
from app.recommend.publish import latest, versions
from app.recommend.retrain import train_shop
from app.tables import DecisionRow, OrderRow
from app.worker import HANDLERS
from tests.campaigns.factories import TEN_PERCENT
from tests.campaigns.till import fill_pool, run
from tests.consent.issued import receipts_of
from tests.offers.factories import EVERYTHING
from tests.offers.factories import SHOP as CHECKOUT_SHOP
from tests.privacy.planted import ROSA, dump, found_in, plant
from tests.privacy.planted import SHOP as PLANTED_SHOP
from tests.profiles.factories import an_order
from tests.recommend.test_retrain import SHOP, SMALL, sell
from tests.test_decide import a_till, a_trained_shop, ask, token

GONE, STAYS = 7_700_077_007_701, 8_800_088_008_801


async def a_shop_with_two_customers(connections: Connections) -> None:
    await sell(connections, SHOP, 900)  # enough of them to learn tastes from
    halves = ((GONE, col(OrderRow.order_id) % 2 == 0), (STAYS, col(OrderRow.order_id) % 2 == 1))
    async with connections.write() as db:
        for customer, which in halves:
            await db.exec(update(OrderRow).where(which).values(customer_id=customer))


async def redact(connections: Connections, shop: str, customer: int) -> None:
    await open_request(connections, shop, "r", Kind.CUSTOMER, datetime.now(UTC), customer_id=customer)
    await erase_person(connections, shop, "r")


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Let it happen when a training is over and not published yet."""
    barred = retrain._barred

    async def after(connections: Connections, job: Job, *rest: Any) -> Collection[int]:
        await happens()
        return await barred(connections, job, *rest)

    monkeypatch.setattr(retrain, "_barred", after)


async def test_a_training_under_way_does_not_bring_an_erased_person_back(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_shop_with_two_customers(connections)
    await train_shop(connections, SHOP, SMALL)
    before = latest(connections.settings.data_dir, SHOP)
    assert before is not None
    assert set(before.customer_ids.tolist()) == {GONE, STAYS}
    meanwhile(monkeypatch, lambda: redact(connections, SHOP, GONE))
    await train_shop(connections, SHOP, replace(SMALL, seed=1))
    assert len(versions(connections.settings.data_dir, SHOP)) == 2
    model = latest(connections.settings.data_dir, SHOP)
    assert model is not None
    assert model.customer_ids.tolist() == [STAYS]
    marker = GONE.to_bytes(8, "little")
    assert found_in(await dump(connections), [marker, str(GONE).encode()]) == set()


async def test_a_training_under_way_does_not_bring_an_erased_shop_back(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_shop_with_two_customers(connections)

    async def erase() -> None:
        await open_request(connections, SHOP, "r", Kind.SHOP, datetime.now(UTC))
        await erase_shop(connections, SHOP, "r")

    meanwhile(monkeypatch, erase)
    with pytest.raises(TillwiseError, match="was erased meanwhile"):
        await train_shop(connections, SHOP, SMALL)
    assert versions(connections.settings.data_dir, SHOP) == []
    everything = await dump(connections)
    assert found_in(everything, [SHOP.encode()]) <= {f"key tw:{{{SHOP}}}:progress:train"}


async def test_an_erasure_does_not_end_while_a_job_writes_of_whom_it_read_before(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await keep_orders(connections, [an_order(1, [40], shop=SHOP, customer_id=GONE)])
    make_profiles = store.make_profiles

    async def read_then_redact(*about: Any) -> Any:
        made = await make_profiles(*about)
        with pytest.raises(RequestIncomplete):
            await redact(connections, SHOP, GONE)
        return made

    monkeypatch.setattr(store, "make_profiles", read_then_redact)
    assert await rebuild(connections, SHOP) == 1
    await redact(connections, SHOP, GONE)
    assert not await connections.redis.exists(customer_key(SHOP, GONE))


async def test_a_shop_is_not_erased_while_a_job_writes_of_whom_it_read_before(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await open_request(connections, SHOP, "r", Kind.SHOP, datetime.now(UTC))
    # The import's turn does not keep out a message, of which there are many in its time.
    async with asyncio.timeout(20), look_and_write(connections, SHOP, "import"):
        async with look_and_write(connections, SHOP, "reach"):
            pass
        with pytest.raises(RequestIncomplete):
            await erase_shop(connections, SHOP, "r")
    await erase_shop(connections, SHOP, "r")


@pytest.mark.parametrize("job", ["backfill", "collections", "segment", "intent"])
async def test_a_shop_is_not_erased_while_a_job_that_read_it_may_still_write(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, job: jobs.Job
) -> None:
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await open_request(connections, SHOP, "r", Kind.SHOP, datetime.now(UTC))
    async with exclusive_job(connections, job, SHOP):
        with pytest.raises(RequestIncomplete):
            await erase_shop(connections, SHOP, "r")
        assert await receipts_of(connections, SHOP) == []
    await erase_shop(connections, SHOP, "r")


@pytest.mark.parametrize("turn", [MARKING, WRITING])
async def test_an_erasure_does_not_end_while_what_a_customer_is_to_hold_in_shopify_is_being_written(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, turn: str
) -> None:
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    writing = contextlib.AsyncExitStack()

    async def begin(_erasing: object) -> None:
        await writing.enter_async_context(jobs.alone(connections, turn, SHOP))

    with monkeypatch.context() as patch, pytest.raises(RequestIncomplete):
        patch.setattr(erasure, "STEPS", (*erasure.STEPS, begin))
        await redact(connections, SHOP, GONE)
    await writing.aclose()
    await redact(connections, SHOP, GONE)


async def test_an_erasure_does_not_end_while_answers_are_put_back_into_a_redis_that_was_lost(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await plant(connections, ROSA)
    await connections.redis.flushall()
    remember = ledger._remember

    async def redact_first(*known: Any, **how: Any) -> None:
        with pytest.raises(RequestIncomplete):
            await redact(connections, PLANTED_SHOP, ROSA.customer)
        await remember(*known, **how)

    monkeypatch.setattr(ledger, "_remember", redact_first)
    assert await ledger.restore_told(connections) > 0
    await redact(connections, PLANTED_SHOP, ROSA.customer)
    assert not await connections.redis.keys("*:told:*")


async def test_a_checkout_under_way_is_answered_and_its_decision_names_nobody(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    a_year_ago = datetime.now(UTC) - timedelta(days=365)
    placed = an_order(1, [40], shop=CHECKOUT_SHOP, created_at=a_year_ago, updated_at=a_year_ago)
    assert placed.customer_id is not None
    customer = placed.customer_id
    await keep_orders(connections, [placed])
    await follow_customers(connections, [placed])
    async with a_till(connections) as client:
        web = client._transport.app  # type: ignore[attr-defined]
        read = web.state.deps.read

        async def read_then_redact(keys: Sequence[str]) -> list[bytes | None]:
            values: list[bytes | None] = await read(keys)
            await redact(connections, CHECKOUT_SHOP, customer)
            return values

        web.state.deps = replace(web.state.deps, read=read_then_redact)
        answer = await ask(
            client, 10, consent=EVERYTHING, checkout_token="the-token",
            headers=token(sub=f"gid://shopify/Customer/{customer}"),
        )  # fmt: skip
    assert answer["rung"] == "personal"  # it was decided before
    reader = EventConsumer(connections.redis, this_consumer())
    await reader.open()
    await work_off(connections, reader, HANDLERS, await reader.read(block_ms=1))
    async with connections.read() as db:
        (decision,) = (await db.exec(select(DecisionRow))).all()
    assert (decision.customer_id, decision.checkout_token, decision.inputs) == (None, None, {})
    assert decision.decision_id == answer["decision_id"]


async def test_a_checkout_under_way_leaves_nothing_in_redis_of_who_was_erased_meanwhile(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await run(connections, "ten", offer=TEN_PERCENT, expires_s=86_400)
    await fill_pool(connections, "CODE-0", "CODE-1")
    async with a_till(connections) as client:
        web = client._transport.app  # type: ignore[attr-defined]
        read = web.state.deps.read

        async def read_then_redact(keys: Sequence[str]) -> list[bytes | None]:
            values: list[bytes | None] = await read(keys)
            await redact(connections, CHECKOUT_SHOP, 7)
            return values

        web.state.deps = replace(web.state.deps, read=read_then_redact)
        answer = await ask(client, 10, consent=EVERYTHING, checkout_token="the-token")
        web.state.deps = replace(web.state.deps, read=read)
        neighbour = token(sub="gid://shopify/Customer/8")
        await ask(client, 10, consent=EVERYTHING, checkout_token="another", headers=neighbour)
    assert answer["rung"] == "personal"
    subjects = Names(8, checkout_token="another").subjects(await open_digests(connections), CHECKOUT_SHOP)
    kept = [nudged_key(CHECKOUT_SHOP, "customer:8"), granted_key(CHECKOUT_SHOP, "customer:8")]
    kept += [told_key(CHECKOUT_SHOP, each) for each in subjects.values()]
    found = [await connections.redis.keys(f"*:{each}:*") for each in ("nudged", "granted", "told")]
    assert sorted(key.decode() for keys in found for key in keys) == sorted(kept)

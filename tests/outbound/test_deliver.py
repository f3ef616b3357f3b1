from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from app.connections import Connections
from app.events.kinds import ConsentTold
from app.outbound import deliver
from app.outbound.deliver import EVENT_ID, deliver_due, deliver_messages, follow_withdrawal
from app.outbound.deliveries import (
    LEASE,
    PARKED_FOR,
    clear_parked,
    count_waiting,
    parked_deliveries,
    queue_moves,
    replay_parked,
    shops_due,
)
from app.outbound.messages import MOST_ATTEMPTS
from app.outbound.post import Post
from app.outbound.recent_messages import KEPT, recent_messages, record_sent
from app.outbound.settings_store import remove_webhook, set_webhook
from app.outbound.signature import HEADER, verified
from app.outbound_tables import DeliveryRow
from app.tables import CustomerRow, ShopRow
from app.values import ShopDomain
from tests.outbound.segments import answer, change_shop, move

SHOP = ShopDomain("a.myshopify.com")
URL = "https://hooks.example.com/in"
YES = {"marketing": True, "sale_of_data": True}
ADA, BO = 7, 8


class Receiver:
    """A system that takes messages, or does what it is told to answer next."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[int] = []
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._take))
        self.post = Post(client, self._resolve)

    async def _resolve(self, _host: str) -> list[str]:
        return ["8.8.8.8"]

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 200)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(each.content) for each in self.requests]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


async def shop_with_webhook(connections: Connections, *allowed: int, shop: ShopDomain = SHOP) -> str:
    """Install a shop whose customers allow sharing, and return the webhook's secret."""
    async with connections.write() as db:
        db.add(ShopRow(shop=shop, publishable_key=f"pk_{shop}", installed_at=datetime.now(UTC)))
    for customer_id in allowed:
        await answer(connections, shop, customer_id, **YES)
    secret = await set_webhook(connections, shop, URL)
    await since(connections, shop, datetime(2026, 1, 1, tzinfo=UTC))
    return secret


async def since(connections: Connections, shop: str, moment: datetime) -> None:
    async with connections.read() as db:
        settings = (await db.exec(select(ShopRow.settings).where(ShopRow.shop == shop))).one()
    settings["webhook"]["since"] = moment.isoformat()
    await change_shop(connections, shop, settings=settings)


async def run(connections: Connections, receiver: Receiver, later: timedelta = timedelta()) -> None:
    now = datetime.now(UTC) + later
    await queue_moves(connections, now)
    for shop in await shops_due(connections, now):
        await deliver_due(connections, receiver.post, shop, now)


async def rows(connections: Connections) -> list[DeliveryRow]:
    async with connections.read() as db:
        return list((await db.exec(select(DeliveryRow).order_by(col(DeliveryRow.event_id)))).all())


async def until_told(receiver: Receiver) -> None:
    async with asyncio.timeout(60):
        while not receiver.requests:  # noqa: ASYNC110  (the loop decides)
            await asyncio.sleep(0.02)


async def test_a_move_is_told_once_signed_and_named(
    on_both_databases: Connections, receiver: Receiver
) -> None:
    secret = await shop_with_webhook(on_both_databases, ADA)
    await move(on_both_databases, SHOP, ADA, "champions")
    await run(on_both_databases, receiver)
    await run(on_both_databases, receiver)
    (request,) = receiver.requests
    (told,) = receiver.told
    assert (told["shop"], told["customer_id"], told["before"], told["after"]) == (
        SHOP,
        ADA,
        None,
        "champions",
    )
    assert (told["why"], told["moved_at"]) == ("Is in champions.", "2026-11-20T12:00:00.000Z")
    assert request.headers[EVENT_ID] == told["event_id"]
    now = int(datetime.now(UTC).timestamp())
    assert verified(secret, request.headers[HEADER], request.content, now)
    assert await rows(on_both_databases) == []


async def test_a_message_that_is_not_taken_comes_again_later_the_same(
    on_both_databases: Connections, receiver: Receiver
) -> None:
    await shop_with_webhook(on_both_databases, ADA)
    await move(on_both_databases, SHOP, ADA, "champions")
    receiver.answers = [503]
    await run(on_both_databases, receiver)
    await run(on_both_databases, receiver)
    assert len(receiver.requests) == 1  # not before its time
    (waiting,) = await rows(on_both_databases)
    assert (waiting.attempts, waiting.error, waiting.status) == (1, "HTTP 503", "pending")
    await run(on_both_databases, receiver, timedelta(seconds=10))
    first, second = receiver.requests
    assert first.content == second.content
    assert first.headers[EVENT_ID] == second.headers[EVENT_ID]
    assert await rows(on_both_databases) == []


async def test_a_message_is_given_up_in_the_end_shown_and_sent_again_when_asked(
    connections: Connections, receiver: Receiver
) -> None:
    await shop_with_webhook(connections, ADA)
    await move(connections, SHOP, ADA, "champions")
    receiver.answers = [500] * MOST_ATTEMPTS
    for attempt in range(MOST_ATTEMPTS + 3):
        await run(connections, receiver, timedelta(hours=2 * attempt))
    assert len(receiver.requests) == MOST_ATTEMPTS
    (parked,) = await parked_deliveries(connections, SHOP)
    assert (parked.attempts, parked.error) == (MOST_ATTEMPTS, "HTTP 500")
    assert await replay_parked(connections, SHOP, datetime.now(UTC)) == 1
    await run(connections, receiver)
    assert len(receiver.requests) == MOST_ATTEMPTS + 1
    assert await parked_deliveries(connections, SHOP) == []


async def test_the_last_deliveries_are_known_without_whom_they_were_about(
    connections: Connections, receiver: Receiver
) -> None:
    await shop_with_webhook(connections, ADA)
    await move(connections, SHOP, ADA, "champions")
    receiver.answers = [503]
    await run(connections, receiver)
    await run(connections, receiver, timedelta(minutes=1))
    second, first = await recent_messages(connections, SHOP)
    assert (first.attempt, first.error, second.attempt, second.error) == (1, "HTTP 503", 2, None)
    assert first.event_id == second.event_id == receiver.told[0]["event_id"]
    await record_sent(connections, SHOP, [second] * (2 * KEPT))
    assert len(await recent_messages(connections, SHOP)) == KEPT


async def test_what_was_given_up_goes_after_a_month(connections: Connections, receiver: Receiver) -> None:
    await shop_with_webhook(connections, ADA)
    await move(connections, SHOP, ADA, "champions")
    await queue_moves(connections, datetime.now(UTC))
    async with connections.write() as db:
        (row,) = (await db.exec(select(DeliveryRow))).all()
        row.status = "parked"
        db.add(row)
    await clear_parked(connections, datetime.now(UTC) + PARKED_FOR - timedelta(hours=1))
    assert len(await rows(connections)) == 1
    await clear_parked(connections, datetime.now(UTC) + PARKED_FOR + timedelta(hours=1))
    assert await rows(connections) == []


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"marketing": True},
        {"sale_of_data": True},
        YES | {"marketing": False},
        YES | {"sale_of_data": False},
    ],
)
async def test_nothing_is_told_of_who_did_not_allow_it(
    connections: Connections, receiver: Receiver, answers: dict[str, bool]
) -> None:
    await shop_with_webhook(connections)
    if answers:
        await answer(connections, SHOP, ADA, **answers)
    await move(connections, SHOP, ADA, "champions")
    await run(connections, receiver)
    assert (receiver.requests, await rows(connections)) == ([], [])


async def test_who_opted_out_in_their_record_is_not_told_of_even_where_a_message_waits(
    connections: Connections, receiver: Receiver
) -> None:
    await shop_with_webhook(connections, ADA, BO)
    await move(connections, SHOP, ADA, "champions")
    await move(connections, SHOP, BO, "loyal")
    await queue_moves(connections, datetime.now(UTC))
    async with connections.write() as db:
        db.add(CustomerRow(shop=SHOP, customer_id=ADA, data_sale_opt_out=True, updated_at=datetime.now(UTC)))
    await run(connections, receiver)
    assert [each["customer_id"] for each in receiver.told] == [BO]
    assert await rows(connections) == []


@pytest.mark.parametrize("withdrawn", ["preferences", "marketing", "sale_of_data"])
async def test_a_withdrawal_drops_what_waits_and_what_was_given_up(
    connections: Connections, withdrawn: str
) -> None:
    await shop_with_webhook(connections, ADA, BO)
    await move(connections, SHOP, ADA, "champions")
    await move(connections, SHOP, BO, "loyal")
    await queue_moves(connections, datetime.now(UTC))
    event = ConsentTold(
        shop=SHOP, event_id="e", happened_at=datetime.now(UTC), source="checkout", customer_id=ADA,
        client_id=None, checkout_token=None, answers={withdrawn: False}, permitted=(), region=None,
        withdrawn=(withdrawn,), policy_version="",
    )  # fmt: skip
    await follow_withdrawal(connections, event)
    assert [row.customer_id for row in await rows(connections)] == [BO]


async def test_moves_of_before_the_webhook_was_set_are_not_told(
    connections: Connections, receiver: Receiver
) -> None:
    await shop_with_webhook(connections, ADA)
    await since(connections, SHOP, datetime.now(UTC) + timedelta(days=3650))
    await move(connections, SHOP, ADA, "champions")
    await run(connections, receiver)
    assert receiver.requests == []


async def test_without_the_webhook_messages_are_dropped_not_sent(
    connections: Connections, receiver: Receiver
) -> None:
    await shop_with_webhook(connections, ADA)
    await move(connections, SHOP, ADA, "champions")
    await queue_moves(connections, datetime.now(UTC))
    await remove_webhook(connections, SHOP)
    await run(connections, receiver)
    assert (receiver.requests, await rows(connections)) == ([], [])


async def test_a_shop_that_left_is_not_told_of(connections: Connections, receiver: Receiver) -> None:
    await shop_with_webhook(connections, ADA)
    await move(connections, SHOP, ADA, "champions")
    await queue_moves(connections, datetime.now(UTC))
    await change_shop(connections, SHOP, uninstalled_at=datetime.now(UTC))
    await run(connections, receiver)
    assert (receiver.requests, await rows(connections)) == ([], [])


async def test_each_shop_is_told_its_own_moves_alone(connections: Connections, receiver: Receiver) -> None:
    other = ShopDomain("b.myshopify.com")
    secret = await shop_with_webhook(connections, ADA)
    others = await shop_with_webhook(connections, ADA, shop=other)
    await move(connections, SHOP, ADA, "champions")
    await move(connections, other, ADA, "loyal")
    await run(connections, receiver)
    now = int(datetime.now(UTC).timestamp())
    told = {
        each["shop"]: (each["after"], request)
        for each, request in zip(receiver.told, receiver.requests, strict=True)
    }
    assert {shop: after for shop, (after, _) in told.items()} == {SHOP: "champions", other: "loyal"}
    for shop, key in ((SHOP, secret), (other, others)):
        request = told[shop][1]
        assert verified(key, request.headers[HEADER], request.content, now)


async def test_a_receiver_that_is_down_is_asked_a_few_times_not_once_a_message(
    connections: Connections, receiver: Receiver
) -> None:
    crowd = range(1, 31)
    await shop_with_webhook(connections, *crowd)
    for who in crowd:
        await move(connections, SHOP, who, "loyal")
    receiver.answers = [503] * 30
    await run(connections, receiver)
    assert len(receiver.requests) == 8
    assert await count_waiting(connections, SHOP) == 30
    receiver.answers = []
    await run(connections, receiver, timedelta(seconds=30))
    assert len({each["customer_id"] for each in receiver.told}) == 30
    assert await rows(connections) == []


async def test_a_receiver_that_never_answers_holds_up_no_other(
    connections: Connections, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, asked, gone = ShopDomain("b.myshopify.com"), asyncio.Event(), asyncio.Event()
    send = receiver.post.send

    async def slow(url: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        if json.loads(body)["shop"] == SHOP:
            asked.set()
            await gone.wait()
            return "no answer"
        await asked.wait()
        return await send(url, body, headers)

    monkeypatch.setattr(receiver.post, "send", slow)
    monkeypatch.setattr(deliver, "open_post", lambda: nullcontext(receiver.post))
    await shop_with_webhook(connections, ADA)
    await shop_with_webhook(connections, ADA, shop=other)
    await move(connections, SHOP, ADA, "champions")
    await move(connections, other, ADA, "loyal")
    stop = asyncio.Event()
    loop = asyncio.create_task(deliver_messages(connections, stop))
    await until_told(receiver)
    stop.set()
    gone.set()
    await loop
    assert [each["shop"] for each in receiver.told] == [other]
    assert [row.error for row in await rows(connections)] == ["no answer"]


async def test_a_message_whose_worker_died_is_sent_by_another(
    connections: Connections, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(Exception):
        """The process went away."""

    async def dies(*_: Any) -> None:
        raise Died

    await shop_with_webhook(connections, ADA)
    await move(connections, SHOP, ADA, "champions")
    with monkeypatch.context() as broken:
        broken.setattr(deliver, "settle", dies)
        with pytest.raises(Died):
            await run(connections, receiver)
    await run(connections, receiver)
    assert len(receiver.requests) == 1  # somebody may still be at it
    await run(connections, receiver, LEASE + timedelta(seconds=1))
    assert [each["event_id"] for each in receiver.told] == [receiver.told[0]["event_id"]] * 2


async def test_a_message_put_off_by_a_clock_that_was_put_back_is_not_late(
    connections: Connections, receiver: Receiver
) -> None:
    await shop_with_webhook(connections, ADA)
    await move(connections, SHOP, ADA, "champions")
    receiver.answers = [503]
    await run(connections, receiver, timedelta(days=1))
    assert len(await rows(connections)) == 1
    await run(connections, receiver)
    assert await rows(connections) == []


async def test_two_workers_make_one_message_of_a_move(on_both_databases: Connections) -> None:
    await shop_with_webhook(on_both_databases, ADA)
    await move(on_both_databases, SHOP, ADA, "champions")
    now = datetime.now(UTC)
    made = await asyncio.gather(*(queue_moves(on_both_databases, now) for _ in range(2)))
    assert sorted(made) == [0, 1]
    assert len(await rows(on_both_databases)) == 1


async def test_the_workers_loop_tells_what_comes_and_stops_when_told(
    connections: Connections, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "open_post", lambda: nullcontext(receiver.post))
    await shop_with_webhook(connections, ADA)
    stop = asyncio.Event()
    loop = asyncio.create_task(deliver_messages(connections, stop))
    await move(connections, SHOP, ADA, "champions")
    await until_told(receiver)
    stop.set()
    await loop
    assert [each["after"] for each in receiver.told] == ["champions"]

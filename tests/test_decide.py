import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlmodel import SQLModel
from starlette.applications import Starlette

import app.decide
from app.connections import Connections, connect
from app.embedded_redis import embedded_redis
from app.events.kinds import DecisionMade
from app.events.log import STREAM, EventConsumer
from app.offers.replay import replay
from app.offers.wire import MAX_BODY
from app.recommend.model import Weights
from app.recommend.publish import publish
from tests.offers.factories import EVERYTHING, SHOP, a_body, goes_together
from tests.profiles.factories import a_view, an_order, browse, place
from tests.recommend.test_publish import a_card
from tests.shops.factories import checkout_claims, signed_token
from tests.test_live import install, sell

NOBODY_HELD_OUT = {"arms": {"personalised": 1}}


def token(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed_token(checkout_claims(datetime.now(UTC), **claims))}"}


@asynccontextmanager
async def a_till(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the app whose one route is ours, on these connections."""
    web = Starlette(routes=app.decide.routes)
    web.state.connections = connections
    transport = httpx.ASGITransport(web)
    async with (
        app.decide.opened(web),
        httpx.AsyncClient(transport=transport, base_url="https://tillwise.example.com") as client,
    ):
        yield client


async def a_trained_shop(connections: Connections, **settings: Any) -> str:
    """Install a shop that sells 10 to 40, of which 10 and 30 go together; return its model's version."""
    await install(connections, settings=NOBODY_HELD_OUT | settings)
    for product_id in (10, 20, 30, 40):
        await sell(connections, product_id)
    model = goes_together({(10, 30): 0.9, (20, 40): 0.9}, weights=Weights(together=1, repeats=3, popular=0.1))
    return publish(connections.settings.data_dir, SHOP, model, a_card()).version


async def ask(client: httpx.AsyncClient, *cart: int, **changes: Any) -> dict[str, Any]:
    headers = changes.pop("headers", None) or token()
    response = await client.post("/api/personalize", json=a_body(*cart, **changes), headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def offered(answer: dict[str, Any]) -> list[int]:
    return [int(offer["product"]["product_id"].rpartition("/")[2]) for offer in answer["offers"]]


async def logged(connections: Connections, kind: type[Any] = DecisionMade) -> list[Any]:
    consumer = EventConsumer(connections.redis, "test")
    await consumer.open()
    events = [delivery.event() for delivery in await consumer.read(block_ms=1)]
    return [event for event in events if isinstance(event, kind)]


async def test_a_checkout_is_offered_what_goes_with_its_cart(connections: Connections) -> None:
    version = await a_trained_shop(connections)
    async with a_till(connections) as client:
        answer = await ask(client, 10)
    assert (answer["rung"], answer["arm"], answer["fallback"]) == ("contextual", "personalised", None)
    assert offered(answer)[0] == 30
    assert answer["offers"][0]["why"][0] == {
        "reason": "bought_together",
        "weight": 1.0,
        "with": "gid://shopify/Product/10",
    }
    (entry,) = await logged(connections)
    assert (entry.event_id, entry.model_version) == (answer["decision_id"], version)
    assert entry.answer == answer


async def test_a_logged_decision_can_be_replayed(connections: Connections) -> None:
    await a_trained_shop(connections)
    async with a_till(connections) as client:
        answer = await ask(client, 10, 20, consent=EVERYTHING)
        snapshot = await client._transport.app.state.deps.live.get(SHOP)  # type: ignore[attr-defined]
    (entry,) = await logged(connections)
    again = replay(entry.inputs, {snapshot.version: snapshot})
    assert json.loads(msgspec.json.encode(again)) == answer["offers"]


async def test_with_consent_the_customers_purchases_decide(connections: Connections) -> None:
    await a_trained_shop(connections)
    placed = an_order(1, [40], shop=SHOP, created_at=datetime.now(UTC), updated_at=datetime.now(UTC))
    await place(connections, placed)
    async with a_till(connections) as client:
        personal = await ask(client, 10, consent=EVERYTHING)
        session = await ask(client, 10, consent={"analytics": True})
        guest = await ask(client, 10, consent=EVERYTHING, headers=token(sub=None))
    assert (personal["rung"], personal["segment"], offered(personal)[0]) == ("personal", "returning", 40)
    assert (session["rung"], session["segment"], offered(session)[0]) == ("session", None, 30)
    assert (guest["segment"], offered(guest)[0]) == (None, 30)


async def test_with_analytics_the_visit_answers_for_an_empty_cart(connections: Connections) -> None:
    await a_trained_shop(connections)
    looked = a_view(20, shop=SHOP, checkout_token="token")
    await browse(connections, looked)
    async with a_till(connections) as client:
        session = await ask(client, consent={"analytics": True})
    assert offered(session)[0] == 40


async def test_an_unknown_visitor_is_told_by_the_visit_as_far_as_that_may_be_read(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    for product_id in (10, 20, 30, 40, 50):
        await browse(connections, a_view(product_id, product_id - 100, shop=SHOP, checkout_token="token"))
    async with a_till(connections) as client:
        session = await ask(client, 10, consent={"analytics": True}, headers=token(sub=None))
        nobody = await ask(client, 10, consent={}, headers=token(sub=None))
    assert (session["rung"], session["segment"]) == ("session", "interested_browsers")
    assert (nobody["rung"], nobody["segment"]) == ("contextual", None)
    told = {entry.event_id: entry.inputs["situation"]["segments"] for entry in await logged(connections)}
    assert told == {session["decision_id"]: ["interested_browsers"], nobody["decision_id"]: []}


async def test_without_consent_nothing_is_read_and_nobody_is_named(connections: Connections) -> None:
    await a_trained_shop(connections)
    await browse(connections, a_view(20, shop=SHOP, checkout_token="token"))
    async with a_till(connections) as client:
        answer = await ask(client, 10, client_id="browser")
    (entry,) = await logged(connections)
    assert (entry.rung, entry.customer_id, entry.checkout_token) == ("contextual", None, None)
    assert answer["segment"] is None
    ((_, fields),) = await connections.redis.xrange(STREAM)
    assert b"browser" not in fields[b"e"]
    assert entry.inputs["situation"]["viewed"] == []


async def test_a_holdout_sees_nothing_but_is_counted(connections: Connections) -> None:
    await a_trained_shop(connections, arms={"holdout": 1})
    async with a_till(connections) as client:
        answer = await ask(client, 10)
    (entry,) = await logged(connections)
    assert (answer["arm"], answer["offers"], answer["fallback"]) == ("holdout", [], None)
    assert (entry.arm, entry.answer["offers"]) == ("holdout", [])


async def test_the_static_arm_gets_the_merchants_picks(connections: Connections) -> None:
    await a_trained_shop(connections, arms={"static": 1}, pinned=[20])
    async with a_till(connections) as client:
        answer = await ask(client, 10)
    assert (answer["rung"], offered(answer)[0]) == ("static", 20)


async def test_a_shop_without_a_model_offers_its_defaults(connections: Connections) -> None:
    await install(connections, settings=NOBODY_HELD_OUT)
    await sell(connections, 10)
    await sell(connections, 20)
    async with a_till(connections) as client:
        answer = await ask(client, 10)
    assert (answer["rung"], answer["fallback"], offered(answer)) == ("static", "no_model", [20])


async def test_a_shop_without_the_app_is_offered_nothing(connections: Connections) -> None:
    async with a_till(connections) as client:
        answer = await ask(client, 10)
    assert (answer["offers"], answer["fallback"]) == ([], "no_shop")
    assert await connections.redis.exists(STREAM) == 0


async def test_customers_of_one_shop_are_unknown_to_another(connections: Connections) -> None:
    await a_trained_shop(connections)
    await place(connections, an_order(1, [40], shop="b.myshopify.com"))
    async with a_till(connections) as client:
        answer = await ask(client, 10, consent=EVERYTHING)
    assert answer["segment"] == "prospects"


@pytest.mark.parametrize("count", [0, 500])
async def test_carts_of_any_size_are_answered(connections: Connections, count: int) -> None:
    await a_trained_shop(connections)
    line = {"variant_id": 1, "quantity": 1, "price": "1.00"}
    lines = [line | {"product_id": n + 1} for n in range(count)]
    cart = {"currency": "USD", "subtotal": "1.00", "lines": lines}
    async with a_till(connections) as client:
        answer = await ask(client, cart=cart)
    assert answer["fallback"] is None
    assert not set(offered(answer)) & set(range(1, count + 1))


async def test_unknown_products_and_other_currencies_are_answered(connections: Connections) -> None:
    await a_trained_shop(connections)
    async with a_till(connections) as client:
        answer = await ask(client, 999, 10**17)
        foreign = await ask(client, 10, cart={"currency": "JPY", "subtotal": "900", "lines": []})
    assert len(answer["offers"]) == 3
    assert foreign["offers"][0]["product"]["currency"] == "USD"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}, {"Authorization": "Bearer pk_1"}],
)
async def test_who_does_not_prove_a_checkout_is_401(
    connections: Connections, headers: dict[str, str]
) -> None:
    async with a_till(connections) as client:
        response = await client.post("/api/personalize", json=a_body(10), headers=headers)
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.json()["error"]


async def test_a_token_of_another_app_is_401(connections: Connections) -> None:
    async with a_till(connections) as client:
        response = await client.post("/api/personalize", json=a_body(10), headers=token(aud="other"))
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"<html>", 400, None),
        (b"\xff", 400, None),
        (b'{"surface": "checkout"}', 400, "cart"),
        (b'{"surface": "checkout", "cart": {"currency": "USD"}}', 400, "cart.subtotal"),
        (b" " * (MAX_BODY + 1), 413, None),
    ],
)  # fmt: skip
async def test_a_malformed_body_is_refused_with_the_field_named(
    connections: Connections, body: bytes, status: int, field: str | None
) -> None:
    async with a_till(connections) as client:
        response = await client.post("/api/personalize", content=body, headers=token())
    assert response.status_code == status
    assert response.json().get("field") == field
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_any_origin_may_ask(connections: Connections) -> None:
    async with a_till(connections) as client:
        response = await client.options("/api/personalize", headers={"Origin": "null"})
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"


async def test_a_redis_that_is_slow_costs_the_history_not_the_offers(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_trained_shop(connections)
    for limit in ("READ_MS", "LOG_MS"):
        monkeypatch.setattr(app.decide, limit, 20)
    async with a_till(connections) as client:
        await ask(client, 10)
        await connections.redis.client_pause(2_000)
        slow = await ask(client, 10, consent=EVERYTHING)
        unlogged = await ask(client, 10)
        await connections.redis.ping()
    assert (slow["rung"], slow["fallback"], offered(slow)[0]) == ("contextual", "redis", 30)
    assert (unlogged["fallback"], offered(unlogged)[0]) == ("log", 30)


async def test_a_redis_that_is_gone_costs_the_history_not_the_offers(settings: Any, tmp_path: Path) -> None:
    with embedded_redis(tmp_path / "own") as address:
        async with connect(settings, address) as connections:
            async with connections.engine.begin() as connection:
                await connection.run_sync(SQLModel.metadata.create_all)
            await a_trained_shop(connections)
            async with a_till(connections) as client:
                before = await ask(client, 10, consent=EVERYTHING)
                await connections.redis.shutdown(nosave=True)
                after = await ask(client, 10, consent=EVERYTHING)
    assert (before["rung"], before["fallback"]) == ("personal", None)
    assert (after["rung"], after["fallback"], offered(after)[0]) == ("contextual", "redis", 30)


async def test_a_database_that_is_down_is_only_missed_by_shops_not_yet_in_memory(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    async with a_till(connections) as client:
        await ask(client, 10)
        await client._transport.app.state.deps.keeper.close()  # type: ignore[attr-defined]
        async with connections.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.drop_all)
        loaded = await ask(client, 10)
        not_loaded = await ask(client, 10, headers=token(dest="other.myshopify.com"))
    assert loaded["fallback"] is None
    assert (not_loaded["offers"], not_loaded["fallback"]) == ([], "error")


async def test_a_choice_that_fails_is_answered_with_the_defaults(connections: Connections) -> None:
    await a_trained_shop(connections, pinned=[40])
    async with a_till(connections) as client:
        live = client._transport.app.state.deps.live  # type: ignore[attr-defined]
        await ask(client, 10)
        snapshot = await live.get(SHOP)
        torn = replace(snapshot.model, neighbours=snapshot.model.neighbours[:1])
        live._shops[SHOP].snapshot = replace(snapshot, model=torn)
        answer = await ask(client, 40, 20)
        pinned = await ask(client, 20)
    assert (answer["rung"], answer["fallback"]) == ("static", "error")
    assert offered(pinned)[0] == 40


async def test_concurrent_checkouts_each_get_their_own_answer(connections: Connections) -> None:
    await a_trained_shop(connections)
    async with a_till(connections) as client:
        answers = await asyncio.gather(*(ask(client, 10 if n % 2 else 20) for n in range(20)))
    assert [offered(answer)[0] for answer in answers] == [40, 30] * 10
    assert len({answer["decision_id"] for answer in answers}) == 20
    assert {entry.event_id for entry in await logged(connections)} == {a["decision_id"] for a in answers}

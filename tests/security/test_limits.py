"""Who asks too often is told when to come again, and costs nobody else their answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

import app.collect
import app.decide
import app.limits
import app.storefront
import webhooks.receive
from app.collect import A_CALL, MOST_EVENTS
from app.config import Rates
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.told import told_key, unpack
from app.coupons.grants import CodeRequest
from app.errors import TillwiseError
from app.limits import BURST_S, Buckets
from app.main import answer_error
from app.metrics import TURNED_AWAY
from app.shops.sessions import ProxyClaims
from app.values import shop_domain
from tests.offers.factories import SHOP, a_body
from tests.shops.factories import proxy_pairs, proxy_query
from tests.test_decide import a_trained_shop, logged, token
from tests.test_live import install
from tests.webhooks.deliveries import headers, order_body, signature

OTHER = "other.myshopify.com"
PIXEL_KEY = "pk_" + "l" * 43
ROUTES = [*app.decide.routes, *app.storefront.routes, *app.collect.routes, *webhooks.receive.routes]


@pytest.fixture(autouse=True)
def _clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.limits, "monotonic", lambda: 1_000.0)


@asynccontextmanager
async def doors(connections: Connections, **rates: int) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of all that is limited, with these rates."""
    web = Starlette(routes=ROUTES, exception_handlers={TillwiseError: answer_error})
    settings = replace(connections.settings, rates=Rates(**{"shop": 1000, "visitor": 1000} | rates))
    web.state.connections = replace(connections, settings=settings)
    transport = httpx.ASGITransport(web)
    async with (
        app.decide.opened(web),
        webhooks.receive.opened(web),
        httpx.AsyncClient(transport=transport, base_url="https://tillwise.example.com") as http,
    ):
        yield http


async def ask(http: httpx.AsyncClient, **claims: Any) -> httpx.Response:
    return await http.post("/api/personalize", json=a_body(10), headers=token(**claims))


async def send(
    http: httpx.AsyncClient, client_id: str = "c-1", analytics: bool = True, many: int = 1
) -> httpx.Response:
    event = {
        "id": "e-1", "name": "product_viewed", "timestamp": datetime.now(UTC).isoformat(),
        "client_id": client_id, "data": {"product_id": 10}, "consent": {"analytics": analytics},
    }  # fmt: skip
    proof = {"Authorization": f"Bearer {PIXEL_KEY}"}
    return await http.post("/api/track_event", json={"events": [event] * many}, headers=proof)


async def look(http: httpx.AsyncClient, client_id: str | None) -> httpx.Response:
    body = json.dumps(a_body(10, surface="storefront", client_id=client_id))
    pairs = [each for each in proxy_pairs(datetime.now(UTC)) if each[0] != "logged_in_customer_id"]
    return await http.get(f"/proxy/offers?{proxy_query(*pairs, ('question', body))}")


def told_to_wait(answer: httpx.Response) -> bool:
    """Return whether the answer is the one to who asks too often, whole."""
    if answer.status_code != 429:
        return False
    assert list(answer.json()) == ["error"]
    assert int(answer.headers["retry-after"]) >= 1
    return True


async def test_a_customer_who_asks_too_often_is_told_when_to_come_again(connections: Connections) -> None:
    await a_trained_shop(connections)
    one, another = "gid://shopify/Customer/1", "gid://shopify/Customer/2"
    async with doors(connections, visitor=1) as http:
        answers = [await ask(http, sub=one, jti=str(number)) for number in range(BURST_S + 1)]
        assert answers[0].json()["fallback"] is None
        assert told_to_wait(answers[-1])
        assert answers[-1].headers["access-control-allow-origin"] == "*"
        assert (await ask(http, sub=another)).status_code == 200
    assert len(await logged(connections)) == 1 + BURST_S


async def test_a_guests_checkout_is_known_by_its_token(connections: Connections) -> None:
    await a_trained_shop(connections)
    async with doors(connections, visitor=1) as http:
        mine = token(sub=None, jti="mine")
        asked = [
            await http.post("/api/personalize", json=a_body(10), headers=mine) for _ in range(BURST_S + 1)
        ]
        assert asked[-2].status_code == 200
        assert told_to_wait(asked[-1])
        assert (await ask(http, sub=None, jti="another")).status_code == 200


async def test_a_shop_asked_about_too_often_shows_its_defaults_and_another_all_it_can(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    await install(connections, OTHER, settings={"arms": {"personalised": 1}})
    async with doors(connections, shop=1) as http:
        answers = [(await ask(http, jti=str(number))).json() for number in range(BURST_S + 1)]
        there = (await ask(http, dest=f"https://{OTHER}")).json()
    busy = [answer for answer in answers if answer["fallback"] == "busy"]
    assert answers[0]["fallback"] is None
    assert busy == answers[BURST_S:]
    assert all(answer["rung"] == "static" and answer["offers"] for answer in busy)
    assert there["fallback"] == "no_model"
    assert len(await logged(connections)) == 1 + BURST_S


async def test_who_is_held_out_sees_nothing_in_haste_either(connections: Connections) -> None:
    await a_trained_shop(connections, arms={"holdout": 1})
    async with doors(connections, shop=1) as http:
        answers = [(await ask(http, jti=str(number))).json() for number in range(BURST_S + 1)]
    assert answers[-1]["fallback"] == "busy"
    assert {(answer["arm"], len(answer["offers"])) for answer in answers} == {("holdout", 0)}


async def test_a_pages_visitor_is_told_to_wait_and_the_next_is_not(connections: Connections) -> None:
    await a_trained_shop(connections)
    async with doors(connections, visitor=1) as http:
        answers = [await look(http, "c-1") for _ in range(BURST_S + 1)]
        assert answers[0].status_code == 200
        assert told_to_wait(answers[-1])
        assert (await look(http, "c-2")).status_code == 200


async def test_of_a_visitor_who_sends_too_often_no_event_is_kept_and_the_next_is_heard(
    connections: Connections,
) -> None:
    await install(connections, publishable_key=PIXEL_KEY)
    async with doors(connections, visitor=1) as http:
        answers = [await send(http) for _ in range(BURST_S + 1)]
        assert answers[0].status_code == 202
        assert told_to_wait(answers[-1])
        assert (await send(http, "c-2")).status_code == 202


@pytest.mark.parametrize("analytics", [True, False], ids=["to be kept", "words about consent alone"])
async def test_a_large_batch_counts_as_the_calls_that_a_pixel_makes_of_it(
    connections: Connections, analytics: bool
) -> None:
    await install(connections, publishable_key=PIXEL_KEY)
    async with doors(connections, visitor=1) as http:
        answers = [await send(http, analytics=analytics, many=MOST_EVENTS) for _ in range(3)]
    assert [each.status_code for each in answers] == [202, 202, 429]
    assert BURST_S == 2 * MOST_EVENTS / A_CALL


async def test_a_shops_browsers_are_told_to_wait_together(connections: Connections) -> None:
    await install(connections, publishable_key=PIXEL_KEY)
    async with doors(connections, shop=1) as http:
        answers = [await send(http, f"c-{number}") for number in range(BURST_S + 1)]
    assert answers[0].status_code == 202
    assert told_to_wait(answers[-1])


async def test_who_is_turned_away_is_heard_when_they_take_analytics_back(connections: Connections) -> None:
    """Nothing more comes from that browser: what it told before would stay."""
    await install(connections, publishable_key=PIXEL_KEY)
    async with doors(connections, shop=1) as http:
        for number in range(BURST_S):
            assert (await send(http, f"c-{number}")).status_code == 202
        assert told_to_wait(await send(http, "c-1", analytics=False))
        assert told_to_wait(await send(http, "nobody", analytics=False))
    digests = await open_digests(connections)
    names = [digests.of(SHOP, "client", each) for each in ("c-1", "c-2", "nobody")]
    told = [unpack(await connections.redis.get(told_key(SHOP, each))) for each in names]
    assert [each and each.analytics for each in told] == [False, True, None]


async def test_a_forger_is_told_to_wait_and_shopify_is_heard_from_the_same_address(
    connections: Connections,
) -> None:
    body = order_body()
    counted = TURNED_AWAY.labels("webhooks", "forger")
    before = counted._value.get()
    async with doors(connections, forger=1) as http:
        forged = [
            await http.post("/webhooks", content=body, headers=headers(body, Hmac_Sha256=signature(b"x")))
            for _ in range(BURST_S + 1)
        ]
        assert forged[0].status_code == 401
        assert told_to_wait(forged[-1])
        assert (await http.post("/webhooks", content=body, headers=headers(body))).status_code == 200
    assert counted._value.get() - before == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30), st.integers(1, 5)), max_size=60))
def test_a_bucket_lets_in_what_a_plain_count_of_calls_lets_in(asked: list[tuple[int, float, int]]) -> None:
    buckets, level, last, now = Buckets(2), dict.fromkeys(range(4), 20.0), dict.fromkeys(range(4), 0.0), 0.0
    for caller, pause, calls in asked:
        now += round(pause * 8) / 8  # eighths of a second are exact
        level[caller] = min(20.0, level[caller] + 2 * (now - last[caller]))  # 2 a second, 10 s of them
        last[caller] = now
        wait_s = buckets.wait_s(caller, now, calls)
        assert (wait_s == 0) == (level[caller] >= calls)
        if wait_s == 0:
            level[caller] -= calls
        else:
            assert level[caller] + 2 * wait_s >= calls


def test_callers_without_end_take_no_memory_without_end_and_an_eager_one_is_not_forgotten() -> None:
    buckets = Buckets(1, most=50)
    for number in range(1_000):
        buckets.wait_s(1_000 + number, 0.0)
        eager = buckets.wait_s(7, 0.0)
    assert len(buckets) <= 100
    assert eager > 0


async def test_a_shops_storefront_gives_guests_only_so_many_codes_however_many_browsers_are_made_up(
    connections: Connections,
) -> None:
    async with doors(connections) as http:
        web: Starlette = http._transport.app  # type: ignore[attr-defined]
        deps = web.state.deps

        def may(shop: str, unit: str) -> bool:
            wanted = CodeRequest(shop, "ten", "pool", unit, 0, datetime.now(UTC))
            return app.decide._may_have(deps, ProxyClaims(shop_domain(shop), None), wanted)

        at_once = BURST_S * app.limits.STOREFRONT_CODES_A_SECOND
        given = [may(SHOP, f"client:{n}") for n in range(2 * at_once)]
        assert sum(given) == pytest.approx(at_once, abs=1)
        assert may(OTHER, "client:1")
        assert may(SHOP, "customer:7")

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

import app.decide
import app.storefront
from app.connections import Connections
from app.errors import TillwiseError
from app.events.kinds import ConsentTold
from app.main import answer_error
from tests.offers.factories import SHOP, a_body
from tests.shops.factories import proxy_pairs, proxy_query
from tests.test_decide import a_trained_shop, logged

ALL = {"analytics": True, "marketing": True, "preferences": True}


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the route, with a shop that has learnt what goes together."""
    await a_trained_shop(connections)
    web = Starlette(routes=app.storefront.routes, exception_handlers={TillwiseError: answer_error})
    web.state.connections = connections
    transport = httpx.ASGITransport(web)
    async with (
        app.decide.opened(web),
        httpx.AsyncClient(transport=transport, base_url="https://tillwise.example.com") as client,
    ):
        yield client


def query(question: Any, now: datetime | None = None) -> str:
    pairs = proxy_pairs(now or datetime.now(UTC))
    body = question if isinstance(question, str) else json.dumps(question)
    return proxy_query(*pairs, ("question", body))


async def ask(front: httpx.AsyncClient, question: Any, agent: str = "", **changes: Any) -> httpx.Response:
    return await front.get(f"/proxy/offers?{query(question, **changes)}", headers={"User-Agent": agent})


async def test_a_page_is_offered_what_goes_with_its_cart_and_nothing_is_cached(
    front: httpx.AsyncClient,
) -> None:
    answer = await ask(front, a_body(10, surface="storefront"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["offers"][0]["product"]["product_id"] == "gid://shopify/Product/30"


async def test_the_customer_is_who_the_proxy_says(front: httpx.AsyncClient, connections: Connections) -> None:
    await ask(front, a_body(10, surface="storefront", consent=ALL, customer_id="999"))
    (decision,) = await logged(connections)
    assert decision.customer_id == 7


async def test_what_is_told_of_consent_is_the_storefronts_word(
    front: httpx.AsyncClient, connections: Connections
) -> None:
    await ask(front, a_body(10, surface="storefront", consent=ALL, client_id="c"))
    (told,) = await logged(connections, ConsentTold)
    assert told.source == "storefront"


async def test_who_says_it_is_a_robot_sees_the_defaults_and_counts_nowhere(
    front: httpx.AsyncClient, connections: Connections
) -> None:
    question = a_body(10, surface="storefront", consent=ALL, client_id="c")
    answer = (await ask(front, question, agent="Mozilla/5.0 (compatible; Googlebot/2.1)")).json()
    assert (answer["fallback"], bool(answer["offers"])) == ("robot", True)
    assert not await logged(connections, object)
    assert (await ask(front, question, agent="Mozilla/5.0 (X11)")).json()["fallback"] is None
    assert len(await logged(connections)) == 1


async def test_a_forged_an_old_and_an_unsigned_query_are_refused(front: httpx.AsyncClient) -> None:
    forged = query(a_body(10)).replace(SHOP, "other.myshopify.com")
    for sent in (forged, query(a_body(10), datetime.now(UTC) - timedelta(minutes=5)), "question={}"):
        answer = await front.get(f"/proxy/offers?{sent}")
        assert (answer.status_code, answer.json()["field"]) == (400, "signature")


async def test_nobody_is_met_in_a_checkout_through_the_storefronts_proxy(front: httpx.AsyncClient) -> None:
    answer = await ask(front, a_body(10, surface="checkout"))
    assert (answer.status_code, answer.json()["field"]) == (400, "surface")


@pytest.mark.parametrize("question", ["", "[]", "{", '{"surface": "storefront"}'])
async def test_a_question_that_is_none_is_refused_by_name(front: httpx.AsyncClient, question: str) -> None:
    answer = await ask(front, question)
    assert answer.status_code == 400
    assert answer.json()["error"]

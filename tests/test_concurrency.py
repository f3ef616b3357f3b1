import asyncio
from collections.abc import Sequence
from dataclasses import replace

import httpx
from starlette.applications import Starlette

import app.decide
from app.concurrency import ConcurrencyLimit
from app.connections import Connections
from tests.offers.factories import a_body
from tests.test_decide import a_trained_shop, logged, token

USUAL = 8


async def until(condition: asyncio.Event) -> None:
    async with asyncio.timeout(60):
        await condition.wait()


async def test_of_ten_times_the_usual_crowd_the_rest_is_answered_at_once_and_nothing_piles_up(
    connections: Connections,
) -> None:
    await a_trained_shop(connections)
    web = Starlette(routes=app.decide.routes)
    web.state.connections = connections
    full, goes_on, waiting = asyncio.Event(), asyncio.Event(), 0

    async def read_when_told(keys: Sequence[str]) -> list[bytes | None]:
        nonlocal waiting
        waiting += 1
        if waiting == USUAL:
            full.set()
        await goes_on.wait()
        return [None] * len(keys)

    async with app.decide.opened(web):
        deps = web.state.deps = replace(
            web.state.deps, read=read_when_told, concurrency=ConcurrencyLimit(USUAL)
        )
        http = httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="https://t.example.com")
        bodies = [a_body(10, checkout_token=f"checkout-{number}") for number in range(10 * USUAL + 1)]

        def ask(body: object) -> "asyncio.Task[httpx.Response]":
            return asyncio.create_task(http.post("/api/personalize", json=body, headers=token()))

        async with http:
            held = [ask(body) for body in bodies[:USUAL]]
            await until(full)
            shed = [(await ask(body)).json() for body in bodies[USUAL:-1]]
            assert {answer["fallback"] for answer in shed} == {"busy"}
            assert all(answer["offers"] for answer in shed)
            assert (waiting, deps.concurrency.under_way) == (USUAL, USUAL)
            goes_on.set()
            answers = [(await each).json() for each in held]
            assert {answer["fallback"] for answer in answers} == {None}
            assert deps.concurrency.under_way == 0
            assert (await ask(bodies[-1])).json()["fallback"] is None
    assert len(await logged(connections)) == USUAL + 1

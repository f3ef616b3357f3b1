"""From a call's consent to all that follows from it: decide, collect, the worker, and back to decide."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from sqlmodel import select
from starlette.applications import Starlette

import app.collect
import app.decide
from app import ttl_cache
from app.connections import Connections
from app.consent.policies import policy_history, read_policies, remembered_policy
from app.consent.policy import PURPOSES
from app.events.consume import work_off
from app.events.kinds import BrowserEvent, ConsentTold, DecisionMade
from app.events.log import EventConsumer
from app.privacy_tables import ConsentRow
from app.profiles.keys import checkout_key, client_key, nudged_key
from app.profiles.store import follow_customers, keep_orders
from app.shops.tokens import sealed_row
from app.tables import DecisionRow, EventRow, ShopRow
from app.worker import HANDLERS
from tests.campaigns.till import run
from tests.offers.factories import EVERYTHING, SHOP
from tests.profiles.factories import an_order
from tests.shops.test_tokens import GRAPHQL_URL, grant
from tests.test_decide import a_till, a_trained_shop, ask, offered, token
from tests.test_live import until

NOTHING = dict.fromkeys(EVERYTHING, False)
KEY = "pk_" + "n" * 43


@pytest.fixture
async def shopper(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    async with a_shopper(connections) as client:
        yield client


@asynccontextmanager
async def a_shopper(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of decide and of collect, in a trained shop where customer 7 bought product 40."""
    await a_trained_shop(connections)
    async with connections.write() as db:
        shop = await db.get(ShopRow, SHOP)
        assert shop is not None
        shop.publishable_key = KEY
        db.add(shop)
    now = datetime.now(UTC)
    placed = an_order(1, [40], shop=SHOP, created_at=now, updated_at=now)
    await keep_orders(connections, [placed])
    await follow_customers(connections, [placed])
    async with a_till(connections) as client:
        web: Starlette = client._transport.app  # type: ignore[attr-defined]
        web.router.routes.extend(app.collect.routes)
        yield client


def a_look(event_id: str, consent: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a look at product 20 as a pixel sends it."""
    return {
        "id": event_id, "name": "product_viewed", "timestamp": datetime.now(UTC).isoformat(),
        "client_id": "browser", "data": {"product_id": 20}, "consent": consent,
    } | fields  # fmt: skip


async def look(client: httpx.AsyncClient, event_id: str, consent: dict[str, Any], **fields: Any) -> None:
    batch = {"events": [a_look(event_id, consent, **fields)]}
    answer = await client.post("/api/track_event", json=batch, headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == 202, answer.text


async def work(connections: Connections, reader: EventConsumer) -> list[Any]:
    """Return the events that were in the log, worked off as the worker does."""
    deliveries = await reader.read(block_ms=1)
    await work_off(connections, reader, HANDLERS, deliveries)
    return [delivery.event() for delivery in deliveries]


def of(kind: type[Any], events: list[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def rows(connections: Connections, kind: Any) -> list[Any]:
    async with connections.read() as db:
        return list((await db.exec(select(kind))).all())


async def policy(connections: Connections, *, consent_required: bool) -> None:
    """Let Shopify have this policy for the US, and the hourly look read it."""
    region = {"countryCode": "US", "consentRequired": consent_required, "dataSaleOptOutRequired": False}
    async with connections.write() as db:
        await db.merge(sealed_row(connections, SHOP, grant()))
    with respx.mock:
        respx.post(GRAPHQL_URL).respond(json={"data": {"privacySettings": {}, "consentPolicy": [region]}})
        await connections.redis.delete("tw:turns")  # an hour later
        await read_policies(connections)


async def test_a_withdrawal_counts_in_the_very_call_that_brings_it_and_everywhere_after_it(
    connections: Connections, reader: EventConsumer, shopper: httpx.AsyncClient
) -> None:
    await look(shopper, "1", EVERYTHING, checkout_token="token")
    before = await ask(shopper, 10, consent=EVERYTHING, checkout_token="token")
    assert (before["rung"], offered(before)[0]) == ("personal", 40)
    told = of(ConsentTold, await work(connections, reader))
    assert {event.source for event in told} == {"checkout", "pixel"}
    assert [row.customer_id for row in await rows(connections, DecisionRow)] == [7]

    after = await ask(shopper, 10, consent=NOTHING, checkout_token="token")
    assert (after["rung"], after["segment"], offered(after)[0]) == ("contextual", None, 30)
    events = await work(connections, reader)
    (decided,), (event,) = of(DecisionMade, events), of(ConsentTold, events)
    assert (decided.customer_id, decided.checkout_token, decided.permitted) == (None, None, ())
    assert (event.customer_id, event.checkout_token, event.client_id) == (7, "token", None)
    assert (event.withdrawn, event.permitted) == (PURPOSES, ())

    for key in (client_key(SHOP, "browser"), checkout_key(SHOP, "token")):
        assert await connections.redis.exists(key) == 0
    assert not [row for row in await rows(connections, EventRow) if row.client_id or row.checkout_token]
    for row in await rows(connections, DecisionRow):
        assert (row.customer_id, row.checkout_token) == (None, None)
    stale = await ask(shopper, 10, consent=EVERYTHING)  # a new yes, before the worker hears of it
    assert (stale["segment"], offered(stale)[0]) == (None, 30)
    await work(connections, reader)
    again = await ask(shopper, 10, consent=EVERYTHING)
    assert (again["rung"], offered(again)[0]) == ("personal", 40)


async def test_a_batch_that_came_before_a_refusal_and_is_read_after_it_is_no_new_yes(
    connections: Connections, reader: EventConsumer, shopper: httpx.AsyncClient
) -> None:
    await look(shopper, "1", EVERYTHING)
    await work(connections, reader)

    async def slowly() -> AsyncIterator[bytes]:
        await look(shopper, "3", NOTHING)
        yield json.dumps({"events": [a_look("2", EVERYTHING)]}).encode()

    answer = await shopper.post(
        "/api/track_event", content=slowly(), headers={"Authorization": f"Bearer {KEY}"}
    )
    assert answer.status_code == 202
    await work(connections, reader)
    told = [row.answers["analytics"] for row in await rows(connections, ConsentRow)]
    assert told == [True, False, False]
    assert await rows(connections, EventRow) == []


@pytest.mark.parametrize("refused", [NOTHING, EVERYTHING | {"marketing": False}])
async def test_what_is_on_its_way_when_it_is_taken_back_names_nobody_when_it_arrives(
    on_both_databases: Connections, refused: dict[str, bool]
) -> None:
    """Of two workers one may have read the decision first and be the later one to write it down."""
    connections = on_both_databases
    reader = EventConsumer(connections.redis, "test")
    await reader.open()
    async with a_shopper(connections) as shopper:
        await ask(shopper, 10, consent=EVERYTHING)
        await ask(shopper, 10, consent=EVERYTHING)
        first, *rest = await reader.read(block_ms=1)
        (late,) = [each for each in rest if isinstance(each.event(), DecisionMade)]
        assert isinstance(first.event(), DecisionMade)
        await ask(shopper, 10, consent=refused)
        told = [each for each in [*rest, *await reader.read(block_ms=1)] if each is not late]
        await work_off(connections, reader, HANDLERS, [first, *told])
        await work_off(connections, reader, HANDLERS, [late])
        assert [row.customer_id for row in await rows(connections, DecisionRow)] == [None] * 3
        assert not await connections.redis.keys("*nudged:customer*")

        for _ in ("a new yes", "and what is decided under it"):
            await ask(shopper, 10, consent=EVERYTHING)
            await work(connections, reader)
        named = [row.customer_id for row in await rows(connections, DecisionRow)]
        assert sorted(named, key=str) == [7, *[None] * 4]


async def test_of_a_strangers_refusals_nothing_is_written_anywhere(
    connections: Connections, reader: EventConsumer, shopper: httpx.AsyncClient
) -> None:
    keys = set(await connections.redis.keys("*"))
    for number, consent in enumerate([NOTHING, {}, {"marketing": True}, {"sale_of_data": True}, NOTHING]):
        await look(shopper, str(number), consent, client_id="stranger", checkout_token="secret")
        await ask(shopper, 10, consent=consent, client_id="stranger", checkout_token="secret")
    events = await work(connections, reader)
    assert len(of(DecisionMade, events)) == len(events) == 5
    assert {(row.customer_id, row.checkout_token) for row in await rows(connections, DecisionRow)} == {
        (None, None)
    }
    assert await rows(connections, ConsentRow) == await rows(connections, EventRow) == []
    assert set(await connections.redis.keys("*")) <= keys | {b"tw:events", b"tw:active"}
    for key in await connections.redis.keys("*"):
        assert not await held(connections, key, b"stranger", b"secret")
    assert not any(b"stranger" in str(event).encode() or b"secret" in str(event).encode() for event in events)


async def held(connections: Connections, key: bytes, *names: bytes) -> bool:
    kind = await connections.redis.type(key)
    dumped: Any = await (connections.redis.xrange(key) if kind == b"stream" else connections.redis.dump(key))
    return any(name in key or name in str(dumped).encode() for name in names)


@pytest.mark.parametrize("ahead_s", [0, 3600])
async def test_a_yes_and_a_no_in_one_batch_are_both_told_and_leave_nothing(
    connections: Connections, reader: EventConsumer, shopper: httpx.AsyncClient, ahead_s: int
) -> None:
    at = [(datetime.now(UTC) + timedelta(seconds=ahead_s + each)).isoformat() for each in (0, 1)]
    batch = [a_look("1", EVERYTHING, timestamp=at[0]), a_look("2", NOTHING, timestamp=at[1])]
    answer = await shopper.post(
        "/api/track_event", json={"events": batch}, headers={"Authorization": f"Bearer {KEY}"}
    )
    assert answer.json() == {"accepted": 1, "duplicate": 0, "rejected": 0, "without_consent": 1}
    first, *later = await reader.read(block_ms=1)
    assert isinstance(first.event(), BrowserEvent)
    for part in (later, [first]):  # as two workers may
        await work_off(connections, reader, HANDLERS, part)
    told = of(ConsentTold, [each.event() for each in later])
    assert [event.withdrawn for event in told] == [(), PURPOSES]
    assert await connections.redis.exists(client_key(SHOP, "browser")) == 0
    assert await rows(connections, EventRow) == []


async def test_what_a_browser_was_offered_before_any_checkout_goes_with_its_visit(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    reader = EventConsumer(connections.redis, "test")
    await reader.open()
    analytics = NOTHING | {"analytics": True}
    async with a_shopper(connections) as shopper:
        for browser in ("browser", "another"):
            await look(shopper, f"1 of {browser}".replace(" ", "-"), analytics, client_id=browser)
        await work(connections, reader)
        for browser in ("browser", "another"):
            await ask(shopper, 10, consent=analytics, client_id=browser, checkout_token=None)
        await work(connections, reader)
        made = sorted(await rows(connections, DecisionRow), key=lambda row: row.decided_at)
        assert [row.inputs["situation"]["viewed"] for row in made] == [[20], [20]]

        await look(shopper, "2", NOTHING)
        await work(connections, reader)
    kept = {row.decision_id: row.inputs for row in await rows(connections, DecisionRow)}
    assert [kept[row.decision_id] for row in made] == [{}, made[1].inputs]


async def test_a_browser_whose_clock_is_slow_is_believed_when_it_refuses(
    connections: Connections, reader: EventConsumer, shopper: httpx.AsyncClient
) -> None:
    await look(shopper, "1", EVERYTHING)
    await look(shopper, "2", NOTHING, timestamp="2020-01-01T00:00:00Z")
    events = await work(connections, reader)
    assert [event.withdrawn for event in of(ConsentTold, events)] == [(), PURPOSES]
    assert len(of(BrowserEvent, events)) == 1
    assert await connections.redis.exists(client_key(SHOP, "browser")) == 0
    assert await rows(connections, EventRow) == []


async def test_a_refusal_where_the_policy_had_allowed_it_takes_back_what_was_kept(
    connections: Connections, reader: EventConsumer, shopper: httpx.AsyncClient
) -> None:
    await policy(connections, consent_required=False)
    await look(shopper, "1", {}, region={"country": "US"})
    assert len(of(BrowserEvent, await work(connections, reader))) == 1
    assert await connections.redis.exists(client_key(SHOP, "browser")) == 1
    await look(shopper, "2", NOTHING, region={"country": "US"})
    await work(connections, reader)
    assert await connections.redis.exists(client_key(SHOP, "browser")) == 0
    assert await rows(connections, EventRow) == []


async def test_a_changed_policy_is_obeyed_within_seconds_by_decide_and_collect(
    connections: Connections,
    shopper: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = {"country": "US"}
    assert (await ask(shopper, 10, consent={}, region=where))["rung"] == "contextual"
    assert not (await remembered_policy(connections, SHOP)).regions
    await policy(connections, consent_required=False)

    async def personal() -> bool:
        return bool((await ask(shopper, 10, consent={}, region=where))["rung"] == "personal")

    await until(personal)
    later = ttl_cache.monotonic() + ttl_cache.REMEMBERED_S
    monkeypatch.setattr(ttl_cache, "monotonic", lambda: later)
    assert (await remembered_policy(connections, SHOP)).regions["US"].consent_required is False

    await policy(connections, consent_required=True)

    async def contextual() -> bool:
        return bool((await ask(shopper, 10, consent={}, region=where))["rung"] == "contextual")

    await until(contextual)
    assert [
        read.policy.regions["US"].consent_required for read in await policy_history(connections, SHOP)
    ] == [
        True,
        False,
    ]


async def test_what_a_checkout_under_way_shows_is_not_kept_of_a_visit_that_is_taken_back_meanwhile(
    connections: Connections, reader: EventConsumer, shopper: httpx.AsyncClient
) -> None:
    await run(connections, "help")
    state, guest = shopper._transport.app.state, token(sub=None)  # type: ignore[attr-defined]
    read = state.deps.read

    async def visit() -> list[bytes]:
        await ask(shopper, 10, consent={"analytics": True}, client_id="browser", headers=guest)
        await work(connections, reader)
        kept: list[bytes] = await connections.redis.keys("*:nudged:*")
        return kept

    async def read_then_take_back(keys: Sequence[str]) -> list[bytes | None]:
        values: list[bytes | None] = await read(keys)
        await look(shopper, "2", NOTHING)
        await work(connections, reader)
        return values

    await look(shopper, "1", EVERYTHING)
    assert await visit() == [nudged_key(SHOP, "client:browser").encode()]
    state.deps = replace(state.deps, read=read_then_take_back)
    assert await visit() == []


async def test_who_allows_again_and_takes_that_back_before_either_is_handled_is_heard(
    connections: Connections, reader: EventConsumer, shopper: httpx.AsyncClient
) -> None:
    for number, said in enumerate((EVERYTHING, NOTHING)):
        await look(shopper, f"handled-{number}", said)
        await work(connections, reader)
    await look(shopper, "again", EVERYTHING)
    await look(shopper, "back", NOTHING)
    told = of(ConsentTold, await work(connections, reader))
    assert [(event.event_id, event.withdrawn) for event in told] == [
        ("consent:browser:again", ()),
        ("consent:browser:back", PURPOSES),
    ]

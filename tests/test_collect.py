import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from starlette.applications import Starlette

import app.collect
from app.collect import LIMIT_BYTES, MOST_EVENT_BYTES, Sender, routes, sort_out
from app.connections import Connections
from app.consent.policy import UNREAD
from app.errors import InputError
from app.events.kinds import KINDS, BrowserEvent
from app.events.log import EventConsumer
from app.tables import ShopRow
from app.values import finite

SHOP = "a.myshopify.com"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
KEY = "pk_" + "k" * 43
ALL = {"analytics": True, "marketing": True, "preferences": True, "sale_of_data": True}


@pytest.fixture
async def web(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key=KEY, installed_at=NOW))
    async with client(connections) as http:
        yield http


def client(connections: Connections) -> httpx.AsyncClient:
    served = Starlette(routes=routes)
    served.state.connections = connections
    transport = httpx.ASGITransport(served)
    return httpx.AsyncClient(transport=transport, base_url="http://t")


def sent(event_id: str = "1", **fields: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": event_id,
        "name": "product_viewed",
        "timestamp": "2026-11-01T11:59:00Z",
        "client_id": "c-1",
        "data": {"product_id": 2},
        "consent": {"analytics": True},
    }
    return event | fields


async def post(web: httpx.AsyncClient, *events: Any, proof: str = KEY) -> httpx.Response:
    headers = {"Authorization": f"Bearer {proof}"} if proof else {}
    body = json.dumps({"events": events})
    return await web.post("/api/track_event", content=body, headers=headers)


async def logged(connections: Connections, kind: type[Any] = BrowserEvent) -> list[Any]:
    reader = EventConsumer(connections.redis, "test", group="test")
    await reader.open()
    events = [delivery.event() for delivery in await reader.read(block_ms=1)]
    return [event for event in events if isinstance(event, kind)]


def counts(accepted: int = 0, duplicate: int = 0, rejected: int = 0, without_consent: int = 0) -> object:
    return {
        "accepted": accepted,
        "duplicate": duplicate,
        "rejected": rejected,
        "without_consent": without_consent,
    }


async def test_what_a_visitor_allows_is_in_the_log_before_it_is_acknowledged(
    web: httpx.AsyncClient, connections: Connections
) -> None:
    answer = await post(web, sent(checkout_token="t"))
    assert (answer.status_code, answer.json()) == (202, counts(accepted=1))
    (event,) = await logged(connections)
    assert isinstance(event, BrowserEvent)
    assert (event.shop, event.name, event.client_id) == (SHOP, "product_viewed", "c-1")
    assert (event.checkout_token, event.data) == ("t", {"product_id": 2})
    assert event.permitted == ("analytics",)


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_a_clock_that_is_years_off_leaves_a_time_that_can_be_reckoned_from(
    web: httpx.AsyncClient, connections: Connections, timestamp: str
) -> None:
    """The look for checkouts that were left ended of one, and found none of the shop's for a day."""
    assert (await post(web, sent(timestamp=timestamp))).json() == counts(accepted=1)
    (event,) = await logged(connections)
    assert datetime.now(UTC) - timedelta(days=3651) < event.happened_at <= datetime.now(UTC)


@pytest.mark.parametrize("number", [10**30, -(10**30), 2**64 - 1])
async def test_a_number_that_nothing_holds_costs_itself_alone(
    web: httpx.AsyncClient, connections: Connections, number: int
) -> None:
    answer = await post(web, sent("1", data={"price": number, "rank": [number, 1]}), sent("2"))
    assert answer.json() == counts(accepted=2)
    assert [event.data for event in await logged(connections)] == [
        {"rank": [None, 1]},
        {"product_id": 2},
    ]


def test_numbers_near_the_ends_of_what_a_float_holds_are_not_read_by_msgspec() -> None:
    """It takes thirty times as long as Python for each: one body of them held a process for seconds."""
    assert app.collect._sent.float_hook is finite


def test_a_number_that_no_float_holds_costs_its_event_alone() -> None:
    events = b",".join(
        json.dumps(sent(data={"price": 0})).encode().replace(b'"price": 0', b'"price": ' + price)
        for price in (b"1e400", b"1.5e308", b"-1e999999999", b"5e-324")
    )
    batch = sort_out(b'{"events":[%s]}' % events, Sender(SHOP, None, proven=False), UNREAD, NOW)
    assert batch.counts.rejected == 2
    assert [each.data for each in batch.events] == [{"price": 1.5e308}, {"price": 5e-324}]


async def test_nobody_tells_under_the_names_of_what_shopify_tells(
    web: httpx.AsyncClient, connections: Connections
) -> None:
    """A checkout that anybody says a customer left would have that customer written to."""
    names = sorted(KINDS)
    assert "CheckoutUpdated" in names
    forged = [sent(name, name=name, customer_id=7, consent=ALL, data={"lines": "x"}) for name in names]
    assert (await post(web, *forged)).json() == counts(rejected=len(names))
    assert await logged(connections) == []


async def test_broken_repeated_and_forbidden_events_are_counted_and_the_rest_kept(
    web: httpx.AsyncClient, connections: Connections
) -> None:
    await post(web, sent("1"))
    answer = await post(
        web,
        sent("1"),
        sent("2"),
        sent("2"),
        sent("3", consent={"marketing": True}),
        sent("4", consent=None),
        {"id": "5"},
        "nonsense",
        sent("6", timestamp="yesterday"),
        sent("7", name="<script>"),
        sent("8\n"),
        sent("9", name="page_viewed\n"),
    )
    # 1 came before and 2 twice; 3 has no analytics; 4 … 9 are broken
    assert answer.json() == counts(accepted=1, duplicate=2, rejected=7, without_consent=1)
    assert [event.event_id for event in await logged(connections)] == ["browser:1", "browser:2"]


async def test_bytes_that_are_no_text_cost_their_event_alone(web: httpx.AsyncClient) -> None:
    body = json.dumps({"events": [sent("1", data={"title": "?"}), sent("2")]}).encode().replace(b"?", b"\xff")
    answer = await web.post("/api/track_event", content=body, headers={"Authorization": f"Bearer {KEY}"})
    assert (answer.status_code, answer.json()) == (202, counts(accepted=1, rejected=1))


async def test_a_text_that_was_cut_within_a_character_costs_that_character_alone(
    web: httpx.AsyncClient, connections: Connections
) -> None:
    """Browsers write half of an emoji as an escape that no text may hold: it cost the whole batch."""
    texts = ["cut \ud83d", "\udd8a cut", "\ud83d\ud83e\udd8a", "\U0001f98a", "\\ud83d", '"\\\ud83d']
    events = [sent(str(n), data={"title": text}) for n, text in enumerate(texts)]
    assert (await post(web, *events, sent("last"))).json() == counts(accepted=7)
    assert [event.data.get("title") for event in await logged(connections)] == [
        "cut ?", "? cut", "?\U0001f98a", "\U0001f98a", "\\ud83d", '"\\?', None,
    ]  # fmt: skip


async def test_a_cut_text_makes_no_other_event_of_its_batch_too_large(web: httpx.AsyncClient) -> None:
    full = sent("1", data={"text": ["x"] * (MOST_EVENT_BYTES // 4 - 100)})
    body = json.dumps({"events": [full, sent("2", data={"title": "\ud83d"})]}, separators=(",", ":"))
    answer = await web.post("/api/track_event", content=body, headers={"Authorization": f"Bearer {KEY}"})
    assert answer.json() == counts(accepted=2)


async def test_consent_that_is_missing_is_not_given(web: httpx.AsyncClient) -> None:
    event = sent()
    del event["consent"]
    assert (await post(web, event)).json() == counts(without_consent=1)


@pytest.mark.parametrize(
    ("consent", "customer_id"),
    [
        (ALL, 5),
        ({"analytics": True, "marketing": True}, None),
        ({"analytics": True, "preferences": True}, None),
        ({"analytics": True}, None),
    ],
)
async def test_the_customer_is_kept_only_when_personal_use_is_allowed(
    web: httpx.AsyncClient, connections: Connections, consent: dict[str, bool], customer_id: int | None
) -> None:
    await post(web, sent(customer_id="gid://shopify/Customer/5", consent=consent))
    (event,) = await logged(connections)
    assert event.customer_id == customer_id


def session_token(connections: Connections, sub: str | None) -> str:
    claims = {
        "iss": f"https://{SHOP}/admin",
        "dest": f"https://{SHOP}",
        "aud": connections.settings.api_key,
        "sub": sub,
        "exp": int((datetime.now(UTC) + timedelta(minutes=4)).timestamp()),
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, connections.settings.api_secret.ljust(64, "\0"), algorithm="HS256")


@pytest.mark.parametrize(("sub", "customer_id"), [("gid://shopify/Customer/7", 7), (None, None)])
async def test_a_checkouts_token_says_who_it_is_and_the_body_does_not(
    web: httpx.AsyncClient, connections: Connections, sub: str | None, customer_id: int | None
) -> None:
    token = session_token(connections, sub)
    assert (await post(web, sent(customer_id=5, consent=ALL), proof=token)).status_code == 202
    (event,) = await logged(connections)
    assert event.customer_id == customer_id


@pytest.mark.parametrize(
    ("proof", "status"), [("", 400), ("pk_" + "x" * 43, 401), ("pk_short", 401), ("a.b.c", 401)]
)
async def test_without_good_proof_nothing_is_kept(
    web: httpx.AsyncClient, connections: Connections, proof: str, status: int
) -> None:
    answer = await post(web, sent(), proof=proof)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert await logged(connections) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events":3}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_batch_is_refused_with_its_field(web: httpx.AsyncClient, body: bytes) -> None:
    answer = await web.post("/api/track_event", content=body, headers={"Authorization": f"Bearer {KEY}"})
    assert (answer.status_code, answer.json()["field"]) == (400, "events")


async def test_too_many_events_and_too_many_bytes_are_refused(web: httpx.AsyncClient) -> None:
    assert (await post(web, *(sent(str(n)) for n in range(101)))).status_code == 400
    big = sent(data={"text": "x" * LIMIT_BYTES})
    assert (await post(web, big)).status_code == 413
    large = sent("1", data={"text": ["x" * 400] * (MOST_EVENT_BYTES // 400)})
    assert (await post(web, large, sent("2"))).json() == counts(accepted=1, rejected=1)


async def test_any_origin_may_ask(web: httpx.AsyncClient) -> None:
    answer = await web.options("/api/track_event", headers={"Origin": "null"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert answer.headers["Access-Control-Max-Age"] == "7200"


async def test_without_redis_nothing_is_acknowledged(
    web: httpx.AsyncClient, connections: Connections
) -> None:
    nowhere: Redis = Redis.from_url("unix:///nowhere.sock")
    async with client(replace(connections, redis=nowhere)) as http:
        answer = await post(http, sent())
    assert answer.status_code == 503
    assert answer.json()["error"]
    assert (await post(web, sent())).json() == counts(accepted=1)


def test_a_clock_that_is_ahead_does_not_reach_into_the_future() -> None:
    body = msgspec.json.encode({"events": [sent(timestamp="2030-01-01T00:00:00Z")]})
    (event,) = sort_out(body, Sender(SHOP, None, proven=False), UNREAD, NOW).events
    assert event.happened_at == NOW


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON | st.fixed_dictionaries({"id": JSON, "name": JSON, "data": JSON}), max_size=5))
def test_whatever_is_sent_is_counted(events: list[Any]) -> None:
    body = msgspec.json.encode({"events": events})
    batch = sort_out(body, Sender(SHOP, None, proven=False), UNREAD, NOW)
    found, kept = batch.counts, batch.events
    assert found.rejected + found.without_consent + len(kept) == len(events)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100))
def test_whatever_bytes_are_sent_are_no_surprise(body: bytes) -> None:
    with pytest.raises(InputError):
        sort_out(body, Sender(SHOP, None, proven=False), UNREAD, NOW)


async def test_what_a_robot_looks_at_is_not_kept(web: httpx.AsyncClient, connections: Connections) -> None:
    web.headers["User-Agent"] = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    answer = await post(web, sent(), sent("2", consent={}), "odd")
    assert (answer.status_code, answer.json()) == (202, counts(rejected=3))
    assert await logged(connections) == []

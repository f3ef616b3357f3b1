from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import msgspec
import pytest
from redis.exceptions import ConnectionError as RedisLost
from sqlmodel import select
from starlette.applications import Starlette

from app.connections import Connections
from app.errors import TillwiseError
from app.main import answer_error
from app.outbound import api_keys, shared
from app.outbound.api_keys import PER_MINUTE, make_key, revoke_key
from app.outbound.routes import routes
from app.outbound.shared import Customer, Page, Segments
from app.outbound_tables import ApiKeyRow
from app.tables import ShopRow
from tests.outbound.segments import answer, change_shop, move
from tests.security.test_isolation import statements

SHOP, OTHER = "a.myshopify.com", "b.myshopify.com"
YES = {"marketing": True, "sale_of_data": True}
ADA, BO, CY = 7, 8, 9


@pytest.fixture
async def client(on_both_databases: Connections) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the API with a key of a shop in which Ada and Cy allow sharing and Bo was never asked."""
    async with api(on_both_databases) as opened:
        yield opened


@asynccontextmanager
async def api(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    async with connections.write() as db:
        for shop in (SHOP, OTHER):
            db.add(ShopRow(shop=shop, publishable_key=shop, installed_at=datetime.now(UTC)))
    await move(connections, SHOP, ADA, "champions", "big_spenders")
    await move(connections, SHOP, BO, "champions")
    await move(connections, SHOP, CY, "loyal", "big_spenders")
    await move(connections, OTHER, 10, "champions")
    for shop, who in ((SHOP, ADA), (SHOP, CY), (OTHER, 10)):
        await answer(connections, shop, who, **YES)
    key = await make_key(connections, SHOP, "crm")
    web = Starlette(routes=routes, exception_handlers={TillwiseError: answer_error})
    web.state.connections = connections
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web),
        base_url="https://tillwise.example.com",
        headers={"Authorization": f"Bearer {key.secret}"},
    ) as client:
        yield client


@pytest.mark.parametrize("path", ["segments", "customers/7", "segments/loyal/customers", "nothing"])
async def test_whoever_tries_to_change_something_is_told_so_as_of_every_error(
    client: httpx.AsyncClient, path: str
) -> None:
    for method in ("POST", "DELETE"):
        refused = await client.request(method, f"/api/v1/{path}")
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
        assert "GET" in refused.json()["error"]


async def test_an_outage_of_ours_is_told_as_every_error_is(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> int:
        raise RedisLost

    monkeypatch.setattr("app.outbound.routes.seconds_to_wait", away)
    refused = await client.get("/api/v1/segments")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "again" in refused.json()["error"]


async def test_segments_are_told_with_their_sizes_but_for_those_so_small_that_they_point_at_people(
    client: httpx.AsyncClient, on_both_databases: Connections
) -> None:
    for who in range(20, 24):
        await move(on_both_databases, SHOP, who, "loyal")
    for who in range(30, 32):
        await move(on_both_databases, SHOP, who, "at_risk")
    found = await client.get("/api/v1/segments")
    assert found.json() == {
        "segments": [
            {"name": "loyal", "customers": 5},
            {"name": "at_risk", "customers": None},
            {"name": "champions", "customers": None},
        ]
    }
    assert found.headers["Cache-Control"] == "no-store"
    msgspec.convert(found.json(), Segments)


async def test_a_customer_is_told_with_why(client: httpx.AsyncClient) -> None:
    found = msgspec.json.decode((await client.get(f"/api/v1/customers/{ADA}")).content, type=Customer)
    assert (found.segment, [each.name for each in found.segments]) == (
        "champions",
        ["champions", "big_spenders"],
    )
    assert found.segments[0].why == "Is in champions."
    assert (found.spent, found.expected_spend_90_days, found.currency) == ("9.00", "1.00", "USD")
    assert found.changed_at == "2026-11-20T12:00:00Z"


@pytest.mark.parametrize("who", [BO, 10, 11, "gid", "0", "9" * 30])
async def test_one_who_does_not_allow_it_is_as_unknown_as_one_who_is_not_there(
    client: httpx.AsyncClient, who: object
) -> None:
    found = await client.get(f"/api/v1/customers/{who}")
    assert found.status_code == 404
    assert found.json()["error"].startswith("there is no such customer")


async def test_a_segments_customers_are_those_who_allow_it(client: httpx.AsyncClient) -> None:
    async def who(name: str) -> list[int]:
        found = await client.get(f"/api/v1/segments/{name}/customers")
        page = msgspec.json.decode(found.content, type=Page)
        assert page.next_cursor is None
        return [each.customer_id for each in page.customers]

    assert await who("champions") == [ADA]
    assert await who("big_spenders") == [ADA, CY]
    assert await who("nobody_is_in_it") == []
    assert await who("big") == []


async def test_a_segment_of_the_merchants_is_read_by_its_name_in_any_language(
    client: httpx.AsyncClient, on_both_databases: Connections
) -> None:
    await move(on_both_databases, SHOP, ADA, "VIP & Großkunden", "常連")
    for name in ("VIP & Großkunden", "常連"):
        found = await client.get(f"/api/v1/segments/{quote(name)}/customers")
        assert [each["customer_id"] for each in found.json()["customers"]] == [ADA]


async def test_pages_follow_one_another_to_the_end(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_LOOKED_AT", 4)  # most pages end before they are full
    monkeypatch.setattr(shared, "_AT_ONCE", 2)
    async with api(connections) as client:
        for who in range(100, 130):
            await move(connections, SHOP, who, "loyal")
            if who % 5 == 0:
                await answer(connections, SHOP, who, **YES)
        found: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            page = (await client.get("/api/v1/segments/loyal/customers", params={"limit": 2, **more})).json()
            assert len(page["customers"]) <= 2
            found += [each["customer_id"] for each in page["customers"]]
            cursor = page["next_cursor"]
    assert found == [CY, 100, 105, 110, 115, 120, 125]


async def test_a_small_page_where_nobody_allows_it_takes_no_query_a_customer(
    connections: Connections,
) -> None:
    async with api(connections) as client:
        for who in range(100, 160):
            await move(connections, SHOP, who, "loyal")
        with statements(connections) as made:
            first = await client.get("/api/v1/segments/loyal/customers", params={"limit": 1})
            rest = {"limit": 1, "cursor": first.json()["next_cursor"]}
            last = await client.get("/api/v1/segments/loyal/customers", params=rest)
    assert [each["customer_id"] for each in first.json()["customers"]] == [CY]
    assert last.json() == {"customers": [], "next_cursor": None}
    assert len(made) < 30  # of 61 customers


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "251"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "1" * 30}, "limit"),
        ({"cursor": "7"}, "cursor"),
        ({"cursor": "ü"}, "cursor"),
    ],
)
async def test_a_parameter_that_can_not_be_used_is_named(
    client: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    found = await client.get("/api/v1/segments/loyal/customers", params=query)
    assert (found.status_code, found.json()["field"]) == (400, field)


async def test_a_cursor_leads_through_its_own_list_alone(connections: Connections) -> None:
    async with api(connections) as client:
        page = (await client.get("/api/v1/segments/big_spenders/customers", params={"limit": 1})).json()
        assert str(ADA) != page["next_cursor"]
        other = await client.get("/api/v1/segments/loyal/customers", params={"cursor": page["next_cursor"]})
        assert (other.status_code, other.json()["field"]) == (400, "cursor")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer twk_x", "Basic abc", f"Bearer twk_{'a' * 43}"])
async def test_without_a_good_key_nothing_is_told(client: httpx.AsyncClient, header: str) -> None:
    found = await client.get("/api/v1/segments", headers={"Authorization": header})
    assert (found.status_code, list(found.json())) == (401, ["error"])
    assert found.headers["WWW-Authenticate"] == "Bearer"


async def test_a_revoked_key_opens_nothing_at_once(connections: Connections) -> None:
    async with api(connections) as client:
        assert (await client.get("/api/v1/segments")).status_code == 200
        async with connections.read() as db:
            key_id = (await db.exec(select(ApiKeyRow.key_id))).one()
        await revoke_key(connections, SHOP, key_id)
        assert (await client.get("/api/v1/segments")).status_code == 401


async def test_a_key_of_a_shop_that_left_opens_nothing(connections: Connections) -> None:
    async with api(connections) as client:
        await change_shop(connections, SHOP, uninstalled_at=datetime.now(UTC))
        assert (await client.get("/api/v1/segments")).status_code == 401


async def test_a_key_is_kept_as_a_hash_alone(connections: Connections) -> None:
    async with api(connections) as client:
        secret = client.headers["Authorization"].removeprefix("Bearer ")
        async with connections.read() as db:
            (row,) = (await db.exec(select(ApiKeyRow))).all()
        assert secret not in str(row.model_dump())


async def test_who_asks_too_often_waits_for_the_next_minute(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)
    async with api(connections) as client:
        holder = await api_keys.holder_of(
            connections, client.headers["Authorization"].removeprefix("Bearer ")
        )
        assert holder is not None
        waits = [await api_keys.seconds_to_wait(connections, holder, minute) for _ in range(PER_MINUTE + 1)]
        assert waits == [0] * PER_MINUTE + [50]
        assert await api_keys.seconds_to_wait(connections, holder, minute.replace(minute=1)) == 0

        async def wait(*_: object) -> int:
            return 50

        monkeypatch.setattr("app.outbound.routes.seconds_to_wait", wait)
        found = await client.get("/api/v1/segments")
        assert (found.status_code, found.headers["Retry-After"]) == (429, "50")
        assert list(found.json()) == ["error"]


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/else", "/api/v1/segments/Loyal/customers"])
async def test_what_is_not_there_is_said_in_json(client: httpx.AsyncClient, path: str) -> None:
    found = await client.get(path)
    assert (found.status_code, list(found.json())) == (404, ["error"])

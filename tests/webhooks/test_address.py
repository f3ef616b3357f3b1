"""A privacy request that has nothing but an address finds its customer, and the address stays nowhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
import respx

from app.connections import Connections
from app.consent.digests import open_digests
from app.events.kinds import CustomerRedactionRequested
from tests.privacy.planted import ROSA, plant
from tests.privacy.test_lookup import URL, with_token
from tests.webhooks.deliveries import SHOP, headers
from tests.webhooks.test_receive import stored, web
from tests.webhooks.test_work import logged
from webhooks.address import address_alone
from webhooks.inbox import MAX_ATTEMPTS, parked
from webhooks.work import process_due

ADDRESS = "somebody@example.com"


def later() -> datetime:
    """Return a moment at which what was just delivered is due."""
    return datetime.now(UTC) + timedelta(minutes=1)


def body(**customer: object) -> bytes:
    return msgspec.json.encode({"shop_id": 1, "customer": customer, "orders_to_redact": []})


async def delivered(connections: Connections, content: bytes, age: timedelta = timedelta()) -> None:
    told_at = datetime.now(UTC) - age
    async with web(connections) as http:
        sent = headers(content, "customers/redact", Triggered_At=f"{told_at:%Y-%m-%dT%H:%M:%SZ}")
        assert (await http.post("/webhooks", content=content, headers=sent)).status_code == 200


async def worked_off(connections: Connections) -> list[CustomerRedactionRequested]:
    await process_due(connections, later())
    return [each for each in await logged(connections) if isinstance(each, CustomerRedactionRequested)]


@pytest.mark.parametrize(
    ("content", "address"),
    [
        (body(email=f" {ADDRESS}"), ADDRESS),
        (body(id=None, email=ADDRESS), ADDRESS),
        (body(id=5, email=ADDRESS), None),
        (body(email=" "), None),
        (body(email=5), None),
        (b"{}", None),
        (b"{", None),
    ],
)
def test_an_address_counts_only_where_it_is_all_there_is(content: bytes, address: str | None) -> None:
    assert address_alone("customers/redact", content) == address
    assert address_alone("customers/update", content) is None


async def test_an_address_we_know_leads_to_its_customer(connections: Connections) -> None:
    await plant(connections, ROSA)
    await connections.redis.flushall()
    await delivered(connections, body(email=ROSA.email))
    assert not any(b"@" in row.body for row in await stored(connections) if row.topic == "customers/redact")
    (event,) = await worked_off(connections)
    digest = (await open_digests(connections)).of_email(SHOP, ROSA.email)
    assert (event.customer_id, event.email_digest) == (ROSA.customer, digest)


@respx.mock
async def test_an_address_nobody_here_knows_is_asked_for_and_asked_again_when_nobody_answers(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_token(connections)
    await delivered(connections, body(email=ADDRESS))
    monkeypatch.setattr("app.shopify._ATTEMPTS", 1)
    respx.post(URL).mock(return_value=httpx.Response(503))
    assert await worked_off(connections) == []
    (row,) = await stored(connections)
    assert (row.status, row.attempts) == ("pending", 0)
    assert ADDRESS.encode() not in row.body
    found = {"data": {"customerByIdentifier": {"id": "gid://shopify/Customer/77"}}}
    respx.post(URL).mock(return_value=httpx.Response(200, json=found))
    await process_due(connections, later() + timedelta(hours=1))
    (event,) = [each for each in await logged(connections) if isinstance(each, CustomerRedactionRequested)]
    assert event.customer_id == 77
    (row,) = await stored(connections)
    assert row.status == "done"
    assert ADDRESS.encode() not in row.body  # sealed, until the log has handled it


@respx.mock
async def test_an_address_shopify_refuses_to_tell_goes_on_by_its_digest(connections: Connections) -> None:
    await with_token(connections)
    await delivered(connections, body(email=ADDRESS))
    refused = {"errors": [{"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}]}
    respx.post(URL).mock(return_value=httpx.Response(200, json=refused))
    (event,) = await worked_off(connections)
    digest = (await open_digests(connections)).of_email(SHOP, ADDRESS)
    assert (event.customer_id, event.email_digest) == (None, digest)


@respx.mock
@pytest.mark.parametrize("status", [503, 402, 423, 430])  # the shop is frozen, locked, taken for an attacker
async def test_a_request_outlasts_any_trouble_of_shopifys(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    await with_token(connections)
    await delivered(connections, body(email=ADDRESS))
    monkeypatch.setattr("app.shopify._ATTEMPTS", 1)
    respx.post(URL).mock(return_value=httpx.Response(status))
    for hours in range(2 * MAX_ATTEMPTS):
        await process_due(connections, later() + timedelta(hours=hours))
    assert not await parked(connections, SHOP)
    (row,) = await stored(connections)
    assert (row.status, row.attempts) == ("pending", 0)


@respx.mock
@pytest.mark.parametrize("status", [402, 423, 430])
async def test_a_request_goes_on_by_its_digest_before_its_deadline_where_shopify_never_says(
    connections: Connections, status: int
) -> None:
    await with_token(connections)
    await delivered(connections, body(email=ADDRESS), age=timedelta(days=21))
    respx.post(URL).mock(return_value=httpx.Response(status))
    (event,) = await worked_off(connections)
    digest = (await open_digests(connections)).of_email(SHOP, ADDRESS)
    assert (event.customer_id, event.email_digest) == (None, digest)

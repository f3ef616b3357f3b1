"""A version of Shopify's API that it has retired is told of: it answers in another one and says no more."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import respx

from app import api_version
from app.config import API_VERSION, Settings
from app.connections import Connections
from app.findings import Finding
from app.metrics import OTHER_API_VERSION
from app.shop_doctor import examine_shop
from app.shopify import graphql, open_http
from app.tables import InboxRow
from app.upsert import insert_new
from devstore.schema import MODULES
from tests.test_shopify import QUERY, SHOP, URL
from tests.webhooks.deliveries import headers, order_body
from tests.webhooks.shopfront import Shopfront, installed
from tests.webhooks.test_receive import web

NEWER = "2027-01"
in_devstore = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture(autouse=True)
def nothing_told_yet() -> Iterator[None]:
    api_version._warned.clear()
    yield
    api_version._warned.clear()


def counted(of: str) -> float:
    return float(OTHER_API_VERSION.labels(of)._value.get())


def told(log: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what each warning was of, and in which version."""
    lines = [each for each in log.records if each.name == "app.api_version"]
    return [(each.__dict__["kind"], each.__dict__["version"]) for each in lines]


async def ask(settings: Settings, version: str, times: int) -> None:
    answer = httpx.Response(200, json={"data": {}}, headers={"X-Shopify-API-Version": version})
    async with open_http(settings) as http:
        with respx.mock:
            respx.post(URL).mock(return_value=answer)
            for _ in range(times):
                await graphql(http, settings, SHOP, "t", QUERY)


async def test_answers_in_another_version_are_counted_and_warned_of_once_a_day(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("answer")
    with caplog.at_level(logging.WARNING):
        await ask(settings, NEWER, times=3)
    assert (counted("answer") - before, told(caplog)) == (3, [("answer", NEWER)])


async def test_answers_in_the_version_asked_for_are_nothing_to_tell(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("answer")
    await ask(settings, API_VERSION, times=1)
    assert (counted("answer"), told(caplog)) == (before, [])


async def test_deliveries_in_another_version_are_taken_counted_and_warned_of(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    before, body = counted("delivery"), order_body()
    with caplog.at_level(logging.WARNING):
        async with web(connections) as http:
            sent = headers(body) | {"X-Shopify-API-Version": NEWER}
            assert (await http.post("/webhooks", content=body, headers=sent)).status_code == 200
    assert (counted("delivery") - before, told(caplog)) == (1, [("delivery", NEWER)])


async def found(front: Shopfront) -> Finding:
    (finding,) = [
        each for each in await examine_shop(front.connections, front.installed.shop)
        if each.name == "API version"
    ]  # fmt: skip
    return finding


@in_devstore
async def test_the_doctor_names_a_version_that_shopify_has_no_more(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with installed(connections) as front:
        assert await found(front) == Finding("API version", True, API_VERSION)
        monkeypatch.setattr("devstore.app_fields.VERSIONS", (NEWER, "2027-04"))
        retired = f"Shopify has {API_VERSION} no more and answers in {NEWER}: upgrade Tillwise"
        assert await found(front) == Finding("API version", False, retired)


@in_devstore
async def test_the_doctor_names_the_version_of_deliveries_where_it_is_another(
    connections: Connections,
) -> None:
    now = datetime.now(UTC)
    row = {
        "event_id": "1", "topic": "orders/create", "webhook_id": "1", "api_version": "2026-04",
        "received_at": now, "next_attempt_at": now, "body": b"",
    }  # fmt: skip
    async with installed(connections) as front:
        async with connections.write() as db:
            await insert_new(db, InboxRow, [row | {"shop": front.installed.shop}])
        finding = await found(front)
    assert (finding.ok, finding.says) == (
        False, f"it delivers in 2026-04, not {API_VERSION}: `npx shopify app deploy`",
    )  # fmt: skip

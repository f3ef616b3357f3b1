"""Webhooks on their way: signed, retried, and as unreliable as asked."""

from __future__ import annotations

import json

import pytest

from devstore.deliver import RETRY_SECONDS, sign
from tests.devstore.conftest import Desk
from tests.devstore.small_shop import DOMAIN, NOW, SECRET


@pytest.fixture
async def installed(desk: Desk) -> Desk:
    await desk.post("/control/install")
    return desk


async def fire(desk: Desk, times: int = 1) -> None:
    for _ in range(times):
        await desk.post("/control/webhook", topic="products/update", id=1)
    await desk.post("/control/settle")


async def test_a_delivery_is_signed_and_says_what_it_is(installed: Desk) -> None:
    await fire(installed)
    sent = installed.received[0]
    assert str(sent.url) == "http://app.test/webhooks"
    assert sent.headers["x-shopify-hmac-sha256"] == sign(sent.content, SECRET)
    assert sent.headers["x-shopify-topic"] == "products/update"
    assert sent.headers["x-shopify-shop-domain"] == DOMAIN
    assert sent.headers["x-shopify-api-version"] == "2026-07"
    assert sent.headers["x-shopify-triggered-at"] == NOW.isoformat()
    assert sent.headers["x-shopify-event-id"] != sent.headers["x-shopify-webhook-id"]
    assert json.loads(sent.content) == {"id": 1, "title": "Whole Milk"}  # include_fields


async def test_an_address_under_the_declared_one_is_the_apps(installed: Desk) -> None:
    await installed.post("/control/scopes", scopes=["read_products"])
    await installed.post("/control/settle")
    assert [str(request.url) for request in installed.received] == ["http://app.test/webhooks"]
    assert json.loads(installed.received[0].content)["current"] == ["read_products"]


async def test_a_failed_delivery_is_tried_again_until_taken(installed: Desk) -> None:
    installed.answers = [500, 404]
    await fire(installed)
    delivery = installed.store.deliverer.log[-1]
    assert (delivery.state, delivery.statuses) == ("delivered", [500, 404, 200])
    assert len({request.headers["x-shopify-webhook-id"] for request in installed.received}) == 1


async def test_after_eight_retries_a_delivery_is_given_up(installed: Desk) -> None:
    installed.answers = [503] * 9
    await fire(installed)
    delivery = installed.store.deliverer.log[-1]
    assert (delivery.state, len(delivery.statuses)) == ("failed", 9)
    assert 3.5 * 3600 < sum(RETRY_SECONDS) < 4 * 3600


async def test_faults_double_lose_and_reorder(installed: Desk) -> None:
    await installed.post("/control/faults", duplicate=1)
    await fire(installed)
    assert len(installed.received) == 2
    await installed.post("/control/faults", lose=1)
    await fire(installed)
    assert len(installed.received) == 2
    assert installed.store.deliverer.log[-1].state == "lost"
    await installed.post("/control/faults", reorder=0.5, seed=3)
    await fire(installed, 12)
    order = [request.headers["x-shopify-webhook-id"] for request in installed.received[2:]]
    logged = [delivery.id for delivery in installed.store.deliverer.log[2:]]
    assert sorted(order) == sorted(logged)
    assert order != logged


async def test_an_unknown_fault_is_named(installed: Desk) -> None:
    answer = await installed.post("/control/faults", gremlins=1)
    assert (answer.status_code, answer.json()) == (400, {"error": "there is no fault gremlins"})


async def test_a_paid_order_is_one_event_with_two_topics(installed: Desk) -> None:
    token = (await installed.post("/host/checkouts", lines=[{"variant_id": 101}])).json()["token"]
    await installed.client.post(f"/host/{token}/complete", json={})
    await installed.post("/control/settle")
    assert installed.topics == ["orders/create", "orders/paid"]
    assert len({request.headers["x-shopify-event-id"] for request in installed.received}) == 1


async def test_after_an_uninstall_nobody_is_told(installed: Desk) -> None:
    await installed.post("/control/uninstall")
    await fire(installed)
    assert installed.topics == ["app/uninstalled"]
    assert installed.shop.installation is None

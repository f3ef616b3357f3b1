from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from app.admin import elsewhere_calls
from app.connections import Connections, redis_key
from app.outbound.api_keys import holder_of
from app.outbound.settings import webhook_of, write_back_of
from app.outbound.signature import HEADER, verified
from app.outbound_tables import DeliveryRow, MarkRow
from app.shops.store import Shop, get_shop
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, now, shop_row
from tests.admin.segment_factories import keep_segments
from tests.outbound.test_deliver import Receiver

URL = "https://hooks.example.com/in"
BODIES: dict[str, Any] = {
    "write-back": {"tags": True, "metafields": False},
    "webhook": {"url": URL},
    "webhook/off": {},
    "webhook/test": {},
    "webhook/again": {},
    "keys": {"label": "CRM"},
    "keys/revoke": {"key_id": "1a2b3c4d"},
}


async def call(browser: httpx.AsyncClient, name: str, body: Any = None, shop: str = SHOP) -> httpx.Response:
    sent = BODIES[name] if body is None else body
    return await browser.post(f"/admin/api/elsewhere/{name}", json=sent, headers=bearer(shop))


async def page(browser: httpx.AsyncClient, shop: str = SHOP) -> str:
    address, entered = entrance("/admin/segments/elsewhere", shop)
    answer = await browser.get(address, params=entered)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


async def the_shop(connections: Connections) -> Shop:
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    return shop


async def test_everything_is_off_until_it_is_switched_on(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    shown = await page(browser)
    assert shown.count(">Off</s-badge>") == 2
    assert 'data-granted="false"' in shown
    for absent in ("Last deliveries", "Given up", "Send a test", "Revoke", "needs your permission"):
        assert absent not in shown


async def test_tags_are_switched_and_wait_for_the_permission_where_it_is_missing(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    answer = await call(browser, "write-back")
    assert answer.json() == {"tags": True, "metafields": False, "granted": False}
    wants = write_back_of((await the_shop(connections)).settings)
    assert (wants.tags, wants.metafields) == (True, False)
    assert await connections.redis.exists(redis_key(SHOP, "waiting", "write_back"))
    shown = await page(browser)
    assert "Shopify needs your permission first" in shown
    assert "0 customers are as they should be, 5 still to do." in shown
    await keep(
        connections, shop_row(scopes="write_customers", settings=(await the_shop(connections)).settings)
    )
    told = await browser.get("/admin/api/elsewhere/write-back", headers=bearer())
    assert told.json() == {"tags": True, "metafields": False, "granted": True, "written": 0, "waiting": 5}
    assert "needs your permission" not in await page(browser)


async def test_what_is_left_in_shopify_after_it_was_switched_off_is_told(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(
        connections,
        shop_row(scopes="write_customers"),
        MarkRow(shop=SHOP, customer_id=1, tags=["tillwise:new"]),
    )
    assert "0 customers are as they should be, 1 still to do." in await page(browser)


async def test_a_webhook_is_set_tried_out_and_turned_off(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    monkeypatch.setattr(elsewhere_calls, "open_post", lambda: nullcontext(receiver.post))
    await keep(connections, shop_row())
    secret = (await call(browser, "webhook", {"url": f" {URL} "})).json()["secret"]
    assert webhook_of((await the_shop(connections)).settings) is not None
    assert (await call(browser, "webhook/test")).json() == {"taken": True, "says": ""}
    receiver.answers = [500]
    assert (await call(browser, "webhook/test")).json() == {"taken": False, "says": "HTTP 500"}
    (request, _) = receiver.requests
    assert verified(secret, request.headers[HEADER], request.content, int(now().timestamp()))
    assert (receiver.told[0]["test"], receiver.told[0]["shop"]) == (True, SHOP)
    assert "customer_id" not in receiver.told[0]
    shown = await page(browser)
    assert URL in shown
    assert secret not in shown
    assert shown.index("HTTP 500") < shown.index(">Taken</s-badge>")  # the newest first
    await call(browser, "webhook/off")
    assert webhook_of((await the_shop(connections)).settings) is None
    assert (await call(browser, "webhook/test")).status_code == 404


async def test_what_was_given_up_is_shown_with_its_reason_and_sent_again(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    row = DeliveryRow(
        shop=SHOP, event_id="8f0c", customer_id=7, body="{}", made_at=now(), status="parked",
        attempts=16, next_attempt_at=now(), error="HTTP 410",
    )  # fmt: skip
    await keep(connections, shop_row(), row)
    shown = await page(browser)
    assert "8f0c" in shown
    assert "HTTP 410" in shown
    assert (await call(browser, "webhook/again")).json() == {"again": 1}
    assert "8f0c" not in await page(browser)


async def test_a_key_is_made_shown_once_and_revoked(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    made = (await call(browser, "keys")).json()
    assert await holder_of(connections, made["secret"])
    shown = await page(browser)
    assert made["key_id"] in shown
    assert made["secret"] not in shown
    assert (await call(browser, "keys/revoke", {"key_id": made["key_id"]})).status_code == 200
    assert await holder_of(connections, made["secret"]) is None
    assert "Revoked" in await page(browser)


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("webhook", {"url": "http://hooks.example.com"}, "url"),
        ("webhook", {"url": "https://10.0.0.1/"}, "url"),
        ("webhook", {"url": ""}, "url"),
        ("webhook", {"url": 7}, "url"),
        ("keys", {"label": "  "}, "label"),
        ("keys", {"label": "x" * 61}, "label"),
        ("keys", {"label": "a\nb"}, "label"),
        ("write-back", {"tags": True}, "metafields"),
        ("write-back", {"tags": "yes", "metafields": False}, "tags"),
        ("keys/revoke", {"key": "1"}, "key"),
    ],
)
async def test_what_can_not_be_used_is_refused_with_its_field(
    connections: Connections, browser: httpx.AsyncClient, name: str, body: Any, field: str
) -> None:
    await keep(connections, shop_row())
    answer = await call(browser, name, body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert not answer.json()["error"][0].islower()
    assert (await the_shop(connections)).settings == {}


async def test_nobody_without_a_token_and_no_other_shop_comes_near(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), shop_row(OTHER))
    for name, body in BODIES.items():
        assert (await browser.post(f"/admin/api/elsewhere/{name}", json=body)).status_code == 401
    key_id = (await call(browser, "keys")).json()["key_id"]
    await call(browser, "webhook")
    assert (await call(browser, "keys/revoke", {"key_id": key_id}, OTHER)).status_code == 404
    assert key_id not in await page(browser, OTHER)
    assert URL not in await page(browser, OTHER)

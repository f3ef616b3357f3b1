from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.admin.routes import routes
from app.config import Settings
from app.connections import Connections, connect, redis_key
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.ledger import append
from app.consent.receipts import open_receipt_key, verified
from app.consent.requests import read_request
from app.privacy.erasure import erase_person
from app.shops.store import get_shop
from app.tables import CustomerRow
from tests.admin.factories import (
    OTHER,
    SHOP,
    asked,
    bearer,
    entrance,
    keep,
    keep_busy_shop,
    keep_private_matters,
    now,
    opened,
    policy_of,
    shop_row,
)
from tests.shops.web import browsing

PAGES = ("/admin/privacy", "/admin/privacy/people", "/admin/privacy/rules", "/admin/privacy/audit")
CALLS = ("limits", "person", "export", "answer", "receipt")
ADDRESS = "ann@example.com"


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def call(browser: httpx.AsyncClient, name: str, body: Any, shop: str = SHOP) -> httpx.Response:
    return await browser.post(f"/admin/api/privacy/{name}", json=body, headers=bearer(shop))


async def keep_ann(connections: Connections) -> None:
    """Store a customer with an address, who allowed marketing and took it back."""
    digests = await open_digests(connections)
    ann = CustomerRow(
        shop=SHOP, customer_id=5, email_digest=digests.of_email(SHOP, ADDRESS), updated_at=now()
    )
    await keep(connections, shop_row(), ann)
    subject = digests.of(SHOP, "customer", 5)
    words = [
        Entry(subject, "customer", f"e{n}", now() - timedelta(days=2 - n), "checkout",
              told={"marketing": said}, region="DE", policy_version="v1")
        for n, said in enumerate([True, False])
    ]  # fmt: skip
    await append(connections, SHOP, words)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/admin/privacy", "Nobody has been asked yet"),
        ("/admin/privacy/people", "No requests"),
        ("/admin/privacy/rules", "Until it does, no answer means no, everywhere"),
        ("/admin/privacy/audit", "Nothing to audit yet"),
    ],
)
async def test_empty_shop_is_told_what_comes(
    connections: Connections, browser: httpx.AsyncClient, path: str, says: str
) -> None:
    await keep(connections, shop_row())
    assert says in await opened(browser, path)


async def test_consent_is_told_by_week_rung_and_purpose(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    await keep_private_matters(connections)
    text = await opened(browser, "/admin/privacy")
    assert "1 request past the deadline" in text
    # 40 loyal and one of the busy shop's; 40 new and one; 83 in all
    assert "personal 49%, session 1%, contextual 49%" in text.lower()
    assert "Contextual: the cart alone</span><span>41 · 49%" in text
    assert "Marketing</span><span>40 · 48%" in text
    assert "Sale of data</span><span>0 · 0%" in text


async def test_requests_are_told_with_their_deadlines_and_what_can_be_saved(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    await keep_private_matters(connections)
    text = await opened(browser, "/admin/privacy/people")
    assert text.index("3 days late") < text.index("3 days left") < text.index("Done ")
    assert text.count(">Save data and close<") == 1
    assert text.count(">Receipt<") == 1


async def test_rules_tell_the_policy_what_changed_in_it_the_limits_and_what_is_held(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    await keep_private_matters(connections)
    text = await opened(browser, "/admin/privacy/rules")
    for words in (
        "Asks first (1)",
        "Does not ask (1)",
        "Shopify&#39;s consent banner: on",
        "United States (CA): not listed → not said",
        "First read: 2 regions",
        "What offers earned is told of 20 days instead of 30",
        "0 deleted, 83 left",
        "The merchant&#39;s own account of what was sold",
    ):
        assert words in text, words


async def test_audit_tells_which_groups_get_less_and_of_too_few_nothing(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    await keep_private_matters(connections)
    text = await opened(browser, "/admin/privacy/audit")
    assert "New, offered something: 0.0%, where Loyal has 100.0%." in text
    assert "United States (CA), offered something: 0.0%, where Germany has 100.0%." in text
    assert "Too few to tell" in text
    assert "Of 82 checkout answers" in text  # one of 83 is held out


async def test_limits_are_kept_and_a_clearing_is_asked_for(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    answer = await call(browser, "limits", {"limits": {"events_days": 30, "inbox_days": 7}})
    assert answer.json() == {"limits": {"events_days": 30, "inbox_days": 7}, "clearing": True}
    assert await connections.redis.exists(redis_key(SHOP, "waiting", "clear"))
    assert 'name="events_days" label="Events"' in await opened(browser, "/admin/privacy/rules")
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings["retention"] == {"events_days": 30, "inbox_days": 7}


async def test_limit_that_can_be_none_is_refused_by_name(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    for days in (0, 3651, "30", None, 1.5, True):
        answer = await call(browser, "limits", {"limits": {"events_days": days}})
        assert (answer.status_code, answer.json()["field"]) == (400, "events_days")
        assert "1 to 3,650 whole days" in answer.json()["error"]
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings == {}


@pytest.mark.parametrize("who", ["5", "gid://shopify/Customer/5", f" {ADDRESS.upper()} "])
async def test_person_is_found_by_number_gid_or_address(
    connections: Connections, browser: httpx.AsyncClient, who: str
) -> None:
    await keep_ann(connections)
    found = (await call(browser, "person", {"who": who})).json()
    entries = json.loads(found["json"])
    assert [entry["told"]["marketing"] for entry in entries] == [True, False]
    assert entries[-1]["stands"]["marketing"] is False
    assert "marketing=yes" in found["csv"]
    assert [row[2:] for row in found["history"]][-1] == ["Marketing: no", "Marketing: no"]
    held = {each["store"]: each["count"] for each in found["held"]}
    assert (held["customers"], held["consents"]) == (1, 2)


async def test_person_nobody_wrote_anything_down_about_is_told_as_such(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_ann(connections)
    found = (await call(browser, "person", {"who": "a-browser-never-seen"})).json()
    assert (found["history"], found["held"], found["csv"]) == ([], [], "")


async def test_person_of_another_shop_is_not_found(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_ann(connections)
    await keep(connections, shop_row(OTHER))
    found = (await call(browser, "person", {"who": "5"}, OTHER)).json()
    assert (found["history"], found["held"]) == ([], [])


async def test_what_can_be_nobodys_name_is_refused(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    for who in ("", "two words", "x" * 321, "a\0b", "gid://shopify/Product/5", "0"):
        answer = await call(browser, "person", {"who": who})
        assert (answer.status_code, answer.json()["field"]) == (400, "who"), who


async def test_everything_held_is_saved_as_json_or_as_tables(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_ann(connections)
    told = await call(browser, "export", {"who": "5", "format": "json"})
    assert told.headers["content-disposition"] == 'attachment; filename="personal-data.json"'
    assert told.json()["stores"]["customers"]["rows"][0]["customer_id"] == 5
    tables = await call(browser, "export", {"who": "5", "format": "csv"})
    with zipfile.ZipFile(io.BytesIO(tables.content)) as files:
        assert {"index.csv", "customers.csv", "consents.csv"} <= set(files.namelist())


async def test_request_for_data_is_answered_with_everything_and_a_receipt_and_is_done(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_ann(connections)
    await keep(connections, asked("r1"))
    answer = await call(browser, "answer", {"request_id": "r1"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        data, receipt = json.loads(files.read("data.json")), files.read("receipt.json")
        assert "customers.csv" in files.namelist()
    assert data["stores"]["customers"]["rows"][0]["customer_id"] == 5
    signed = verified(receipt, (await open_receipt_key(connections)).public)
    assert signed.found["customers"] == 1
    request = await read_request(connections, SHOP, "r1")
    assert request is not None
    assert request.done_at is not None
    assert (await call(browser, "answer", {"request_id": "r1"})).status_code == 404
    assert (await call(browser, "receipt", {"request_id": "r1"})).content == receipt


async def test_receipt_of_an_erasure_is_saved_as_it_was_signed_and_to_its_own_shop_only(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_ann(connections)
    await keep(connections, asked("r2", "redact"), shop_row(OTHER))
    before = await call(browser, "receipt", {"request_id": "r2"})
    assert before.status_code == 404
    await erase_person(connections, SHOP, "r2")
    saved = await call(browser, "receipt", {"request_id": "r2"})
    receipt = verified(saved.content, (await open_receipt_key(connections)).public)
    assert receipt.deleted["customers"] == 1
    assert (await call(browser, "receipt", {"request_id": "r2"}, OTHER)).status_code == 404


async def test_call_that_makes_no_sense_is_a_400(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    for body in (b"", b"[]", b"{}", b'{"who": 5}', b'{"request_id": null}', b"\xff", b"[" * 4000):
        for name in CALLS:
            answer = await browser.post(f"/admin/api/privacy/{name}", content=body, headers=bearer())
            assert answer.status_code == 400, (name, body)
            assert answer.json()["error"]


async def test_call_without_a_good_token_is_refused(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    for name in CALLS:
        answer = await browser.post(f"/admin/api/privacy/{name}", json={"who": "5"})
        assert answer.status_code == 401
        assert answer.headers["x-shopify-retry-invalid-session-request"] == "1"


async def test_one_shops_pages_show_nothing_of_another(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    await keep_private_matters(connections)
    await keep(connections, shop_row(OTHER))
    assert "Nobody has been asked yet" in await opened(browser, "/admin/privacy", OTHER)
    assert "No requests" in await opened(browser, "/admin/privacy/people", OTHER)
    assert "Nothing to audit yet" in await opened(browser, "/admin/privacy/audit", OTHER)
    assert "First read" not in await opened(browser, "/admin/privacy/rules", OTHER)


async def test_page_goes_into_this_shops_admin_only_and_is_not_kept(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    for path in PAGES:
        address, query = entrance(path)
        answer = await browser.get(address, params=query)
        assert policy_of(answer)["frame-ancestors"] == [f"https://{SHOP}", "https://admin.shopify.com"]
        assert answer.headers["cache-control"] == "no-store"


async def test_without_its_database_every_call_and_page_says_so(settings: Settings, redis_url: str) -> None:
    nowhere = replace(settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    async with connect(nowhere, redis_url) as connections, browsing(routes, connections) as browser:
        for name in CALLS:
            answer = await call(browser, name, {"who": "5"})
            assert answer.status_code == 503
            assert "can't reach its database" in answer.json()["error"]
        for path in PAGES:
            address, query = entrance(path)
            page = await browser.get(address, params=query)
            assert page.status_code == 503
            assert "can&#39;t reach its database" in page.text
            assert "content-security-policy" in page.headers


async def test_without_redis_limits_hold_and_what_needs_it_says_so(
    connections: Connections, settings: Settings
) -> None:
    await keep_ann(connections)
    url = "redis://127.0.0.1:1"
    alone = replace(settings, database_url=connections.settings.database_url)
    async with connect(alone, url) as cut_off, browsing(routes, cut_off) as browser:
        kept = await call(browser, "limits", {"limits": {"events_days": 30}})
        assert kept.json() == {"limits": {"events_days": 30}, "clearing": False}
        export = await call(browser, "export", {"who": "5", "format": "json"})
        assert export.status_code == 503
        assert "can't reach its Redis" in export.json()["error"]

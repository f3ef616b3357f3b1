"""The decisions pages' routes: the log filtered and paged, one decision explained, and made again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.admin import decisions_store, store
from app.admin.decisions_filter import Cursor, read_filter
from app.admin.routes import routes
from app.connections import Connections, connect
from app.coupon_tables import CouponPoolRow, CouponRow
from tests.admin.decision_factories import decide, keep_decided
from tests.admin.factories import (
    OTHER,
    SHOP,
    bearer,
    decision,
    entrance,
    feedback,
    keep,
    keep_busy_shop,
    now,
    product,
    shop_row,
)
from tests.shops.web import browsing


async def page(browser: httpx.AsyncClient, path: str = "", shop: str = SHOP, **about: str) -> str:
    address, query = entrance(f"/admin/decisions{path}", shop, **about)
    answer = await browser.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split()).replace("&#39;", "'")


def listed(text: str) -> list[str]:
    """Return the ids of the decisions that a page lists."""
    return re.findall(r'decisions/one\?[^"]*&id=([^"&]+)"', text)


async def replay(browser: httpx.AsyncClient, decision_id: str, shop: str = SHOP) -> httpx.Response:
    body = {"id": decision_id}
    return await browser.post("/admin/api/decisions/replay", json=body, headers=bearer(shop))


async def test_a_shop_without_decisions_says_so(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep(connections, shop_row())
    assert "Nothing decided yet" in await page(browser)
    assert "No decision is like that" in await page(browser, surface="checkout")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["d0", "d1", "d2"]),
        ({"rung": "session"}, ["d1"]),
        ({"arm": "holdout"}, ["d2"]),
        ({"surface": "thank_you"}, []),
        ({"fallback": "any"}, ["d1"]),
        ({"fallback": "no_model"}, ["d1"]),
        ({"fallback": "redis"}, []),
        ({"outcome": "accepted"}, ["d0"]),
        ({"outcome": "dismissed"}, []),
        ({"product": "rye"}, ["d0", "d1"]),
        ({"product": "2"}, ["d0", "d1"]),
        ({"product": "Butter"}, []),  # what a reason refers to was not offered
        ({"product": "no such thing"}, []),
        ({"campaign": "welcome"}, ["c"]),
        ({"campaign": "welc"}, []),
        ({"product": "till-7"}, ["c"]),
        ({"product": "till"}, []),
        ({"day": "2020-01-01"}, []),
        ({"outcome": "accepted", "rung": "session"}, []),
    ],
)
async def test_decisions_are_found_by_what_is_asked_for(
    connections: Connections, browser: httpx.AsyncClient, asked: dict[str, str], found: list[str]
) -> None:
    await keep_busy_shop(connections)
    coupon = {"code": "TILL-7", "percentage": 10}
    offers = [{"offer_id": "o", "kind": "coupon", "campaign": "welcome", "discount": coupon, "why": []}]
    by_campaign = decision(0, answer={"offers": offers})
    by_campaign.decision_id = "c"
    await keep(connections, by_campaign)
    text = await page(browser, **asked)
    assert ("A discount · welcome" in text) == ("c" in listed(text))
    expected = {*found, "c"} if not asked else set(found)
    assert set(listed(text)) == expected


@pytest.mark.parametrize(
    "asked", [{"day": "yesterday"}, {"rung": "high"}, {"arm": "'; DROP"}, {"outcome": "x"}, {"surface": "?"}]
)
async def test_what_can_not_be_asked_for_is_said_and_everything_shown(
    connections: Connections, browser: httpx.AsyncClient, asked: dict[str, str]
) -> None:
    await keep_busy_shop(connections)
    text = await page(browser, **asked)
    assert "All decisions are shown." in text
    assert listed(text) == ["d0", "d1", "d2"]


async def test_pages_follow_on_one_another_without_gap_or_repeat(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions_store, "SHOWN", 4)
    at = now() - timedelta(hours=1)
    rows = [decision(n, decided_at=at - timedelta(seconds=n // 3)) for n in range(11)]  # three at a time
    await keep(connections, shop_row(), *rows)
    seen: list[str] = []
    query: dict[str, str] = {"arm": "personalised"}
    for _ in range(4):
        text = await page(browser, **query)
        seen += listed(text)
        older = re.search(r'arm=personalised&amp;before=([^"&]+)">Older', text)
        if older is None:
            break
        query["before"] = older[1]
    assert len(seen) == 11
    assert set(seen) == {f"d{n}" for n in range(11)}
    assert "Newest" in text


async def test_a_rare_thing_is_looked_for_so_far_and_then_on_demand(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions_store, "LOOKED_THROUGH", 5)
    rows = [decision(n) for n in range(9)]
    await keep(connections, shop_row(), *rows, decision(9, rung="session"))
    text = await page(browser, rung="session")
    assert listed(text) == []
    assert "There are older ones." in text
    further = re.search(r'before=([^"&]+)"', text)
    assert further
    text = await page(browser, rung="session", before=further[1])
    assert listed(text) == ["d9"]


async def test_a_day_that_is_none_is_refused_at_its_field_and_stays_as_it_was_typed(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    address, query = entrance("/admin/decisions", day="<yesterday>")
    text = (await browser.get(address, params=query)).text
    field = text.partition("<s-date-field")[2].partition("</s-date-field>")[0]
    assert 'value="&lt;yesterday&gt;"' in field
    assert 'error="Write a day as 2026-01-31. All decisions are shown."' in field
    assert "<s-banner" not in text


async def test_a_title_that_is_a_number_is_found_too(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    novel = {"product_id": "gid://shopify/Product/7", "title": "1984", "image": None}
    offered = decision(0, answer={"offers": [{"offer_id": "o", "kind": "upsell", "product": novel}]})
    await keep(connections, shop_row(), *product(7, "1984"), offered, decision(1))
    assert listed(await page(browser, product="1984")) == ["d0"]


async def test_decisions_that_offered_the_same_are_told_apart_by_their_links_names(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    names = re.findall(r'accessibilityLabel="(Rye bread [^"]+)"', await page(browser))
    assert len(names) == len(set(names)) == 2


async def test_what_can_not_be_asked_for_leaves_the_rest_as_it_was_asked(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    text = await page(browser, day="yesterday", rung="session")
    assert "The rest of what you asked for holds." in text
    assert listed(text) == ["d1"]


def test_a_day_is_the_shops_own() -> None:
    asked, _wrong = read_filter({"day": "2026-11-25"}, "America/New_York")
    assert asked.since is not None
    assert asked.since.isoformat() == "2026-11-25T05:00:00+00:00"
    none, wrong = read_filter({"day": "0000-00-00"}, "")
    assert (none.day, none.since, list(wrong)) == ("", None, ["day"])


def test_a_broken_cursor_begins_at_the_newest() -> None:
    for broken in ("", "x", "~", "nan~d", "1e999~d"):
        assert read_filter({"before": broken}, "")[0].before is None
    cursor = Cursor(now().replace(microsecond=123457), "d~1")
    assert read_filter({"before": str(cursor)}, "")[0].before == cursor


async def test_a_decision_says_why_it_offered_what_it_did(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    shop = await keep_decided(connections)
    await decide(connections, shop, "x1")
    text = await page(browser, "/one", id="x1")
    assert "The shopper allowed history and profile to be used." in text
    assert "Often bought together with Product 10" in text
    assert "By the campaign “Welcome”" in text
    assert "the country is DE" in text
    assert "<dt>the country</dt><dd>DE</dd>" in text
    assert "<dt>In the cart</dt><dd>Product 10</dd>" in text
    assert "Not seen on a screen" in text
    assert "Show the ranking" in text


async def test_a_rule_is_told_with_the_titles_of_the_products_it_names(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    rule = {"some": [{"var": "cart.product_ids"}, {"in": [{"var": ""}, ["10", "99"]]}]}
    await decide(connections, await keep_decided(connections, rule), "x1")
    text = await page(browser, "/one", id="x1")
    assert "One or more of “Product 10”, “99” are among the products in the cart." in text
    assert "<dt>the products in the cart</dt><dd>Product 10</dd>" in text


async def test_prices_and_discounts_are_said_as_the_language_writes_them(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    product = {"product_id": "gid://shopify/Product/2", "title": "Rye", "price": "1250.50", "currency": "EUR"}
    coupons = [{"percentage": 12.5}, {"percentage": None, "amount": "5.00", "currency": "EUR"}]
    offers = [{"offer_id": "p", "kind": "upsell", "product": product, "why": []}]
    offers += [{"offer_id": f"{n}", "kind": "coupon", "discount": each} for n, each in enumerate(coupons)]
    await keep(connections, shop_row(), decision(0, answer={"offers": offers}))
    text = await page(browser, "/one", id="d0", locale="de")
    assert "1.250,50 €" in text
    assert "12,5 %" in text
    assert "5,00 €" in text


@pytest.mark.parametrize(
    ("discount", "says"),
    [
        ({"percentage": 100, "applies_to": "shipping"}, "Free shipping"),
        ({"percentage": 50, "applies_to": "shipping"}, "50% off the shipping"),
        ({"percentage": 100, "applies_to": "order"}, "100% off"),
        ({"amount": "5.00", "currency": "USD", "applies_to": "product"}, "$5.00 off products"),
    ],
)
async def test_a_discount_says_what_it_is_taken_off(
    connections: Connections, browser: httpx.AsyncClient, discount: dict[str, Any], says: str
) -> None:
    offers = [{"offer_id": "c", "kind": "coupon", "discount": discount}]
    await keep(connections, shop_row(), decision(0, answer={"offers": offers}))
    assert f">{says}<" in await page(browser, "/one", id="d0")


@pytest.mark.parametrize(
    ("status", "hours", "says"),
    [
        ("granted", 1, "good until"),
        ("granted", -1, "ended on"),
        ("redeemed", 1, "an order used it"),
        ("withdrawn", 1, "its discount was deleted or deactivated in Shopify"),
        (None, -1, "ended on"),
    ],
)
async def test_a_decision_says_what_became_of_a_code(
    connections: Connections, browser: httpx.AsyncClient, status: str | None, hours: int, says: str
) -> None:
    end = now() + timedelta(hours=hours)
    discount = {"code": "TILL-7", "percentage": 10, "expires_at": end.isoformat()}
    offers = [{"offer_id": "c", "kind": "coupon", "discount": discount}]
    await keep(connections, shop_row(), decision(0, answer={"offers": offers}))
    if status:
        await keep(connections, CouponRow(shop=SHOP, code="TILL-7", pool_id="p", status=status))
    assert f"Code TILL-7: {says}" in await page(browser, "/one", id="d0")


async def test_what_became_of_a_code_that_only_an_e_mail_carried_is_said(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    given = {"pool_id": "p", "status": "redeemed", "expires_at": now()}
    pool = CouponPoolRow(shop=SHOP, pool_id="p", campaign_id="welcome", updated_at=now())
    await keep_decided(connections)  # of the campaign “Welcome”
    await keep(connections, pool, shop_row(OTHER), CouponRow(shop=SHOP, code="TILL-7", **given))
    await keep(connections, CouponRow(shop=SHOP, code="TILL-8", pool_id="p", status="pooled"))
    text = await page(browser, product="till-7")
    assert "Code TILL-7: an order used it" in text
    assert "By the campaign “Welcome”" in text
    assert "TILL-8:" not in await page(browser, product="TILL-8")  # nobody was given it
    assert "TILL-7:" not in await page(browser, "", OTHER, product="TILL-7")


async def test_words_that_many_products_have_are_looked_for_in_some_and_it_is_said(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_busy_shop(connections)
    said = "Many products have these words"
    assert said not in await page(browser, product="rye")
    monkeypatch.setattr(store, "SHOWN_PRODUCTS", 1)
    text = await page(browser, product="rye")
    assert said in text
    assert set(listed(text)) == {"d0", "d1"}


async def test_a_decision_says_what_became_of_its_offers(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    await keep(connections, feedback(1, "dismissed"))
    assert ">Accepted</s-badge>" in await page(browser, "/one", id="d0")
    assert ">Sent away</s-badge>" in await page(browser, "/one", id="d1")
    held_out = await page(browser, "/one", id="d2")
    assert "Nothing was offered" in held_out
    assert "The shopper was held out at random" in held_out


async def test_what_the_rerank_took_out_is_told_with_why(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    shop = await keep_decided(connections, pinned=[40])
    await decide(connections, shop, "x1")
    text = await page(browser, "/one", id="x1", ranking="1")
    assert ">Product 30</s-table-cell>" in text
    assert "pinned by you" in text
    assert text.count(">Offered</s-badge>") == 3


async def test_another_shops_decisions_are_neither_listed_nor_shown_nor_made_again(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    shop = await keep_decided(connections)
    await decide(connections, shop, "x1")
    await keep(connections, shop_row(OTHER))
    assert listed(await page(browser, "", OTHER)) == []
    assert "This decision is not there" in await page(browser, "/one", OTHER, id="x1")
    assert (await replay(browser, "x1", OTHER)).status_code == 404


@pytest.mark.parametrize("body", [{}, {"id": 1}, {"id": "x" * 101}, {"id": "x", "more": 1}, []])
async def test_unusable_call_is_refused(
    connections: Connections, browser: httpx.AsyncClient, body: Any
) -> None:
    await keep(connections, shop_row())
    answer = await browser.post("/admin/api/decisions/replay", json=body, headers=bearer())
    assert answer.status_code == 400


async def test_words_of_the_catalogue_are_never_markup(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    product = {"product_id": "gid://shopify/Product/2", "title": "<script>x</script>", "image": None}
    offers = [{"offer_id": "o", "kind": "upsell", "product": product, "why": []}]
    await keep(connections, shop_row(), decision(0, answer={"offers": offers}))
    for text in (await page(browser), await page(browser, "/one", id="d0")):
        assert "<script>x" not in text


@pytest.mark.parametrize("path", ["", "/one"])
async def test_pages_and_calls_say_what_is_away(connections: Connections, path: str) -> None:
    away = replace(connections.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with connect(away, connections.redis_url) as broken, browsing(routes, broken) as browser:
        address, query = entrance(f"/admin/decisions{path}", id="x1")
        answer = await browser.get(address, params=query)
        called = await replay(browser, "x1")
    assert (answer.status_code, called.status_code) == (503, 503)
    assert "can't reach its database" in called.json()["error"]
    assert "can't reach its database" in answer.text.replace("&#39;", "'")

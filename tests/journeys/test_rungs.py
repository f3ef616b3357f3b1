"""Each rung of the consent ladder in a real browser: a useful offer, nothing kept that was not allowed."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from app.config import read_settings
from app.connections import connect
from app.consent.digests import Digests, open_digests
from app.profiles.customer import NOBODY, REFUSED, Profile
from app.profiles.keys import client_key, customer_key
from app.profiles.packed import unpack_profile, unpack_visit
from app.profiles.visit import NO_VISIT, Visit
from app.shops.changes import CHANGED
from devstore.demo import DOMAIN
from devstore.records import Customer
from tests.devstore.browser_world import until_within
from tests.journeys.shopper import Shopper, at_checkout, shopper
from tests.journeys.small_stage import START_S, SmallStage
from tests.journeys.stores import everything_kept, places_of, rows_of

STRANGER = 7_700_000_000_001  # a customer whom no import and no webhook has told the app of
STRANGERS_EMAIL = "nobody-knows-me@example.org"
DECIDED = "SELECT customer_id FROM decisions WHERE decision_id = ?"
SECONDS = 30.0  # on a busy machine too


@pytest.fixture(scope="module")
def stage(trained_stage: SmallStage) -> SmallStage:
    return trained_stage


@pytest.fixture(scope="module")
def digests(stage: SmallStage) -> Digests:
    """The app's keyed hashes, so that they can be looked for."""

    async def opened() -> Digests:
        async with connect(read_settings(stage.environment), stage.redis_url) as connections:
            return await open_digests(connections)

    with ThreadPoolExecutor() as beside_the_browsers_loop:
        return beside_the_browsers_loop.submit(asyncio.run, opened()).result()


@pytest.fixture(scope="module")
def best_sellers(stage: SmallStage) -> list[int]:
    """The shop's products, those in most orders first."""
    ordered = [line.product_id for order in stage.shop.orders.values() for line in order.lines]
    on_sale = [each.id for each in stage.shop.products.values() if each.variants[0].available]
    return sorted(on_sale, key=lambda each: (-ordered.count(each), each))


@pytest.fixture(scope="module")
def regulars(stage: SmallStage) -> list[int]:
    """The customers with most orders, who let their history be used."""
    bought = [order.customer_id for order in stage.shop.orders.values()]
    known = [each.id for each in stage.shop.customers.values() if not each.data_sale_opt_out]
    return sorted(known, key=lambda each: (-bought.count(each), each))


@pytest.fixture
def all_personalised(stage: SmallStage) -> Iterator[None]:
    """Whose consent changes is somebody new to the standing experiment, who may come into another arm."""
    with shop_settings(stage, {"arms": {"personalised": 1}}):
        yield


def expect_useful(made: Shopper, answer: dict[str, Any]) -> None:
    """Hold the offer to what makes it one: it can be bought, is not in the cart, says why, and is shown."""
    offered = {_number(offer["product"]["product_id"]) for offer in answer["offers"]}
    in_cart = {_number(line["product_id"]) for line in made.questions[-1]["cart"]["lines"]}
    assert offered
    assert not offered & in_cart
    assert all(made.stage.shop.products[each].variants[0].available for each in offered)
    first = answer["offers"][0]
    assert first["why"]
    expect(made.offers.get_by_text(first["product"]["title"], exact=True)).to_be_visible()
    expect(made.offers.get_by_role("button", name=re.compile("^Add .* to your order$"))).to_be_enabled()


def reasons(answer: dict[str, Any]) -> set[str]:
    return {why["reason"] for offer in answer["offers"] for why in offer["why"]}


def _number(gid: str) -> int:
    return int(gid.rsplit("/", 1)[-1])


def test_personal_with_all_consent_the_customers_history_speaks(
    stage: SmallStage, browser: Browser, best_sellers: list[int], regulars: list[int]
) -> None:
    with at_checkout(stage, browser, best_sellers[0], customers=regulars, consent="all") as (made, answer):
        assert (answer["rung"], answer["fallback"]) == ("personal", None)
        expect_useful(made, answer)
        assert answer["segment"] is not None
        assert "goes_with_history" in reasons(answer)


def test_session_with_analytics_alone_this_visit_counts_and_the_customer_does_not(
    stage: SmallStage, browser: Browser, best_sellers: list[int], regulars: list[int]
) -> None:
    looked_at = best_sellers[:4]
    with at_checkout(stage, browser, *looked_at, customers=regulars, consent="analytics") as (made, answer):
        assert (answer["rung"], answer["fallback"]) == ("session", None)
        expect_useful(made, answer)
        assert "goes_with_history" not in reasons(answer)
        until_within(SECONDS, lambda: len(seen_products(stage, made.client_id)) == len(looked_at))
        assert seen_products(stage, made.client_id) == set(looked_at)
        until_within(SECONDS, lambda: rows_of(stage, DECIDED, answer["decision_id"]))
        assert rows_of(stage, DECIDED, answer["decision_id"]) == [(None,)]
        assert places_of(made.client_id, everything_kept(stage))  # what is kept is found


@pytest.mark.parametrize(
    "visitor",
    [
        {"consent": "none", "country": "US"},
        {"country": "DE"},  # no answer yet, where consent is asked before
        {"consent": "none", "country": "DE", "gpc": "1"},
    ],
    ids=["declined", "not-asked-yet", "declined-with-gpc"],
)
def test_contextual_without_consent_the_cart_speaks_and_nothing_of_the_visitor_is_kept(
    stage: SmallStage,
    browser: Browser,
    digests: Digests,
    best_sellers: list[int],
    visitor: dict[str, str],
) -> None:
    add_stranger(stage)
    with at_checkout(stage, browser, *best_sellers[:3], customers=[STRANGER] * 6, **visitor) as (
        made,
        answer,
    ):
        assert (answer["rung"], answer["fallback"]) == ("contextual", None)
        expect_useful(made, answer)
        assert reasons(answer) <= {"bought_together", "similar", "popular", "new_in"}
        assert made.events == []
        settled(stage)
        until_within(SECONDS, lambda: rows_of(stage, DECIDED, answer["decision_id"]))
        kept = everything_kept(stage)
        assert places_of(answer["decision_id"], kept)  # what is looked through is what the app wrote
        markers = markers_of(made, digests)
        assert {marker: places_of(marker, kept) for marker in markers} == {marker: [] for marker in markers}


def test_static_the_merchants_own_picks_are_offered_to_everyone(
    stage: SmallStage, browser: Browser, best_sellers: list[int], regulars: list[int]
) -> None:
    pinned = best_sellers[20:23]
    with (
        shop_settings(stage, {"arms": {"static": 1}, "pinned": pinned}),
        at_checkout(stage, browser, best_sellers[0], customers=regulars, arm="static", consent="all") as (
            made,
            answer,
        ),
    ):
        assert answer["rung"] == "static"
        expect_useful(made, answer)
        assert [_number(offer["product"]["product_id"]) for offer in answer["offers"]] == pinned
        assert reasons(answer) == {"merchant_pick"}


@pytest.mark.usefixtures("all_personalised")
def test_withdrawing_at_checkout_takes_the_personal_offers_away_and_what_they_were_made_of(
    stage: SmallStage, browser: Browser, best_sellers: list[int], regulars: list[int]
) -> None:
    seen = best_sellers[:3]
    with at_checkout(stage, browser, *seen, customers=regulars[6:], consent="all") as (made, answer):
        assert answer["rung"] == "personal"
        customer, client, checkout = (
            int(made.cookies["devstore_customer"]),
            made.client_id,
            made.checkout_token,
        )
        until_within(SECONDS, lambda: seen_products(stage, client) == set(seen))
        assert profiles(stage, customer, client)

        asked = len(made.answers)
        made.decline()
        after = made.next_answer(asked)
        assert after["rung"] == "contextual"
        assert "goes_with_history" not in reasons(after)
        expect_useful(made, after)
        made.wait_until(lambda: made.events[-1]["name"] == "tillwise:consent_changed")

        until_within(SECONDS, lambda: not profiles(stage, customer, client))
        until_within(SECONDS, lambda: not events_of(stage, client, checkout))
        named = "SELECT count(*) FROM decisions WHERE customer_id = ? OR checkout_token = ?"
        until_within(SECONDS, lambda: rows_of(stage, named, customer, checkout) == [(0,)])


@pytest.mark.usefixtures("all_personalised")
def test_nothing_is_sent_after_a_withdrawal(
    stage: SmallStage, browser: Browser, best_sellers: list[int]
) -> None:
    with shopper(stage, browser) as made:
        made.browse(*best_sellers[:2], consent="analytics")
        made.wait_until(lambda: "product_added_to_cart" in [event["name"] for event in made.events])
        made.decline()
        made.wait_until(lambda: made.events[-1]["name"] == "tillwise:consent_changed")
        told = len(made.events)
        assert made.events[-1]["consent"] == {
            "analytics": False, "marketing": False, "preferences": False, "sale_of_data": False,
        }  # fmt: skip
        until_within(SECONDS, lambda: not events_of(stage, made.client_id, ""))
        answer = made.check_out()
        assert answer["rung"] == "contextual"
        assert len(made.events) == told


@pytest.mark.usefixtures("all_personalised")
def test_the_choice_in_the_checkout_opens_what_it_allows(
    stage: SmallStage, browser: Browser, best_sellers: list[int], regulars: list[int]
) -> None:
    with at_checkout(stage, browser, best_sellers[0], customers=regulars, country="DE") as (made, answer):
        assert answer["rung"] == "contextual"
        asked = len(made.answers)
        made.page.goto(f"{made.page.url}?ask_privacy=1")
        assert made.next_answer(asked)["rung"] == "contextual"
        made.offers.get_by_role("button", name="Allow").click()
        assert made.next_answer(asked + 1)["rung"] == "personal"
        expect(made.offers.get_by_role("button", name="Allow")).to_be_hidden()
        assert made.questions[-1]["consent"] == {
            "analytics": True, "marketing": True, "preferences": True, "sale_of_data": False,
        }  # fmt: skip
        assert made.questions[-1]["region"] == {"country": "DE"}


def markers_of(made: Shopper, digests: Digests) -> list[str]:
    """Return what the visitor could be known by: their names, and the hashes that the app makes of them."""
    names = {"client": made.client_id, "checkout": made.checkout_token, "customer": STRANGER}
    hashes = [digests.of(DOMAIN, kind, name) for kind, name in names.items()]
    return [*map(str, names.values()), STRANGERS_EMAIL, *hashes, digests.of_email(DOMAIN, STRANGERS_EMAIL)]


def add_stranger(stage: SmallStage) -> None:
    now = datetime.now(UTC)
    if STRANGER not in stage.shop.customers:
        stage.shop.add_customer(Customer(STRANGER, "Nobody", "Known", STRANGERS_EMAIL, now, now))


def seen_products(stage: SmallStage, client_id: str) -> set[int]:
    """Return the products that the app knows the browser to have looked at."""
    query = "SELECT json_extract(data, '$.product_id') FROM events WHERE client_id = ? AND name = ?"
    return {int(product_id) for (product_id,) in rows_of(stage, query, client_id, "product_viewed")}


def events_of(stage: SmallStage, client_id: str, checkout_token: str) -> list[tuple[Any, ...]]:
    """Return what browsers sent of this visit that is still there."""
    query = (
        "SELECT name FROM events WHERE (client_id = ? OR checkout_token = ?) AND event_id LIKE 'browser:%'"
    )
    return rows_of(stage, query, client_id, checkout_token)


def profiles(stage: SmallStage, customer_id: int, client_id: str) -> list[Profile | Visit]:
    """Return what is kept of the customer's history and of the visit; that they refused is neither."""
    keys = [customer_key(DOMAIN, customer_id), client_key(DOMAIN, client_id)]
    with stage.redis() as redis:
        customer, browser = redis.mget(keys)
    found = [unpack_profile(customer), unpack_visit(browser)]
    return [each for each in found if each not in (NOBODY, REFUSED, NO_VISIT)]


@contextmanager
def shop_settings(stage: SmallStage, settings: dict[str, Any]) -> Iterator[None]:
    """Give the shop these settings of its merchant until left."""
    _set(stage, settings)
    try:
        yield
    finally:
        _set(stage, {})


def _set(stage: SmallStage, settings: dict[str, Any]) -> None:
    database = sqlite3.connect(stage.database, timeout=30)
    with database:
        database.execute("UPDATE shops SET settings = ? WHERE shop = ?", (json.dumps(settings), DOMAIN))
    database.close()
    with stage.redis() as redis:
        redis.publish(CHANGED, DOMAIN)


def settled(stage: SmallStage) -> None:
    """Wait until every webhook was delivered and worked off, and every event after it."""
    httpx.post(f"{stage.store_url}/control/settle", json={}, timeout=60).raise_for_status()
    until_within(
        START_S, lambda: rows_of(stage, "SELECT count(*) FROM inbox WHERE status = 'pending'") == [(0,)]
    )
    until_within(START_S, lambda: not _unread(stage))


def _unread(stage: SmallStage) -> int:
    """Return how many events of the log nobody has worked off yet."""
    with stage.redis() as redis:
        groups = redis.xinfo_groups("tw:events")
    return sum(group["pending"] + (group["lag"] or 0) for group in groups)

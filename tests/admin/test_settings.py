"""The settings page: the plan, languages, what leaves, the shop's data as files."""

from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from playwright.async_api import expect

from app.admin import settings_store
from app.admin.routes import routes
from app.admin.settings import over_words
from app.config import Smtp
from app.connections import Connections, connect
from app.shops.plan import Plan, plan_of, pricing_page
from app.shops.store import get_shop
from app.values import ShopDomain
from tests.admin.campaign_factories import keep_named
from tests.admin.experiment_factories import keep_experiment
from tests.admin.factories import (
    OTHER,
    SHOP,
    bearer,
    decision,
    entrance,
    keep,
    keep_busy_shop,
    shop_row,
)
from tests.admin.test_campaigns_in_browser import violations
from tests.admin.test_in_browser import DESKTOP, PHONE, opened, served
from tests.shops.web import browsing

BODIES: dict[str, Any] = {
    "language": {"locale": "de"},
    "way": {"way": "alerts_mail", "on": False},
    "export": {"days": 30},
}


def subscribed(*subscriptions: dict[str, Any]) -> dict[str, Any]:
    """Return what Shopify answers of the shop's plan."""
    installation = {"app": {"handle": "tillwise"}, "activeSubscriptions": list(subscriptions)}
    return {"data": {"currentAppInstallation": installation}}


def growth(**changes: Any) -> dict[str, Any]:
    told = {
        "name": "Growth", "status": "ACTIVE", "test": False, "trialDays": 0,
        "createdAt": "2026-11-01T00:00:00Z", "currentPeriodEnd": "2026-12-01T00:00:00Z",
    }  # fmt: skip
    return told | changes


async def page(
    browser: httpx.AsyncClient, shopify: Any = None, shop: str = SHOP, path: str = "/admin/settings"
) -> str:
    """Return the page; shopify: what the Admin API answers, nothing where it can't be reached."""
    address, query = entrance(path, shop)
    with respx.mock(assert_all_called=False) as admin:
        route = admin.post(url__regex=r".*/graphql\.json")
        if shopify is None:
            route.mock(side_effect=httpx.ConnectError("away"))
        else:
            route.respond(json=shopify)
        admin.route(host="app").pass_through()
        answer = await browser.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split()).replace("&#39;", "'")


async def test_a_pause_is_told_on_every_page_until_somebody_goes_on_and_is_remembered(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    banner = "Tillwise is paused: shoppers see nothing of it"
    assert banner not in await page(browser)
    for name in ("pause", "pause", "go-on", "pause"):
        assert (await browser.post(f"/admin/api/{name}", json={}, headers=bearer())).status_code == 200
    for path in ("/admin", "/admin/settings", "/admin/experiments/earned"):
        text = await page(browser, path=path)
        assert banner in text
        assert "by staff member no. 42." in text
    text = await page(browser)
    assert text.count("Paused on ") == 1
    assert "Tillwise was paused for" in await page(browser, path="/admin/experiments/read")


async def call(browser: httpx.AsyncClient, name: str, shop: str = SHOP, **changes: Any) -> httpx.Response:
    body = BODIES[name] | changes
    return await browser.post(f"/admin/api/settings/{name}", json=body, headers=bearer(shop))


async def kept(connections: Connections, shop: str = SHOP) -> dict[str, Any]:
    found = await get_shop(connections, shop)
    assert found is not None
    return found.settings


def archive(answer: httpx.Response) -> dict[str, str]:
    """Return the files of the archive."""
    with zipfile.ZipFile(BytesIO(answer.content)) as files:
        return {name: files.read(name).decode() for name in files.namelist()}


async def test_the_plan_is_the_one_that_shopify_tells(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    text = await page(browser, subscribed(growth()))
    assert "Your plan is “Growth”. The period ends on Nov 30, 2026." in text  # at midnight UTC, in New York
    assert "https://admin.shopify.com/store/acme/charges/tillwise/pricing_plans" in text
    assert "nothing is charged" in await page(browser, subscribed(growth(test=True)))
    assert "You have chosen no plan." in await page(browser, subscribed())
    assert "You have chosen no plan." in await page(browser, subscribed(growth(status="CANCELLED")))


async def test_without_shopify_the_page_opens_all_the_same(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    text = await page(browser)
    assert "Of more than 100,000 decisions it has the latest." in text
    assert "Shopify can't tell us your plan right now." in text
    assert "See the plans at Shopify" not in text
    assert "If you uninstall Tillwise" in text
    assert "/settings/checkout/editor?page=thank-you" in text


async def test_what_is_beyond_the_plan_is_said_and_nothing_is_withheld(connections: Connections) -> None:
    await keep_busy_shop(connections)
    settings = replace(connections.settings, plans={"Growth": 2})
    async with browsing(routes, replace(connections, settings=settings)) as browser:
        text = await page(browser, subscribed(growth()))
        assert "Your plan covers 2 answers in 30 days; there were 3." in text
        assert "Beyond your plan" not in await page(browser, subscribed(growth(name="Unlimited")))
        assert "Your plan covers 2 answers" in await page(browser, subscribed(growth()), path="/")


async def test_home_asks_shopify_for_no_plan_while_the_smallest_one_covers_what_is_used(
    connections: Connections,
) -> None:
    await keep_busy_shop(connections)
    settings = replace(connections.settings, plans={"Growth": 3, "Pro": 9})
    async with browsing(routes, replace(connections, settings=settings)) as browser:
        assert "Beyond your plan" not in await page(browser, path="/")


def test_at_its_limit_a_plan_is_not_beyond_it() -> None:
    plan = Plan("Growth", "tillwise")
    assert over_words(plan, 10, {"Growth": 10}) == ""
    assert over_words(plan, 11, {"Growth": 10}) != ""
    assert over_words(None, 11, {"Growth": 10}) == ""


def test_the_pricing_page_is_named_only_where_it_is_known(connections: Connections) -> None:
    shop = ShopDomain(SHOP)
    assert pricing_page(connections.settings, shop, "") == ""
    local = replace(connections.settings, dev_store_url="http://127.0.0.1:1")
    assert pricing_page(local, shop, "tillwise") == ""


def test_a_plan_without_a_period_has_no_end() -> None:
    plan = plan_of(subscribed(growth(currentPeriodEnd=None))["data"])
    assert (plan.name, plan.period_end) == ("Growth", None)
    assert plan_of(subscribed(growth())["data"]).period_end == datetime(2026, 12, 1, tzinfo=UTC)


async def test_the_shops_language_is_kept(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep(connections, shop_row(settings={"pinned": [1]}))
    assert (await call(browser, "language")).json() == {"locale": "de"}
    assert await kept(connections) == {"pinned": [1], "locale": "de"}
    assert '<s-option value="de" selected>' in await page(browser)
    assert (await call(browser, "language", locale="xx")).status_code == 400
    await keep(connections, shop_row(settings={"locale": "nl-BE"}))
    assert '<s-option value="nl-BE" selected>' in await page(browser)  # what it is stays a choice


async def test_what_leaves_by_itself_is_switched(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    assert (await call(browser, "way")).json() == {"way": "alerts_mail", "on": False}
    assert (await kept(connections))["reach"] == {"alerts_mail": False}
    assert (await call(browser, "way", way="flow", on=True)).json()["on"] is True
    assert (await kept(connections))["reach"] == {"alerts_mail": False, "flow": True}


async def test_letters_need_a_mail_server(connections: Connections, browser: httpx.AsyncClient) -> None:
    await keep(connections, shop_row())
    refused = await call(browser, "way", way="mail", on=True)
    assert refused.status_code == 400
    assert "need a mail server" in refused.json()["error"]
    assert "No mail server is set up" in await page(browser)
    smtp = Smtp("mail.example.com", 587, "starttls", "", "", "shop@example.com")
    with_mail = replace(connections, settings=replace(connections.settings, smtp=smtp))
    async with browsing(routes, with_mail) as other:
        assert (await call(other, "way", way="mail", on=True)).json()["on"] is True


async def test_the_shops_data_is_taken_away_without_secrets_and_customers(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, units=2)
    await keep_busy_shop(connections)
    webhook = {"url": "https://hooks.example.com", "secret": "sealed", "since": "2026-01-01"}
    named = decision(7, customer_id=4711, checkout_token="of-a-person", inputs={"unit": "client:x"})
    await keep(connections, shop_row(settings={"webhook": webhook, "pinned": [1]}), named)
    await keep_named(connections, "free-shipping", "running")
    answer = await call(browser, "export")
    assert answer.headers["content-disposition"].startswith('attachment; filename="tillwise-acme-')
    files = archive(answer)
    assert json.loads(files["settings.json"])["settings"] == {
        "pinned": [1],
        "webhook": {"url": "https://hooks.example.com"},
    }
    (campaign,) = json.loads(files["campaigns.json"])
    assert (campaign["status"], campaign["campaign"]["id"]) == ("running", "free-shipping")
    assert json.loads(files["experiments.json"])[0]["design"]["id"] == "dear"
    lines = {each["decision"]: each for each in csv.DictReader(StringIO(files["decisions.csv"]))}
    assert (lines["d0"]["title"], lines["d0"]["accepted"]) == ("Rye bread", "True")
    assert (lines["d1"]["shown"], lines["d2"]["offer"]) == ("False", "")
    about = json.loads(files["about.json"])
    assert (about["days"], about["decisions"], about["complete"]) == (30, len(lines), True)
    whole = "".join(files.values())
    for secret in ("sealed", "4711", "of-a-person", "client:x"):
        assert secret not in whole


async def test_every_decision_is_in_the_archive_once_and_no_other_shops(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_store, "PART", 3)
    at = datetime.now(UTC)
    rows = [decision(n, decided_at=at, answer={"offers": []}) for n in range(8)]  # all at one moment
    await keep(connections, shop_row(), shop_row(OTHER), *rows, decision(99, OTHER))
    lines = archive(await call(browser, "export"))["decisions.csv"].splitlines()[1:]
    assert sorted(line.split(",")[0] for line in lines) == [f"d{n}" for n in range(8)]


async def test_no_cell_is_read_as_a_formula(connections: Connections, browser: httpx.AsyncClient) -> None:
    product = {"product_id": "gid://shopify/Product/2", "title": "=HYPERLINK(1)"}
    offers = [{"offer_id": "o", "kind": "upsell", "product": product}]
    await keep(connections, shop_row(), decision(0, answer={"offers": offers}))
    (line,) = csv.DictReader(StringIO(archive(await call(browser, "export"))["decisions.csv"]))
    assert line["title"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("language", {"locale": 1}),
        ("way", {"way": "pigeon"}),
        ("way", {"on": "yes"}),
        ("export", {"days": 0}),
        ("export", {"days": 10_000}),
        ("export", {"more": 1}),
    ],
)
async def test_unusable_call_is_refused(
    connections: Connections, browser: httpx.AsyncClient, name: str, body: dict[str, Any]
) -> None:
    await keep(connections, shop_row())
    assert (await call(browser, name, **body)).status_code == 400
    assert await kept(connections) == {}


async def test_one_shops_settings_are_none_of_anothers(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), shop_row(OTHER))
    await call(browser, "language", OTHER)
    assert await kept(connections) == {}
    assert await kept(connections, OTHER) == {"locale": "de"}


@pytest.mark.parametrize("name", BODIES)
async def test_calls_need_a_token_and_say_what_is_away(connections: Connections, name: str) -> None:
    away = replace(connections.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with connect(away, connections.redis_url) as broken, browsing(routes, broken) as browser:
        anonymous = await browser.post(f"/admin/api/settings/{name}", json=BODIES[name])
        refused = await call(browser, name)
    assert (anonymous.status_code, refused.status_code) == (401, 503)
    assert "can't reach its database" in refused.json()["error"]


async def test_who_pauses_by_the_keyboard_goes_on_from_the_button(connections: Connections) -> None:
    await keep_busy_shop(connections)
    refusing = httpx.MockTransport(lambda _asked: httpx.Response(403))
    async with httpx.AsyncClient(transport=refusing) as shopify:
        away = replace(connections, http=shopify)
        async with served(away) as url, opened(url, "/admin/settings", DESKTOP) as page:
            pause, go_on = (page.get_by_role("button", name=name) for name in ("Pause Tillwise", "Resume"))
            await pause.focus()
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("button", name="Press again")).to_be_focused()
            await page.keyboard.press("Enter")
            await expect(go_on.nth(1)).to_be_focused()  # the first one is the banner's
            await page.keyboard.press("Enter")
            await expect(pause).to_be_focused()


async def test_a_merchant_chooses_a_language_and_takes_the_data_away(connections: Connections) -> None:
    await keep_busy_shop(connections)
    async with served(connections) as url, opened(url, "/admin/settings", DESKTOP) as page:
        await page.get_by_label("Your shop’s language").select_option(label="Français")
        await expect(page).to_have_title("Kept, from the next answer on")
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Download").click()
        content = Path(await (await downloading.value).path()).read_bytes()  # noqa: ASYNC240
        await page.get_by_role("button", name="Turn off: Alerts to your shop's own address").click()
        await page.get_by_role("button", name="Turn on: Alerts to your shop's own address").wait_for()
    assert "decisions.csv" in zipfile.ZipFile(BytesIO(content)).namelist()
    assert (await kept(connections))["locale"] == "fr"


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
async def test_axe_finds_nothing(connections: Connections, viewport: dict[str, int]) -> None:
    await keep_busy_shop(connections)
    async with served(connections) as url, opened(url, "/admin/settings", viewport) as page:
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]

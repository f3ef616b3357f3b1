from __future__ import annotations

import re

import httpx
import pytest

from app.admin.definitions import DEFINITIONS
from app.admin.home_view import caused_words, headline, untold_words
from app.admin.language import READ_IN
from app.attribution.report import Incremental
from app.campaigns.store import keep_campaign
from app.connections import Connections
from app.experiments.analysis import Interval
from app.experiments.refusal import Cause, Refusal
from app.shops.settings import change_setting
from app.shops.store import get_shop
from app.values import ShopDomain
from tests.admin.experiment_factories import keep_experiment, placed
from tests.admin.factories import (
    SHOP,
    bearer,
    decision,
    imported,
    keep,
    keep_busy_shop,
    opened,
    shop_row,
)
from tests.campaigns.factories import a_campaign


def figure(page: str, name: str) -> str:
    """Return what stands in a figure's tile, its note included."""
    tile = page.partition(f'data-figure="{name}">')[2].partition("</s-box>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", tile).split())


async def test_incremental_revenue_stands_with_its_range_and_how_sure_it_is(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, rates=(0.1, 0.6))
    told = figure(await opened(browser), "incremental-revenue")
    amounts = [float(each.replace(",", "")) for each in re.findall(r"\$([\d,.]+)", told)]
    value, low, high = amounts
    assert low < value < high
    assert "sure" in told
    page = await opened(browser)
    first = page.partition("data-headline")[2].partition("</s-stack>")[0]
    assert f"about ${value:,.0f} more" in first
    assert 'tone="success"' in first
    # What is known to be earned comes before the way there.
    assert page.index("data-headline") < page.index("data-steps-done")


@pytest.mark.parametrize(("control", "beside"), [("holdout", ""), ("static", ", beside “Your defaults”")])
def test_what_was_caused_names_whom_it_is_beside_unless_some_are_held_out(control: str, beside: str) -> None:
    between = Interval(200.0, 100.0, 300.0)
    found = Incremental("personalised", control, "", 10, between, between, level=0.975, arm_share=0.9)
    assert caused_words(found, "USD") == f"between $1.00 and $3.00 (97.5% sure){beside}"


@pytest.mark.parametrize(
    ("low", "high", "badge", "says", "leads_to"),
    [
        (100.0, 300.0, "It pays", "about $2.00 more in sales: between $1.00 and $3.00 (95% sure).", "earned"),
        (-300.0, 700.0, "Not sure yet", "so far is between -$3.00 and $7.00 (95% sure).", "read"),
        (
            -300.0,
            -100.0,
            "It costs sales",
            "about $2.00 less with Tillwise: between -$3.00 and -$1.00",
            "campaigns",
        ),
    ],
)
def test_first_sentence_says_what_was_earned_how_sure_that_is_and_where_to_go(
    low: float, high: float, badge: str, says: str, leads_to: str
) -> None:
    between = Interval((low + high) / 2, low, high)
    found = Incremental("personalised", "holdout", "", 10, between, between, level=0.95, arm_share=0.9)
    told = headline(found, "USD", is_paused=False)
    assert told is not None
    assert (told.badge, told.link[1].rpartition("/")[2]) == (badge, leads_to)
    assert says in told.says
    assert headline(Refusal(Cause.EMPTY_ARM, ""), "USD", is_paused=False) is None


@pytest.mark.parametrize("is_paused", [True, False])
def test_merchant_who_paused_already_is_not_told_to(is_paused: bool) -> None:
    between = Interval(-200.0, -300.0, -100.0)
    found = Incremental("personalised", "holdout", "", 10, between, between, level=0.95, arm_share=0.9)
    told = headline(found, "USD", is_paused=is_paused)
    assert told is not None
    assert ("pause Tillwise below" in told.says) is not is_paused


async def test_shop_that_serves_all_alike_is_told_so_and_not_that_nobody_came(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    everybody = [placed(n, {"standing": ("personalised=1", "personalised")}) for n in range(3)]
    await keep(connections, shop_row(), *everybody)
    told = figure(await opened(browser), "incremental-revenue")
    assert told == "– Everyone gets the same treatment, so there is no one to compare with."


def test_group_whose_shoppers_are_all_still_followed_is_told_for_how_long() -> None:
    assert untold_words(Refusal(Cause.EMPTY_ARM, "")) == (
        "It's too early to tell: Tillwise follows the visitors in each group for 14 days first."
    )


async def test_days_of_the_chart_end_with_what_the_first_page_says(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_experiment(connections, rates=(0.1, 0.6))
    told = (await browser.get("/admin/api/home/earned", headers=bearer())).json()["days"]
    assert len(told) == 14
    # All came twenty days ago, so their fourteen days were over six days ago and on no day before.
    assert [each["value"] is None for each in told] == [True] * 7 + [False] * 7
    assert told[-1]["low"] < told[-1]["value"] < told[-1]["high"]
    assert told[-1]["says"] in figure(await opened(browser), "incremental-revenue")


async def test_shop_without_shoppers_is_told_when_figures_come(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), imported("products"))
    page = await opened(browser)
    assert "Your results appear here once shoppers see offers" in page
    assert "data-figure" not in page  # no wall of dashes on the first day
    assert "data-earned" not in page
    assert 'data-do="first-closed" data-sure="Press again to hide this list for good"' in page
    days = (await browser.get("/admin/api/home/earned", headers=bearer())).json()["days"]
    assert {each["value"] for each in days} == {None}


async def test_shop_whose_answers_no_browser_told_of_is_not_told_that_nothing_happened(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), decision(0, checkout_token=None))
    page = await opened(browser)
    assert figure(page, "incremental-revenue") == "– No visitor that Tillwise may remember has come yet."
    assert figure(page, "conversion") == "– no checkout yet with consent to be remembered"
    assert figure(page, "aov") == "– no order yet from these checkouts"
    assert figure(page, "offers-shown") == "0 no browser has reported one yet"


async def test_a_shorter_limit_shortens_the_days_that_are_told_of(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(settings={"retention": {"decisions_days": 20, "feedback_days": 7}}))
    await keep_campaign(connections, ShopDomain(SHOP), a_campaign("winter"))
    assert "The last 7 days" in await opened(browser)
    assert "Of the last 7 days." in await opened(browser, "/admin/campaigns")


async def test_what_a_number_is_stands_beside_each(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    page, all_of_them = await opened(browser), await opened(browser, "/admin/definitions")
    shown = {name.replace("-", "_") for name in re.findall(r'data-figure="([a-z-]+)"', page)}
    assert shown <= DEFINITIONS.keys()
    for name in shown:
        assert f'<s-popover id="what-{name}">' in page
        assert str(DEFINITIONS[name].says).replace("'", "&#39;") in all_of_them


@pytest.mark.parametrize(
    ("locale", "tag", "direction", "says"),
    [
        ("de-CH", "de-CH", "ltr", "Zusätzlicher Umsatz"),
        ("ar", "ar", "rtl", "الإيراد الإضافي"),
        ("ja", "ja", "ltr", "増分売上"),
        ("tlh", "en", "ltr", "Incremental revenue"),
    ],
)
async def test_page_speaks_the_language_that_shopify_names(
    connections: Connections, browser: httpx.AsyncClient, locale: str, tag: str, direction: str, says: str
) -> None:
    await keep_busy_shop(connections)
    page = await opened(browser, locale=locale)
    assert f'<html lang="{tag}" dir="{direction}">' in page
    assert says in page


async def test_calls_answer_in_the_language_of_their_page(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), imported("products", loaded=1234))
    spoken = bearer() | {"Accept-Language": "de"}
    told = (await browser.get("/admin/api/progress", headers=spoken)).json()
    assert told["imports"][0]["says"] == "1.234 importiert"


async def test_a_shop_that_has_set_no_language_is_written_to_in_the_one_its_staff_read(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)

    async def read_in() -> object:
        shop = await get_shop(connections, SHOP)
        assert shop is not None
        return shop.settings.get(READ_IN)

    for tag in ("fr", "de"):
        await opened(browser, locale=tag)
        assert await read_in() == tag
    await change_setting(connections, SHOP, "locale", lambda _kept: "ja")
    await opened(browser, locale="fr")
    assert await read_in() == "de"


async def test_home_is_shown_where_nothing_can_be_written(
    connections: Connections, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise OSError("No space left on device")

    await keep_busy_shop(connections)
    monkeypatch.setattr("app.admin.pages.change_setting", full)
    await opened(browser, locale="fr")

"""The model's page and its calls."""

from __future__ import annotations

import httpx
import pytest

from app.admin.models_chart import curve
from app.admin.models_view import TERMS as WORDS
from app.admin.models_view import challenge, learnt_words, watch_words, weights
from app.connections import Connections, redis_key
from app.jobs import Progress, report_progress
from app.recommend.card import Difference
from app.recommend.drift import Bin
from app.recommend.publish import current_version
from app.recommend.terms import TERMS
from app.values import ShopDomain
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, shop_row
from tests.admin.model_factories import NOW, a_watch, full_card, keep_models, keep_watch


async def page(browser: httpx.AsyncClient, path: str = "/admin/model", shop: str = SHOP) -> str:
    address, query = entrance(path, shop)
    return (await browser.get(address, params=query)).text


async def test_the_page_shows_what_serves_beside_the_plain_models(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    _, serving = await keep_models(connections)
    shown = await page(browser)
    for words in (
        serving, "12,345", "40,000 lines", "between 0.192 and 0.210", "+0.145 (+0.137 to +0.154)",
        "Own repeats", "Nothing allowed: the cart alone", "Regulars", "Own repeats is better by 0.0100",
        "On 800 carts newer than both", "Bought with the cart",
        "In 40.2% of later orders, which the model had not seen, the shopper bought one of",
        "For the 4 best sellers it was 11.2%.",
    ):  # fmt: skip
        assert words in shown, words


async def test_figures_of_a_part_of_the_carts_say_of_how_many(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await keep_models(connections)
    first_orders = (await page(browser)).partition("First order")[2].partition("</s-table-row>")[0]
    assert "<s-table-cell>12</s-table-cell>" in first_orders


async def test_a_shop_without_a_model_is_told_what_comes(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    shown = await page(browser)
    assert "No model yet" in shown
    assert "Not looked at yet" in shown


async def test_what_fits_no_more_is_said_on_the_page_and_on_the_first_one(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await keep_models(connections)
    await keep_watch(connections, a_watch())
    shown = await page(browser)
    assert "No longer fits" in shown
    assert "2 measures of carts and offers have shifted; 50% of the expected acceptances happened" in shown
    assert "How sure the model is of its first offer" in shown
    assert "changed (PSI 0.31)" in shown
    assert "there is nothing you need to do" in shown
    assert "Of 1,000 offers shown in 7 days, 55 were accepted: 50% of what the 28 days before" in shown
    assert "The model no longer fits what your shoppers do" in await page(browser, "/")


async def test_one_click_lets_the_version_before_serve_again(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    before, serving = await keep_models(connections)
    assert f'data-version="{before}">Go back to' in await page(browser)
    answer = await browser.post("/admin/api/model/serve", json={"version": before}, headers=bearer())
    assert (answer.status_code, answer.json()) == (200, {"version": before})
    assert current_version(connections.settings.data_dir, ShopDomain(SHOP)) == before
    assert "Taken back" in await page(browser)
    assert f'data-version="{serving}"' in await page(browser)  # and forth again


@pytest.mark.parametrize(
    ("version", "status"), [("20200101T000000Z-no", 404), ("../other.myshopify.com", 404), (7, 400)]
)
async def test_what_is_no_version_of_the_shop_never_serves(
    connections: Connections, browser: httpx.AsyncClient, version: object, status: int
) -> None:
    await keep(connections, shop_row())
    _, serving = await keep_models(connections)
    answer = await browser.post("/admin/api/model/serve", json={"version": version}, headers=bearer())
    assert answer.status_code == status
    assert current_version(connections.settings.data_dir, ShopDomain(SHOP)) == serving


async def test_one_shop_can_not_let_another_ones_version_serve(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), shop_row(OTHER))
    before, _ = await keep_models(connections)
    answer = await browser.post("/admin/api/model/serve", json={"version": before}, headers=bearer(OTHER))
    assert answer.status_code == 404
    assert before not in await page(browser, shop=OTHER)


@pytest.mark.parametrize("path", ["/admin/api/model/train", "/admin/api/model/serve"])
async def test_a_call_without_a_session_token_changes_nothing(
    connections: Connections, browser: httpx.AsyncClient, path: str
) -> None:
    await keep(connections, shop_row())
    before, serving = await keep_models(connections)
    assert (await browser.post(path, json={"version": before})).status_code == 401
    assert (await browser.get(path, headers=bearer())).status_code == 405
    assert current_version(connections.settings.data_dir, ShopDomain(SHOP)) == serving


async def test_a_training_is_asked_for_and_followed(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await report_progress(connections, "train", SHOP, Progress("rejected", 1, 1))  # by the one before
    assert (await browser.post("/admin/api/model/train", json={}, headers=bearer())).status_code == 202
    told = (await browser.get("/admin/api/model/progress", headers=bearer())).json()
    assert (told["stage"], told["done"]) == ("asked", 0)
    assert await connections.redis.exists(redis_key(SHOP, "waiting", "train"))
    await report_progress(connections, "train", SHOP, Progress("testing", 2, 5))
    told = (await browser.get("/admin/api/model/progress", headers=bearer())).json()
    assert told == {"stage": "testing", "done": 2, "total": 5, "version": None}


def test_a_difference_that_may_be_chance_is_called_so() -> None:
    sure, unsure = Difference(-0.02, -0.03, -0.01, 50), Difference(0.01, -0.01, 0.03, 50)
    assert challenge(full_card(NOW, champion_difference=sure)).endswith("-0.020 (-0.030 to -0.010).")
    assert "0.020 worse" in challenge(full_card(NOW, champion_difference=sure))
    assert challenge(full_card(NOW, champion_difference=unsure)).endswith("That may be chance.")
    assert "too few newer carts" in challenge(full_card(NOW, champion_difference=None))


def test_a_version_that_went_on_says_when_it_was_trained_in_full() -> None:
    assert learnt_words(full_card(NOW)) == "Trained on Nov 24, 2026, 12:00\N{NO-BREAK SPACE}PM UTC"
    went_on = full_card(NOW, learnt_in_full_at=NOW.replace(day=20))
    assert learnt_words(went_on).endswith(
        "on Nov 24, 2026, 12:00\N{NO-BREAK SPACE}PM UTC, "
        "trained on Nov 20, 2026, 12:00\N{NO-BREAK SPACE}PM UTC"
    )


def test_every_term_of_a_score_has_words() -> None:
    shown = weights(full_card(NOW))
    assert [label for label, *_ in shown][:2] == ["Bought with the cart", "Bought before, lately more so"]
    assert set(WORDS) == set(TERMS)


def test_a_look_at_too_few_decisions_says_how_many_it_takes() -> None:
    few = a_watch(decisions=(12, 40), shifts=[], calibration=None, since=None)
    assert watch_words(few)[1:] == (
        "Too few to tell", "12 decisions in 7 days and 40 in the 28 before them; it takes 200 of each."
    )  # fmt: skip


def test_promises_that_hold_lie_on_the_line() -> None:
    # two bins: half way and the end, both as promised
    drawn = curve([Bin(10, 0.1, 0.1), Bin(10, 0.2, 0.2)])
    assert drawn.dots == ((110.0, 110.0), (208.0, 12.0))
    assert (drawn.ideal, drawn.most) == ((12.0, 208.0, 208.0, 12.0), "20.0%")

"""The built checkout extension in markets beside the shop's own: what it says is what is charged."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.extensions.checkout_world import THANK_YOU, CheckoutWorld, answer, offers_ahead, product_offer


@pytest.mark.parametrize(
    ("country", "locale", "price", "total"),
    [
        ("CA", "fr-CA", r"5,95\s\$", "CA$10.84"),  # 4.25 x 1.4 = 5.95; beside milk at 4.89
        ("EC", "en", r"\$4\.59", "$8.36"),  # 4.25 x 1.08 = 4.59; beside milk at 3.77
    ],
)
def test_the_price_is_the_markets_and_so_is_what_is_charged(
    page: Page, world: CheckoutWorld, country: str, locale: str, price: str, total: str
) -> None:
    world.app.body = answer(product_offer(world, 102))
    frame = world.open(page, country=country, locale=locale)
    expect(frame.get_by_text(re.compile(price))).to_be_visible()
    assert world.app.asked[0]["cart"]["currency"] == ("CAD" if country == "CA" else "USD")
    frame.get_by_role("button").first.click()
    expect(page.locator(".sums .total").last).to_contain_text(total)


def test_a_price_that_comes_after_its_offer_moves_nothing(page: Page, world: CheckoutWorld) -> None:
    offers_ahead(world, 102)
    page.route("**/api/2026-07/graphql.json", lambda route: route.abort())
    frame = world.open(page, country="CA")
    expect(frame.get_by_text("Sourdough Loaf")).to_be_visible()
    before = frame.get_by_text("Sourdough Loaf").bounding_box()
    assert frame.get_by_text("5.95").count() == 0
    page.unroute("**/api/2026-07/graphql.json")
    frame = world.open(page, country="CA")
    expect(frame.get_by_text("CA$5.95")).to_be_visible()
    assert frame.get_by_text("Sourdough Loaf").bounding_box() == before


def test_after_the_order_the_price_is_still_the_markets(page: Page, world: CheckoutWorld) -> None:
    world.app.body = answer(product_offer(world, 103), product_offer(world, 102))
    frame = world.open(page, THANK_YOU, country="EC")
    expect(frame.get_by_text("$4.59")).to_be_visible()  # the coffee is not sold there
    expect(frame.get_by_text("Ground Coffee")).to_be_hidden()

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.admin.onboarding import Journey, checkout_editor, steps, theme_editor
from app.admin.store import Health, Import, Model
from app.connections import Connections
from app.consent.policy import RegionPolicy, ShopPolicy
from app.shops.store import get_shop
from app.values import ShopDomain
from tests.admin.factories import SHOP, bearer, entrance, imported, keep, keep_busy_shop, shop_row

NOW = datetime(2026, 11, 25, tzinfo=UTC)
IN = [Import(kind, "done", 12, 12) for kind in ("products", "customers", "orders")]
POLICY = ShopPolicy("v1", {"DE": RegionPolicy(True), "FR": RegionPolicy(True), "US": RegionPolicy(False)})
MODEL = Model("v7", NOW, 1234, {"tillwise": {"hit_at_4": 0.4}}, "better")
HEARD = Health(parked_webhooks=0, ever_decided=True, orders=1234, has_pixel=True)


def journey(**changes: Any) -> Journey:
    """Return a shop that just installed the app, and is empty."""
    empty = Health(parked_webhooks=0, ever_decided=False, orders=0, has_pixel=True)
    waiting = [Import("products", "waiting")]
    new = Journey(ShopDomain(SHOP), "key", waiting, empty, None, ShopPolicy(), 0.05, {})
    return replace(new, **changes)


async def home(browser: httpx.AsyncClient) -> str:
    address, query = entrance("/")
    return " ".join((await browser.get(address, params=query)).text.split())


def test_empty_shop_has_installed_and_nothing_else() -> None:
    found = steps(journey())
    assert [step.name for step in found if step.done] == ["install"]
    assert "Until that's done, nothing that needs consent is used" in found[2].text
    assert "Training starts once your orders are imported" in found[3].text
    assert [step.name for step in found if step.by_itself] == ["import", "consent", "model"]
    assert "Add the Tillwise block" in found[4].text


def test_while_the_first_model_is_trained_nobody_is_promised_best_sellers() -> None:
    told = steps(journey(imports=IN, health=HEARD))[3]
    assert "Tillwise offers the products you pinned, or else new ones" in told.text  # see app.offers.static
    assert "There are no orders to learn from yet" in steps(journey(imports=IN))[3].text


def test_shop_without_a_holdout_is_not_told_that_some_see_nothing() -> None:
    some, nobody = (steps(journey(holdout=share))[5] for share in (0.05, 0.0))
    assert (some.heading, some.text[:21]) == ("Why some visitors see nothing", "5% of your visitors, ")
    assert (nobody.heading, nobody.text[:19]) == ("All visitors see offers", "Nobody is held out,")
    assert nobody.action == some.action


def test_each_step_is_done_by_what_there_is() -> None:
    found = steps(journey(imports=IN, policy=POLICY, model=MODEL, health=HEARD, marks={"holdout": True}))
    assert [step.name for step in found if not step.done] == ["preview"]
    assert "Visitors in 2 regions are asked for consent first" in found[2].text  # of three, one does not ask
    assert "In 40.0% of later orders" in found[3].text
    assert "Add the Tillwise block" not in found[4].text


@pytest.mark.parametrize("marks", [{"closed": True}, {"holdout": True, "preview": True}])
def test_list_goes_when_all_is_done_or_the_merchant_puts_it_away(marks: dict[str, bool]) -> None:
    assert steps(journey(imports=IN, policy=POLICY, model=MODEL, health=HEARD, marks=marks)) == []


def test_links_lead_into_shopifys_editors_of_this_shop() -> None:
    assert checkout_editor(ShopDomain(SHOP), "thank-you", "k&y") == (
        "https://admin.shopify.com/store/acme/settings/checkout/editor?page=thank-you&context=apps&app=k%26y"
    )
    assert theme_editor(ShopDomain(SHOP), "key") == (
        f"https://{SHOP}/admin/themes/current/editor?context=apps&activateAppId=key/embed"
    )


async def test_merchant_ticks_a_step_off_and_puts_the_list_away(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), imported("products"))
    assert "Understood" in await home(browser)
    for step in ("holdout", "closed"):
        answer = await browser.post("/admin/api/onboarding", json={"step": step}, headers=bearer())
        assert answer.json() == {"step": step}
        assert ("First steps" in await home(browser)) is (step == "holdout")
    assert "Understood" not in await home(browser)
    shop = await get_shop(connections, SHOP)
    assert shop
    assert shop.settings["onboarding"] == {"holdout": True, "closed": True}


@pytest.mark.parametrize("body", [{}, {"step": "install"}, {"step": "holdout", "more": 1}, []])
async def test_step_that_nobody_can_tick_off_is_refused(
    connections: Connections, browser: httpx.AsyncClient, body: Any
) -> None:
    await keep(connections, shop_row())
    assert (await browser.post("/admin/api/onboarding", json=body, headers=bearer())).status_code == 400


async def test_first_offer_is_shown_from_what_the_shop_sells(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    shown = (await browser.post("/admin/api/onboarding/preview", headers=bearer())).json()
    assert shown["title"] in ("Butter", "Rye bread")
    assert (shown["price"], shown["cart"], shown["why"]) == ("$4.50", None, "New in your shop")
    shop = await get_shop(connections, SHOP)
    assert shop
    assert shop.settings["onboarding"] == {"preview": True}


async def test_shop_that_sells_nothing_has_no_first_offer_and_the_step_stays(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    assert (await browser.post("/admin/api/onboarding/preview", headers=bearer())).json() == {}
    shop = await get_shop(connections, SHOP)
    assert shop
    assert "onboarding" not in shop.settings

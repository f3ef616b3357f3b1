"""The browser host in a real browser: a bundle in a sandboxed frame and worker, and a pixel beside it."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
from playwright.sync_api import Page, expect

from devstore.pages.builds import EXTENSION
from devstore.records import Metafield, gid
from tests.devstore.browser_world import World, open_checkout, until
from tests.devstore.small_shop import NOW, SECRET


def test_the_extension_sees_the_checkout_through_the_shopify_global(page: Page, world: World) -> None:
    frame = open_checkout(page, world, "customer=7&consent=analytics")
    for text in ("1 line", "$3.49", "gid://shopify/Customer/7", "gpc undefined", "no code"):
        expect(frame.get_by_text(text, exact=True)).to_be_visible()
    expect(frame.get_by_role("heading", name="Test")).to_be_visible()
    expect(frame.get_by_role("button", name="Busy")).to_be_disabled()


def test_neighbours_that_come_and_go_at_once_end_up_where_they_belong(page: Page, world: World) -> None:
    crowd = open_checkout(page, world).get_by_label("Crowd")
    members = crowd.locator("s-heading, s-text")
    expect(members).to_have_text(["first", "one", "two", "three", "four"])
    crowd.get_by_role("button", name="Move").click()
    expect(members).to_have_text(["four", "five", "two"])
    crowd.get_by_role("button", name="Move").click()
    expect(members).to_have_text(["first", "one", "six"])


def test_a_line_change_goes_to_the_dev_store_and_comes_back_as_signals(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Add coffee").click()
    expect(frame.get_by_text("2 lines")).to_be_visible()
    expect(frame.get_by_text("$12.48")).to_be_visible()
    expect(page.locator(".sums .total").last).to_contain_text("$12.48")  # the page's own summary too
    assert world.checkout.lines[1].attributes == (("_tillwise_decision", "d1"),)


def test_a_refused_change_tells_the_extension_why(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Add ice cream").click()
    expect(frame.get_by_text("Mint Ice Cream is sold out.")).to_be_visible()
    expect(frame.get_by_text("1 line", exact=True)).to_be_visible()


def test_a_discount_code_changes_the_cost_of_every_line(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Discount").click()
    expect(frame.get_by_text("TENTH")).to_be_visible()
    expect(frame.get_by_text("$3.14")).to_be_visible()  # 3.49 less a tenth


def test_the_app_is_called_from_no_origin_with_a_session_token(page: Page, world: World) -> None:
    frame = open_checkout(page, world, "customer=7&consent=all")
    frame.get_by_role("button", name="Offer").click()
    expect(frame.get_by_text("Something good")).to_be_visible()
    _, headers, body = next(sent for sent in world.backend.sent if sent[0] == "/api/personalize")
    assert headers["origin"] == "null"
    assert body == {"cart": ["gid://shopify/Product/1"]}
    token = headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="the-key")
    assert (claims["dest"], claims["sub"]) == (world.shop.domain, "gid://shopify/Customer/7")


def test_the_storefront_api_is_asked_only_with_the_capability(
    page: Page, world: World, tmp_path: Path
) -> None:
    declared = tmp_path / EXTENSION / "shopify.extension.toml"
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Price").click()
    expect(frame.get_by_text("needs the capability api_access")).to_be_visible()
    declared.write_text(declared.read_text().replace("network_access", "api_access"))
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Price").click()
    expect(frame.get_by_text("costs 3.49")).to_be_visible()


def test_the_network_is_there_only_with_the_capability(page: Page, world: World, tmp_path: Path) -> None:
    declared = tmp_path / EXTENSION / "shopify.extension.toml"
    declared.write_text(declared.read_text().replace("network_access", "api_access"))
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Offer").click()
    expect(frame.get_by_text("needs the capability network_access").first).to_be_visible()
    assert "/api/personalize" not in [path for path, *_ in world.backend.sent]


def test_an_extension_is_told_the_metafields_that_it_declares(page: Page, world: World) -> None:
    installed = world.shop.installation
    assert installed is not None
    for key in ("offers", "undeclared"):
        made = Metafield(1, gid("Shop", world.shop.id), "$app", key, "json", "{}", NOW, NOW)
        installed.metafields[made.owner, made.namespace, key] = made
    frame = open_checkout(page, world)
    expect(frame.get_by_text("metafields offers {}", exact=True)).to_be_visible()
    frame.get_by_role("button", name="Add coffee").click()
    expect(frame.get_by_text("2 lines")).to_be_visible()
    expect(frame.get_by_text("metafields offers {}", exact=True)).to_be_visible()


def test_storage_keeps_what_the_extension_writes(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Remember").click()
    expect(frame.get_by_text("stored 2")).to_be_visible()


def test_the_extension_gets_neither_the_pages_cookies_nor_its_document(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    expect(frame.get_by_text("no cookies")).to_be_visible()
    assert page.frames[1].evaluate("self.origin") == "null"


def test_the_pixel_gets_standard_and_custom_events_in_shopifys_envelope(page: Page, world: World) -> None:
    frame = open_checkout(page, world)
    frame.get_by_role("button", name="Offer").click()
    until(lambda: "tillwise:offer_shown" in [event["name"] for event in world.backend.events()])
    events = {event["name"]: event for event in world.backend.events()}
    assert {"page_viewed", "checkout_started"} <= events.keys()
    assert events["tillwise:offer_shown"]["customData"] == {"title": "Something good"}
    assert [events[n]["type"] for n in ("page_viewed", "tillwise:offer_shown")] == ["standard", "custom"]
    assert len({event["clientId"] for event in events.values()}) == 1
    assert len({event["id"] for event in events.values()}) == len(events)
    assert events["page_viewed"]["page"] == "Checkout · Corner"
    _, headers, _ = next(sent for sent in world.backend.sent if sent[0] == "/api/track_event")
    assert (headers["origin"], headers["authorization"]) == ("null", "Bearer pk_1")


def test_the_pixel_waits_for_consent_and_then_gets_what_it_missed(page: Page, world: World) -> None:
    page.goto(f"{world.url}/products/whole-milk?country=DE")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    assert world.backend.events() == []
    page.get_by_label("Analytics").check()
    page.get_by_role("button", name="Save choices").click()
    until(lambda: len(world.backend.events()) == 3)
    names = {event["name"] for event in world.backend.events()}
    assert names == {"page_viewed", "product_viewed", "product_added_to_cart"}
    assert world.backend.events()[0]["allowed"] == {
        "analyticsProcessingAllowed": True,
        "marketingAllowed": False,
        "preferencesProcessingAllowed": False,
        "saleOfDataAllowed": False,
    }


def test_where_no_policy_asks_first_the_pixel_runs_at_once(page: Page, world: World) -> None:
    page.goto(f"{world.url}/storefront?country=US")
    until(lambda: [event["name"] for event in world.backend.events()] == ["page_viewed"])
    assert set(world.backend.events()[0]["allowed"].values()) == {True}


def test_a_visitor_who_declines_is_not_followed(page: Page, world: World) -> None:
    page.goto(f"{world.url}/storefront?country=DE")
    page.get_by_role("button", name="Decline").click()
    page.goto(f"{world.url}/products/whole-milk")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    assert page.locator("body > iframe").count() == 0
    assert world.backend.events() == []


def test_paying_makes_an_order_and_the_thank_you_page_changes_nothing(page: Page, world: World) -> None:
    open_checkout(page, world)
    page.get_by_label("E-mail").fill("somebody@example.com")
    page.get_by_role("button", name="Pay now").click()
    page.wait_for_url("**/thank-you*")
    (order,) = world.shop.orders.values()
    assert (order.email, order.checkout_token) == ("somebody@example.com", "ck")
    frame = page.frame_locator("[data-extension-target] iframe")
    expect(frame.get_by_text(f"gid://shopify/Order/{order.id} change:undefined")).to_be_visible()
    until(lambda: "checkout_completed" in [event["name"] for event in world.backend.events()])


def test_an_extension_that_throws_is_named_on_the_page_and_the_sale_goes_on(
    page: Page, world: World, tmp_path: Path
) -> None:
    broken = tmp_path / EXTENSION / "dist" / f"{EXTENSION}.js"
    broken.write_text(
        "shopify.extend('purchase.checkout.block.render', () => { throw new Error('no luck'); });"
    )
    page.goto(f"{world.url}/checkout/ck")
    place = page.locator("[data-extension-target]")
    expect(place).to_have_attribute("data-failed", "Uncaught Error: no luck")
    expect(page.get_by_role("button", name="Pay now")).to_be_enabled()


def test_app_bridge_gives_the_embedded_app_fresh_tokens_and_signs_its_calls(page: Page, world: World) -> None:
    page.goto(f"{world.url}/admin?shop={world.shop.domain}&path=/app")
    expect(page.frame_locator("iframe[data-app]").get_by_text("Something good")).to_be_visible()
    _, headers, asked = next(sent for sent in world.backend.sent if sent[0] == "/own")
    _, _, opened = next(sent for sent in world.backend.sent if sent[0] == "document")
    signed = headers["authorization"].removeprefix("Bearer ")
    for token in (asked, signed, opened["id_token"]):
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="the-key")
        assert claims["dest"] == f"https://{world.shop.domain}"
    assert len({asked, signed, opened["id_token"]}) == 3


def test_a_bounce_page_is_left_for_the_address_it_names_with_a_new_token(page: Page, world: World) -> None:
    page.goto(f"{world.url}/admin?path=/bounce%3Fshopify-reload%3D/app")
    expect(page.frame_locator("iframe[data-app]").get_by_role("heading", name="App")).to_be_visible()
    _, _, opened = next(sent for sent in world.backend.sent if sent[0] == "document")
    claims = jwt.decode(opened["id_token"], SECRET, algorithms=["HS256"], audience="the-key")
    assert claims["iss"] == f"https://{world.shop.domain}/admin"


@pytest.mark.parametrize(
    ("button", "says"),
    [
        ("Replay", '"left":0'),
        ("Sell out", '"available":0'),
        ("Save", '"cost_minor":100'),
        ("Set", '"duplicate":0.5'),
        ("Uninstall Tillwise", '"installed":false'),
    ],
)
def test_each_button_of_the_panel_does_what_it_says(page: Page, world: World, button: str, says: str) -> None:
    page.goto(world.url)
    page.get_by_label("Duplicate").fill("0.5")
    form = page.locator("form[data-control]").filter(has=page.get_by_role("button", name=button))
    form.get_by_role("button", name=button).click()
    expect(form.locator("output")).to_contain_text(says)
    expect(form).to_have_attribute("data-outcome", "done")

"""The campaigns pages, in Chromium against the real routes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from app.campaigns.store import all_campaigns, get_campaign
from app.connections import Connections
from tests.admin.campaign_factories import keep_campaigns, keep_learnt
from tests.admin.factories import SHOP, keep, product, shop_row
from tests.admin.segment_factories import keep_segments
from tests.admin.test_in_browser import DESKTOP, PHONE, ROOT, opened, served
from tests.admin.test_markup import ABOUT, CAMPAIGNS

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NAME = "10 % for hesitant buyers"
# What Shopify's own stand-ins around a page have, and the admin's frame brings.
FRAMES_OWN = ["region", "page-has-heading-one", "landmark-one-main"]


async def violations(page: Page) -> list[Any]:
    await page.evaluate(AXE.read_text())
    rules = {rule: {"enabled": False} for rule in FRAMES_OWN}
    found = await page.evaluate("(rules) => axe.run(document, {rules, resultTypes: ['violations']})", rules)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]


async def test_a_newcomer_sets_up_ten_percent_for_hesitant_buyers_above_eighty(
    connections: Connections,
) -> None:
    await keep_segments(connections)
    await keep(connections, shop_row(scopes="write_discounts"))
    async with served(connections) as url, opened(url, "/admin/campaigns", DESKTOP) as page:
        await page.get_by_role("link", name="Create a campaign").click()
        await page.get_by_role("link", name="A discount, with a code for each shopper").click()
        await page.get_by_label("Name, for you").fill(NAME)
        await page.get_by_label("Percent", exact=True).fill("10")
        await page.get_by_label("Value (USD)").fill("80")
        await page.get_by_role("button", name="Add a condition").click()
        second = page.locator("[data-row]").nth(1)
        await second.get_by_label("What", exact=True).select_option(label="The customer's segments")
        await second.get_by_label("Choose", exact=True).select_option(label="hesitant buyers")
        says = "The cart's subtotal is above $80.00 and one or more of “hesitant buyers” are among"
        await expect(page.locator("[data-says]")).to_contain_text(says)
        await expect(page.locator("[data-shows]")).to_have_text("10% off, for 1 day")
        await page.get_by_role("button", name="Save and start").click()
        await page.get_by_role("button", name=f"Pause {NAME}").wait_for()
    (kept,) = await all_campaigns(connections, SHOP)
    assert kept.status == "running"
    assert kept.campaign.rule == {
        "and": [
            {">": [{"var": "cart.subtotal"}, 80]},
            {"some": [{"var": "profile.segments"}, {"in": [{"var": ""}, ["hesitant_buyers"]]}]},
        ]
    }


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(connections: Connections) -> None:
    await keep(connections, shop_row())
    async with (
        served(connections) as url,
        opened(url, "/admin/campaigns/edit", DESKTOP, kind="coupon") as page,
    ):
        await page.get_by_role("button", name="Save for later").click()
        await page.get_by_text("3 things are still to be put right.").wait_for()
        await expect(page.get_by_label("Name, for you")).to_be_focused()
        await expect(page.get_by_label("Name, for you")).to_have_accessible_description(
            "Give it a name of up to 100 characters, to know it by"
        )
        await expect(page.get_by_label("Value (USD)")).to_have_accessible_description("Fill this in")
        assert await violations(page) == []
        await page.get_by_label("They see").select_option(label="Progress bar")
        await expect(page.get_by_label("What it leads to")).to_have_accessible_description(
            "It decides what they read at the amount: that shipping is free, or that they have reached it."
        )
    assert await all_campaigns(connections, SHOP) == []


async def press_again(page: Page) -> None:
    """Have whatever saves be pressed again after a button was, some times, as an impatient finger does."""
    await page.evaluate("""() => {
      const buttons = [...document.querySelectorAll('s-button')];
      const saves = buttons.filter(({textContent}) => textContent.startsWith('Save'));
      let left = 5;
      const again = new MutationObserver(() => left-- > 0 && saves.forEach((button) => button.click()));
      for (const button of saves) again.observe(button, {attributeFilter: ['disabled']});
    }""")


async def test_who_presses_again_while_the_next_page_comes_makes_no_second_campaign(
    connections: Connections,
) -> None:
    await keep(connections, shop_row())
    new = {"kind": "banner"}
    async with served(connections) as url, opened(url, "/admin/campaigns/edit", DESKTOP, **new) as page:
        await page.get_by_label("Name, for you").fill("Welcome")
        await page.get_by_role("button", name="Remove this condition").click()
        await press_again(page)
        await page.get_by_role("button", name="Save for later").click()
        await page.get_by_role("button", name="Start Welcome").wait_for()
    assert [each.campaign.name for each in await all_campaigns(connections, SHOP)] == ["Welcome"]


async def test_a_campaign_is_moved_and_stopped_by_the_keyboard(connections: Connections) -> None:
    await keep_campaigns(connections, scopes="write_discounts")
    async with served(connections) as url, opened(url, "/admin/campaigns", DESKTOP) as page:
        await page.get_by_role("button", name="Look at 10% for loyal customers earlier").press("Enter")
        await page.locator("s-section:first-of-type [data-campaign=loyal-thanked]").wait_for()
        later = page.get_by_role("button", name="Look at 10% for loyal customers later")
        await expect(later).to_be_focused()  # at the top there is no earlier any more
        await page.get_by_role("button", name="Stop 10% for loyal customers").press("Enter")
        await page.get_by_role("button", name="Start again 10% for loyal customers").wait_for()
    assert (await get_campaign(connections, SHOP, "loyal-thanked")).status == "stopped"


async def test_a_draft_is_removed_with_a_second_press(connections: Connections) -> None:
    await keep_campaigns(connections, scopes="write_discounts")
    async with served(connections) as url, opened(url, "/admin/campaigns", DESKTOP) as page:
        await expect(page.get_by_role("button", name="Remove the draft")).to_have_count(1)
        await page.get_by_role("button", name="Remove the draft Winter").press("Enter")
        assert len(await all_campaigns(connections, SHOP)) == 3
        await page.get_by_role("button", name="Remove the draft Winter").press("Enter")
        await page.locator("[data-campaign=winter]").wait_for(state="detached")
    assert {each.campaign.id for each in await all_campaigns(connections, SHOP)} == {
        "loyal-thanked", "free-shipping",
    }  # fmt: skip


async def test_a_campaign_is_dragged_to_its_place(connections: Connections) -> None:
    await keep_campaigns(connections, scopes="write_discounts")
    tall = {"width": 1200, "height": 1600}  # all of them in sight
    async with served(connections) as url, opened(url, "/admin/campaigns", tall) as page:
        free, winter, loyal = (
            page.locator(f"[data-campaign={name}]") for name in ("free-shipping", "winter", "loyal-thanked")
        )
        await free.locator(".grip").drag_to(winter, target_position={"x": 200, "y": 4})
        await page.locator("s-section:first-of-type [data-campaign=free-shipping]").wait_for()
        await page.wait_for_load_state("load")
        height = (await loyal.bounding_box() or {})["height"]
        await free.locator(".grip").drag_to(loyal, target_position={"x": 200, "y": height - 4})
        await page.locator("s-section:first-of-type [data-campaign=winter]").wait_for()
    kept = await all_campaigns(connections, SHOP)
    assert [each.campaign.id for each in kept] == ["winter", "loyal-thanked", "free-shipping"]


async def test_products_are_chosen_in_shopifys_own_dialogue(connections: Connections) -> None:
    await keep(connections, shop_row(), *product(7, "Match"), *product(8, "Wick"))
    about = {"kind": "upsell"}
    async with served(connections) as url, opened(url, "/admin/campaigns/edit", DESKTOP, **about) as page:
        await page.evaluate(
            """() => {
              window.asked = [];
              shopify.resourcePicker = async (asked) => {
                const picked = [7, 8].map((each) => ({id: `gid://shopify/Product/${each}`}));
                return window.asked.push(asked) < 3 ? picked : null;
              };
            }"""
        )
        await page.get_by_label("Name, for you").fill("Goes with it")
        offered = page.locator("[data-of=upsell]")
        for _ in range(3):  # the last time nothing is chosen, and what was chosen stays
            await offered.get_by_role("button", name="Choose in Shopify").click()
        await expect(page.get_by_label("Products, by their numbers")).to_have_value("7, 8")
        await expect(page.get_by_label("Products, by their numbers")).to_have_accessible_description(
            "Match and Wick"
        )
        first, again, _ = await page.evaluate("window.asked.splice(0)")
        condition = page.locator("[data-row]").first
        await condition.get_by_label("What", exact=True).select_option("The products in the cart")
        await condition.get_by_role("button", name="Choose in Shopify").click()
        says = "One or more of “Match”, “Wick” are among the products in the cart."
        await expect(page.locator("[data-says]")).to_have_text(says)
        await expect(page.locator("[data-shows]")).to_have_text("Match and Wick")
        for_row = {"type": "product", "multiple": True, "selectionIds": []}
        assert await page.evaluate("window.asked") == [for_row]
        assert first == {"type": "product", "multiple": 3, "selectionIds": []}
        assert [each["id"] for each in again["selectionIds"]] == [
            "gid://shopify/Product/7", "gid://shopify/Product/8",
        ]  # fmt: skip
        await page.get_by_role("button", name="Save for later").click()
        await page.get_by_role("button", name="Start Goes with it").wait_for()
    (kept,) = await all_campaigns(connections, SHOP)
    assert kept.campaign.offer.product_ids == (7, 8)


async def test_without_the_permission_it_starts_and_says_that_nobody_gets_a_code(
    connections: Connections,
) -> None:
    await keep_campaigns(connections)
    async with served(connections) as url, opened(url, "/admin/campaigns", DESKTOP) as page:
        await page.evaluate("window.agreed = 'declined-all'")
        await page.evaluate(
            "window.shopify.toast.show = (message) => sessionStorage.setItem('said', message)"
        )
        await page.get_by_role("button", name="Start Winter").click()
        await page.get_by_role("button", name="Pause Winter").wait_for()
        said = await page.evaluate("sessionStorage.getItem('said')")
    assert said == "Started, but without the permission to make discount codes nobody gets one."


async def test_a_rule_is_changed_between_conditions_and_json(connections: Connections) -> None:
    await keep_campaigns(connections)
    about = {"id": "loyal-thanked"}
    async with (
        served(connections) as url,
        opened(url, "/admin/campaigns/edit", DESKTOP, **about) as page,
    ):
        await expect(page.locator("[data-says]")).to_contain_text("at least 4")
        await page.get_by_role("button", name="Write it as JSON").click()
        rule = page.get_by_label("Rule as JSON")
        assert '"profile.orders"' in await rule.input_value()
        await rule.fill('{">": [{"var": "cart.subtotl"}, 80]}')
        await page.get_by_text("did you mean cart.subtotal?").wait_for()
        await rule.fill('{">": [{"var": "cart.subtotal"}, {"*": [{"var": "profile.aov"}, 2]}]}')
        await expect(page.locator("[data-says]")).to_contain_text("above the customer's average order × 2")
        await page.get_by_role("button", name="Save and apply now").click()
        await page.get_by_text("the customer's average order × 2").wait_for()


@pytest.mark.parametrize("path", CAMPAIGNS)
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_nothing(connections: Connections, path: str, viewport: dict[str, int]) -> None:
    await keep_campaigns(connections)
    await keep_learnt(connections)
    async with served(connections) as url, opened(url, path, viewport, **ABOUT.get(path, {})) as page:
        if path.endswith("edit"):
            await page.locator("summary").click()
            await expect(page.locator("[data-says]")).to_contain_text("at least 4")
        assert await violations(page) == []


async def test_what_was_changed_in_the_json_is_dropped_only_at_a_second_press(
    connections: Connections,
) -> None:
    await keep_campaigns(connections)
    there = "/admin/campaigns/edit"
    async with served(connections) as url, opened(url, there, DESKTOP, id="loyal-thanked") as page:
        as_json = page.get_by_role("button", name="Write it as JSON")
        as_conditions = page.get_by_role("button", name="Write it as conditions")
        await page.get_by_text("In words").wait_for()
        await as_json.click()
        await as_conditions.click()  # nothing was changed, so nothing is lost
        await as_json.click()
        await page.get_by_label("Rule as JSON").fill('{">": [{"var": "cart.subtotal"}, 99]}')
        await as_conditions.click()
        await page.get_by_role("button", name="Drop what the JSON says").click()
        await as_json.wait_for()

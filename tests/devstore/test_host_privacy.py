"""Customer privacy in a real browser: the visitor's word, the policy of the region, GPC, who hears of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from devstore.pages.builds import EXTENSION
from tests.devstore.browser_world import World, open_checkout, until

NOTHING = dict.fromkeys(("analytics", "marketing", "preferences", "saleOfData"), False)
EVERYTHING = dict.fromkeys(NOTHING, True)


def privacy_shown(frame: FrameLocator) -> dict[str, Any]:
    """Return what the extension says of its customerPrivacy."""
    shown: dict[str, Any] = json.loads(frame.get_by_text('{"said"').inner_text())
    return shown


@pytest.mark.parametrize(
    ("query", "said", "allowed", "region", "sale"),
    [
        ("country=DE", {}, NOTHING, {"countryCode": "DE"}, False),
        ("country=US", {}, EVERYTHING, {"countryCode": "US"}, False),
        ("country=US&province=CA", {}, EVERYTHING, {"countryCode": "US", "provinceCode": "CA"}, True),
        ("country=US&province=NY", {}, EVERYTHING, {"countryCode": "US", "provinceCode": "NY"}, False),
        ("country=JP", {}, EVERYTHING, {"countryCode": "JP"}, False),
        ("country=DE&consent=all", EVERYTHING, EVERYTHING, {"countryCode": "DE"}, False),
        ("country=US&consent=none", NOTHING, NOTHING, {"countryCode": "US"}, False),
        (
            "country=US&consent=analytics",
            NOTHING | {"analytics": True},
            NOTHING | {"analytics": True},
            {"countryCode": "US"},
            False,
        ),
        ("country=US&gpc=1", {}, EVERYTHING | {"saleOfData": False}, {"countryCode": "US"}, False),
    ],
)
def test_no_answer_yet_is_settled_by_the_regions_policy(
    page: Page, world: World, query: str, said: Any, allowed: Any, region: Any, sale: bool
) -> None:
    shown = privacy_shown(open_checkout(page, world, query))
    assert shown == {"said": said, "allowed": allowed, "region": region, "banner": not said, "sale": sale}


def test_the_browsers_signal_is_reported_by_page_extension_and_pixel(page: Page, world: World) -> None:
    frame = open_checkout(page, world, "gpc=1&consent=all")
    expect(frame.get_by_text("gpc true")).to_be_visible()
    assert page.evaluate("navigator.globalPrivacyControl") is True
    until(lambda: world.backend.events())
    assert {event["gpc"] for event in world.backend.events()} == {True}
    page.goto(f"{world.url}/storefront")  # the visitor's browser is the same on the next page
    assert page.evaluate("navigator.globalPrivacyControl") is True


def test_an_extension_changes_what_it_names_of_the_visitors_consent(page: Page, world: World) -> None:
    frame = open_checkout(page, world, "country=DE")
    frame.get_by_role("button", name="Agree in part").click()
    expect(frame.get_by_text("consent kept")).to_be_visible()
    shown = privacy_shown(frame)
    assert shown["said"] == {"analytics": True, "marketing": False}
    assert shown["allowed"] == NOTHING | {"analytics": True}
    assert shown["banner"] is False
    until(lambda: world.backend.events())  # the pixel, which waited for analytics, runs
    (cookie,) = (c for c in page.context.cookies() if c["name"] == "devstore_consent")
    assert cookie["value"] == "_a1m0"
    page.goto(f"{world.url}/storefront")
    expect(page.get_by_role("region", name="Privacy")).to_be_hidden()
    page.get_by_role("button", name="Privacy choices").click()
    expect(page.get_by_label("Analytics")).to_be_checked()
    expect(page.get_by_label("Marketing")).not_to_be_checked()


def test_a_choice_in_the_checkouts_banner_reaches_extension_and_pixel(page: Page, world: World) -> None:
    frame = open_checkout(page, world, "country=DE&consent=all")
    until(lambda: world.backend.events())
    page.get_by_role("button", name="Privacy choices").click()
    page.get_by_role("button", name="Decline").click()
    expect(frame.get_by_text('"allowed":{"analytics":false')).to_be_visible()
    until(lambda: world.backend.events()[-1]["name"] == "consent")
    assert set(world.backend.events()[-1]["allowed"].values()) == {False}


def test_without_the_capability_consent_can_not_be_changed(page: Page, world: World, tmp_path: Path) -> None:
    (tmp_path / EXTENSION / "shopify.extension.toml").unlink()
    frame = open_checkout(page, world, "country=DE")
    frame.get_by_role("button", name="Agree in part").click()
    expect(frame.get_by_text("needs the capability collect_buyer_consent")).to_be_visible()
    assert privacy_shown(frame)["said"] == {}


def test_a_consent_change_of_an_unknown_type_is_refused(page: Page, world: World) -> None:
    frame = open_checkout(page, world, "country=DE")
    frame.get_by_role("button", name="Ask for the impossible").click()
    expect(frame.get_by_text("There is no consent change of type changeMind.")).to_be_visible()
    assert privacy_shown(frame)["said"] == {}

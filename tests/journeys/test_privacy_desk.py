"""A merchant answers what customers ask for, from the webhook to the receipt, in the dev store's admin."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from devstore.demo import DOMAIN
from tests.journeys.small_stage import SmallStage

PEOPLE, RULES = "/admin/privacy/people", "/admin/privacy/rules"


@pytest.fixture(scope="module")
def stage(changed_stage: SmallStage) -> SmallStage:
    return changed_stage


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1400, "height": 1000}) as context:
        yield context.new_page()


def tell(stage: SmallStage, topic: str, customer_id: int) -> None:
    """Have Shopify send the privacy topic about the customer."""
    body = {"topic": topic, "id": customer_id}
    answer = httpx.post(f"{stage.store_url}/control/webhook", json=body, timeout=30)
    answer.raise_for_status()


def opened(page: Page, stage: SmallStage, path: str) -> FrameLocator:
    page.goto(f"{stage.store_url}/admin?shop={DOMAIN}&path={path}")
    return page.frame_locator("iframe[data-app]")


def opened_once(
    page: Page, stage: SmallStage, path: str, shows: Callable[[FrameLocator], int]
) -> FrameLocator:
    """Open the page again and again until the worker has come so far that it shows something."""
    for _ in range(60):
        frame = opened(page, stage, path)
        expect(frame.get_by_role("heading", name="Privacy")).to_be_visible()
        if shows(frame):
            return frame
        page.wait_for_timeout(500)
    raise AssertionError(f"{path} never shows it:\n{stage.log[-2000:]}")


def saved(page: Page, frame: FrameLocator, button: str) -> Path:
    with page.expect_download() as downloading:
        frame.get_by_role("button", name=button).first.click()
    return downloading.value.path()


def someone_with_orders(stage: SmallStage) -> int:
    return next(order.customer_id for order in stage.shop.orders.values() if order.customer_id)


def test_a_request_for_data_and_one_to_erase_are_answered_and_leave_receipts_that_verify(
    stage: SmallStage, page: Page
) -> None:
    customer_id = someone_with_orders(stage)
    tell(stage, "customers/data_request", customer_id)
    frame = opened_once(page, stage, PEOPLE, lambda frame: frame.get_by_text("Show what is held").count())
    file = saved(page, frame, "Save data and close")
    with zipfile.ZipFile(file) as archive:
        data = json.loads(archive.read("data.json"))
        (stage.home / "answered.json").write_bytes(archive.read("receipt.json"))
    told = {row["order_id"] for row in data["stores"]["orders"]["rows"]}
    assert told
    assert told <= {order.id for order in stage.shop.orders_of(customer_id)}
    stage.tillwise("verify-receipt", str(stage.home / "answered.json"))

    tell(stage, "customers/redact", customer_id)
    receipts = "Receipt"
    frame = opened_once(
        page, stage, PEOPLE, lambda frame: frame.get_by_role("button", name=receipts).count() == 2
    )
    erased = saved(page, frame, receipts)
    (stage.home / "erased.json").write_bytes(erased.read_bytes())
    stage.tillwise("verify-receipt", str(stage.home / "erased.json"))

    frame.get_by_role("textbox", name="Customer number").fill(str(customer_id))
    frame.get_by_role("button", name="Look up").click()
    expect(frame.get_by_text("held about them")).to_be_visible()
    assert frame.get_by_text("What was ordered, when, and for how much").count() == 0


def test_the_rules_are_those_of_the_shops_own_settings_and_a_limit_is_cleared_by_the_worker(
    stage: SmallStage, page: Page
) -> None:
    frame = opened(page, stage, RULES)
    expect(frame.get_by_text("Asks first")).to_be_visible()
    expect(frame.get_by_text("Does not ask")).to_be_visible()
    frame.get_by_label("Events", exact=True).fill("1")
    frame.get_by_role("button", name="Save limits").click()
    frame.get_by_role("button", name="Delete what is older now, for good").click()
    expect(frame.get_by_text("What is older is being deleted")).to_be_visible()
    frame = opened_once(page, stage, RULES, lambda frame: frame.get_by_text("deleted,").count())
    assert frame.get_by_label("Events", exact=True).input_value() == "1"


def test_the_audit_and_the_consent_overview_open_in_the_admin(stage: SmallStage, page: Page) -> None:
    for path in ("/admin/privacy", "/admin/privacy/audit"):
        frame = opened(page, stage, path)
        expect(frame.get_by_role("navigation", name="Privacy")).to_be_visible()
    stage.tillwise("audit", "--shop", DOMAIN)

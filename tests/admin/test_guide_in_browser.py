"""The merchant's guide, followed to the letter in Chromium against the real routes."""

from __future__ import annotations

import re
from typing import NamedTuple

from playwright.async_api import Page

from app.campaigns.store import all_campaigns
from app.connections import Connections
from tests.admin.factories import SHOP, keep, shop_row
from tests.admin.segment_factories import keep_segments
from tests.admin.test_in_browser import DESKTOP, ROOT, opened, served

GUIDE = ROOT / "docs" / "guide.md"
# As many clicks and fields as fit into two minutes with ten seconds for each.
MOST_STEPS = 12


class Step(NamedTuple):
    """One click, or one field that is typed or chosen."""

    do: str
    what: str
    given: str


def steps() -> list[Step]:
    """Return the steps of the guide's first table."""
    rows = re.findall(r"^\| \d+ \| (\w+) \| ([^|]+) \|([^|]*)\|$", GUIDE.read_text(), re.MULTILINE)
    return [Step(do, what.strip(), given.strip()) for do, what, given in rows]


async def follow(page: Page, step: Step) -> None:
    """Do what the step says; of fields with one label the one that was added last."""
    if step.do == "click":
        await page.get_by_role("link", name=step.what).or_(page.get_by_role("button", name=step.what)).click()
    elif step.do == "type":
        await page.get_by_label(step.what, exact=True).last.fill(step.given)
    else:
        await page.get_by_label(step.what, exact=True).last.select_option(label=step.given)


async def test_the_guide_leads_a_newcomer_to_a_running_campaign_in_few_steps(
    connections: Connections,
) -> None:
    await keep_segments(connections)
    await keep(connections, shop_row(scopes="write_discounts"))
    assert len(steps()) == 10 <= MOST_STEPS
    async with served(connections) as url, opened(url, "/admin", DESKTOP) as page:
        for step in steps():
            await follow(page, step)
        await page.get_by_role("button", name="Pause").wait_for()
    (kept,) = await all_campaigns(connections, SHOP)
    assert kept.status == "running"
    assert kept.campaign.offer.discount is not None
    assert kept.campaign.offer.discount.percentage == 10
    assert kept.campaign.rule == {
        "and": [
            {">": [{"var": "cart.subtotal"}, 80]},
            {"some": [{"var": "profile.segments"}, {"in": [{"var": ""}, ["hesitant_buyers"]]}]},
        ]
    }

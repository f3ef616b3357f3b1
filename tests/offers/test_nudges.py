"""What a campaign's offer says of its end, and of what it leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.campaigns.messages import Text
from app.campaigns.plan import Plan
from app.campaigns.shopper_history import CampaignHistory
from app.campaigns.weigh import weigh
from app.experiments.assign import PERSONALISED
from app.offers.nudges import nudges_of
from app.offers.situation import Situation
from app.offers.wire import Discount, Offer
from tests.campaigns.factories import AT, NOW, a_campaign, a_plan, inputs
from tests.offers.test_predictions import an_occasion, shown

DAY = timedelta(days=1)


def a_discount(*, with_code: bool, ends_in: timedelta) -> Discount:
    """Return what is said of a day's discount whose campaign ends then."""
    offer = {"kind": "coupon", "discount": {"percentage": 10, "with_code": with_code}}
    schedule = {"ends_at": (NOW + ends_in).isoformat()}
    plan = a_plan(a_campaign("ten", offer=offer, expires_s=86_400, schedule=schedule))
    held = {"ten": CampaignHistory(code="CODE", expires_at=AT + 86_400)} if with_code else {}
    made = a_nudge(plan, fired=held)
    assert made.discount is not None
    return made.discount


def a_nudge(plan: Plan, **changes: Any) -> Offer:
    weighed = weigh(plan, inputs(**changes), "d", lambda _name, _share: False)
    situation = Situation(decision_id="d", arm=PERSONALISED, campaigns=weighed)
    (made,) = nudges_of(replace(an_occasion().shop, plan=plan), situation)
    return made


@pytest.mark.parametrize(
    ("with_code", "ends_in", "good_for"),
    [
        (True, timedelta(hours=2), DAY),  # a code is good until its own end
        (False, timedelta(hours=2), timedelta(hours=2)),
        (False, 3 * DAY, DAY),
    ],
)
def test_a_discount_without_a_code_is_promised_no_longer_than_its_campaign_runs(
    with_code: bool, ends_in: timedelta, good_for: timedelta
) -> None:
    told = a_discount(with_code=with_code, ends_in=ends_in).expires_at
    assert told is not None
    assert datetime.fromisoformat(told) == NOW + good_for


@pytest.mark.parametrize(
    ("messages", "target", "key", "text"),
    [
        ({}, "150", "progress.free_shipping", None),
        ({}, "50", "progress.free_shipping_reached", None),
        ({"en": "{amount} to a gift"}, "150", "progress.own", "{amount} to a gift"),
        ({"en": "{amount} to a gift"}, "50", "progress.own_reached", None),
        ({"xx": "{amount} to a gift"}, "150", "progress.own", None),  # no words for this reader
    ],
)
def test_a_bar_in_the_merchants_own_words_promises_no_free_shipping(
    messages: dict[str, Text], target: str, key: str, text: str | None
) -> None:
    offer = {"kind": "progress", "target": target, "messages": messages}
    said = a_nudge(a_plan(a_campaign("bar", offer=offer))).message
    assert (said.key, said.text) == (key, text)


@pytest.mark.parametrize("surface", ["thank_you", "order_status"])
def test_a_bar_leads_nowhere_once_the_order_is_placed(surface: str) -> None:
    plan = a_plan(a_campaign("bar", offer={"kind": "progress", "target": "150"}))
    before, after = an_occasion(), an_occasion(surface=surface)
    shop = replace(before.shop, plan=plan)
    assert shown(msgspec.structs.replace(before, shop=shop)) == (["bar"], {})
    assert shown(msgspec.structs.replace(after, shop=shop)) == ([], {"bar": "over"})

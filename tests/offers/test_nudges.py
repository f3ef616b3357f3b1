"""What a campaign's offer says of its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.campaigns.nudged import CampaignHistory
from app.campaigns.weigh import weigh
from app.experiments.assign import PERSONALISED
from app.offers.nudges import nudges_of
from app.offers.situation import Situation
from app.offers.wire import Discount
from tests.campaigns.factories import AT, NOW, a_campaign, a_plan, inputs
from tests.offers.test_foretold import an_occasion

DAY = timedelta(days=1)


def a_discount(*, with_code: bool, ends_in: timedelta) -> Discount:
    """Return what is said of a day's discount whose campaign ends then."""
    offer = {"kind": "coupon", "discount": {"percentage": 10, "with_code": with_code}}
    schedule = {"ends_at": (NOW + ends_in).isoformat()}
    plan = a_plan(a_campaign("ten", offer=offer, expires_s=86_400, schedule=schedule))
    held = {"ten": CampaignHistory(code="CODE", expires_at=AT + 86_400)} if with_code else {}
    weighed = weigh(plan, inputs(fired=held), "d", lambda _name, _share: False)
    situation = Situation(decision_id="d", arm=PERSONALISED, campaigns=weighed)
    (made,) = nudges_of(replace(an_occasion().shop, plan=plan), situation)
    assert made.discount is not None
    return made.discount


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

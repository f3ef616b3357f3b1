"""What the list says of a campaign's codes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.admin.campaigns_view import level
from app.coupons.store import Pool
from app.coupons.terms import CouponTerms
from tests.campaigns.factories import TEN_PERCENT, a_campaign

POOL = Pool("p1", "winter", CouponTerms("Winter"), 500)
REFUSED = replace(POOL, error="Title is too long")


@pytest.mark.parametrize(
    ("pools", "counted", "may", "says", "low"),
    [
        ([], {}, {"granted": False, "running": True}, "Waits for your permission", False),
        ([], {}, {"granted": True, "running": False}, "Made once it runs", False),
        ([], {}, {"granted": True, "running": True}, "Being made", False),
        ([POOL], {}, {"granted": True, "running": True}, "Being made", False),  # none was ever low
        ([POOL], {"p1": {"asked": 500}}, {"granted": True, "running": True}, "Being made", False),
        ([REFUSED], {}, {"granted": True, "running": True}, "Not made yet", False),
        ([POOL], {"p1": {"given": 500}}, {"granted": True, "running": True}, "0 of 500 codes ready", True),
        ([POOL], {"p1": {"pooled": 60}}, {"granted": True, "running": True}, "60 of 500 codes ready", False),
    ],
)
def test_codes_are_low_only_once_there_were_some(
    pools: list[Pool], counted: dict[str, dict[str, int]], may: dict[str, bool], says: str, low: bool
) -> None:
    told = level(a_campaign("winter", offer=TEN_PERCENT), pools, counted, **may)
    assert told
    assert (told.says, told.low) == (says, low)

"""Which discounts may be promised to a shopper together: none that Shopify would not combine. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.campaigns.campaign import DiscountTerms
from app.campaigns.plan import Plan, Planned
from app.campaigns.shopper_history import NEVER, CampaignHistory, stands_at


def goes_with(one: DiscountTerms, other: DiscountTerms) -> bool:
    """Return whether Shopify takes both off one cart: each has to combine with the other's class."""
    return other.counts_as in one.combines_with and one.counts_as in other.combines_with


def codes_held(fired: Mapping[str, CampaignHistory], besides: Planned, at: int) -> list[str]:
    """Return the other campaigns of which the shopper could still use a code."""
    return [name for name, each in fired.items() if name != besides.id and each.code and each.expires_at > at]


def stands_elsewhere(
    plan: Plan, fired: Mapping[str, CampaignHistory], planned: Planned, at: int, place: str
) -> bool:
    """Return whether another discount without a code is promised in another place of the session already.

    A cart carries the grant of one. Of two that came up at once the later one, by time and name, gives way.
    """
    mine = fired.get(planned.id, NEVER)
    begun = (mine.matched_at, planned.id) if mine.in_session else (at + 1, "")
    return any(
        (each.matched_at, other.id) < begun and stands_at(each) != place
        for other, each in _promised(plan, fired, at)
        if other.id != planned.id
    )


def _promised(
    plan: Plan, fired: Mapping[str, CampaignHistory], at: int
) -> Iterator[tuple[Planned, CampaignHistory]]:
    """Yield the discounts without a code that the shopper was shown in this session, and that hold still."""
    for name, each in fired.items():
        other = plan.by_id.get(name)
        if other is None or not other.takes_a_grant or each.dismissed or not each.in_session:
            continue
        lasts_s = other.campaign.lasts_s
        if at < other.ends_at and (lasts_s is None or at < each.first_at + lasts_s):
            yield other, each

"""Campaigns that another one, looked at before them, keeps from nearly everybody. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.campaigns.campaign import Campaign, Schedule, is_to_begin
from app.campaigns.plan import PLACES, ROOM
from app.campaigns.store import StoredCampaign

_ALWAYS = Schedule()


def hidden(kept: Sequence[StoredCampaign], now: datetime) -> dict[str, str]:
    """Return which of the campaigns are kept from shoppers, and the name of the one that does it, by id.

    kept: the first to be looked at first. Whoever is held back from that one, or sent it away, sees them.
    """
    on = [each.campaign for each in kept if each.is_on(now) and not is_to_begin(each.campaign, now)]
    found: dict[str, str] = {}
    for at, later in enumerate(on):
        if first := next((each for each in on[:at] if _hides(each, later)), None):
            found[later.id] = first.name
    return found


def _hides(first: Campaign, later: Campaign) -> bool:
    """Return whether all who could see the later one see the first, which leaves it no place.

    One of another place hides nothing for certain: where its own is taken it neither stops nor fills a group.
    """
    if {first.trigger, later.trigger} != {"checkout"} or not _stands_always(first):
        return False
    for_the_same = first.rule in (True, later.rule) and first.evidence <= later.evidence
    place = PLACES[first.offer.kind]
    return for_the_same and place == PLACES[later.offer.kind] and ROOM[place] == 1


def _stands_always(campaign: Campaign) -> bool:
    """Return whether whom it is for sees it from beginning to end, as nothing that costs or runs out is."""
    offer, begun = campaign.offer, campaign.schedule.starts_at
    limited = campaign.caps.total, campaign.caps.per_visitor, campaign.caps.per_session, campaign.lasts_s
    return (
        offer.discount is None
        and not offer.product_ids  # which may be in the cart, or sold out
        and campaign.choice is None
        and not campaign.delay_s
        and limited == (None, None, None, None)
        and campaign.schedule in (_ALWAYS, Schedule(starts_at=begun))
    )

"""What a campaign for who left a checkout would have done, by the same weighing that writes to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from app.campaigns.campaign import Campaign, Running
from app.catalog.store import load_catalog
from app.connections import Connections
from app.reach.campaign_choice import plan_to_write, weighed_for
from app.reach.planning import leaver_of
from app.reach.store import last_abandonments
from app.shops.store import Shop


@dataclass(frozen=True, slots=True)
class ReachDryRun:
    """What would have been. looked_at: customers' checkouts that were left; written: messages.

    shoppers: different ones; bought: messages about a checkout that was ordered all the same.
    left_out: why others whose rule held would have got none.
    """

    looked_at: int
    written: int
    shoppers: int
    bought: int
    left_out: Mapping[str, int]

    def says(self) -> str:
        """Return it in a sentence for the merchant."""
        if not self.looked_at:
            return "Nobody who may be written to has left a checkout yet, so there is nothing to try it on."
        return (
            f"Would have written {self.written} messages to {self.shoppers} customers about the last "
            f"{self.looked_at} checkouts that were left by who may be written to; {self.bought} of these "
            "were ordered anyway."
        )


async def dry_run_on_abandoned(
    connections: Connections, shop: Shop, campaign: Campaign, last: int
) -> ReachDryRun:
    """Return what the campaign alone would have done about the last checkouts left; nobody is held back.

    What customers had bought and in which segments they are is taken as it is today.
    """
    alone = msgspec.structs.replace(campaign, holdout=0.0)
    catalog, counts = await load_catalog(connections, shop.shop), Counter[str]()
    plan = plan_to_write(shop, [Running(alone, 0)], catalog)
    assert plan is not None
    told, left_out = Counter[int](), Counter[str]()
    most = campaign.caps.total
    for left in await last_abandonments(connections, shop.shop, last):
        customer_id = left.customer_id
        if customer_id is None or not left.lines:
            continue
        counts["looked_at"] += 1
        leaver = await leaver_of(connections, shop.shop, customer_id, {campaign.id: told[customer_id]})
        spent = (campaign.id,) if most is not None and counts["written"] >= most else ()
        weighed = weighed_for(plan, left, leaver, catalog, spent, left.abandoned_at)
        left_out.update(weighed.left_out.values())
        if weighed.chosen:
            told[customer_id] += 1
            counts["written"] += 1
            counts["bought"] += left.resolution == "ordered"
    return ReachDryRun(counts["looked_at"], counts["written"], len(told), counts["bought"], left_out)

"""Campaigns whose products shoppers can't have any more, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.admin.attention import Attention
from app.admin.figures import listed
from app.admin.language import Lazy, _, lazy, ngettext
from app.campaigns.campaign import Campaign
from app.campaigns.store import running_campaigns
from app.catalog.availability import Lack, Unavailable, unavailable
from app.connections import Connections
from app.shops.store import Shop

_LACKS: Mapping[Lack, Lazy] = {
    "gone": lazy("%(product)s was deleted in Shopify"),
    "unpublished": lazy("%(product)s is not on sale in your online store"),
    "sold_out": lazy("%(product)s is sold out"),
    "excluded": lazy("%(product)s is excluded on your Products page"),
}


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a campaign lacks. is_empty: it has nothing left to show. says: each product and why."""

    is_empty: bool
    says: str

    @property
    def heading(self) -> str:
        """Return what it comes to."""
        if self.is_empty:
            return _("Shoppers see nothing of this campaign")
        return _("Shoppers see a part of this campaign")


async def lacking(connections: Connections, shop: Shop, campaigns: Sequence[Campaign]) -> dict[str, Lacking]:
    """Return which of the campaigns lack products that they offer, by id."""
    chosen = {each for campaign in campaigns for each in campaign.offer.product_ids}
    found = await unavailable(connections, shop.shop, chosen)
    told = {each.id: _lacking(each, found) for each in campaigns}
    return {name: each for name, each in told.items() if each is not None}


async def attention(connections: Connections, shop: Shop) -> list[Attention]:
    """Return that campaigns that run lack products; a warning where one has nothing left to show."""
    running = [each.campaign for each in await running_campaigns(connections, shop.shop)]
    found = await lacking(connections, shop, running)
    if not found:
        return []
    names = listed(f"“{each.name}”" for each in running if each.id in found)
    heading = ngettext(
        "%(num)s campaign offers what shoppers can't buy",
        "%(num)s campaigns offer what shoppers can't buy",
        len(found),
    )
    tone = "warning" if any(each.is_empty for each in found.values()) else "info"
    return [Attention(tone, heading, names, link=(_("Open campaigns"), "/admin/campaigns"))]


def _lacking(campaign: Campaign, unavailable: Mapping[int, Unavailable]) -> Lacking | None:
    chosen = campaign.offer.product_ids
    lacks = [unavailable[each] for each in chosen if each in unavailable]
    if not lacks:
        return None
    return Lacking(len(lacks) == len(chosen), listed(_why(each) for each in lacks))


def _why(each: Unavailable) -> str:
    named = each.title or _("Product %(number)s", number=str(each.product_id))
    return _(_LACKS[each.lack].text, product=named)

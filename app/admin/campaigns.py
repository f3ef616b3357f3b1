"""What the campaigns pages show: what is shown to whom and what came of it, and where one is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams

from app.admin import store
from app.admin.alerts_view import alert_words
from app.admin.campaigns_hidden import hidden
from app.admin.campaigns_lacking import Lacking, lacking
from app.admin.campaigns_view import KINDS, TONES, figures, level, rule_words, shows, when_words, window_words
from app.admin.language import Lazy, lazy
from app.admin.segment_titles import rule_names
from app.campaigns.activity import CampaignActivity, activity
from app.campaigns.campaign import Campaign
from app.campaigns.signing import refusals
from app.campaigns.store import StoredCampaign, all_campaigns
from app.catalog.collections import titles_of
from app.connections import Connections
from app.consent.retention import TOLD_DAYS, limits_of, told_days
from app.coupons.minting import SCOPE
from app.coupons.store import Pool, count_codes, pools_of
from app.coupons.uses import discounts_of
from app.reach.alert_store import KeptAlert, open_alerts
from app.rules.fields import FIELDS
from app.rules.words import collection_key
from app.shops.grants import covers
from app.shops.store import Shop

PATH = "/admin/campaigns"
TABS = (
    (PATH, lazy("All campaigns")),
    (f"{PATH}/new", lazy("New campaign")),
    (f"{PATH}/learnt", lazy("What is learnt")),
)
_OF_COLLECTIONS = {each.name for each in FIELDS.values() if each.names == "collection"}
_ON = (("paused", lazy("Pause")), ("stopped", lazy("Stop")))
# What may be done with a campaign in each standing: the status it then has, and the button's label.
_STEPS: Mapping[str, tuple[tuple[str, Lazy], ...]] = {
    "draft": (("running", lazy("Start")),),
    "running": _ON,
    "scheduled": _ON,
    "paused": (("running", lazy("Resume")), ("stopped", lazy("Stop"))),
    "stopped": (("running", lazy("Start again")),),
    "ended": (("stopped", lazy("Stop")),),
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a shop's campaigns are listed with, read once for all of them. The mappings are by campaign.

    codes: by pool and status, how many there are. names: of products, by id. lacks: see `lacking`.
    behind: the name of the one that each is hidden behind.
    """

    shop: Shop
    now: datetime
    done: Mapping[str, CampaignActivity]
    pools: Sequence[Pool]
    codes: Mapping[str, Mapping[str, int]]
    alerts: Sequence[KeptAlert]
    names: Mapping[str, str]
    refused: Mapping[str, str]
    lacks: Mapping[str, Lacking]
    behind: Mapping[str, str]


async def overview(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return the shop's campaigns with what came of each, the first to be looked at first."""
    now = datetime.now(UTC)
    kept = await all_campaigns(connections, shop.shop)
    ids = [each.campaign.id for each in kept]
    told = await activity(connections, shop.shop, ids, now - timedelta(days=TOLD_DAYS), now)
    campaigns = [each.campaign for each in kept]
    running = [each.campaign for each in kept if each.status == "running"]
    shown = _Shown(
        shop=shop,
        now=now,
        done=told.done,
        pools=await pools_of(connections, shop.shop),
        codes=await count_codes(connections, shop.shop),
        alerts=await open_alerts(connections, shop.shop),
        names=await titles_in(connections, shop, campaigns),
        refused=refusals(campaigns, shop.currency, await discounts_of(connections, shop.shop)),
        lacks=await lacking(connections, shop, running),
        behind=hidden(kept, now),
    )
    return {
        "campaigns": [_listed(each, shown) for each in kept],
        "asks": not may_discount(shop) and any(each.takes_off for each in running),
        "alerts": [alert_words(each) for each in shown.alerts if not each.about],
        "window": window_words(told, told_days(limits_of(shop.settings))),
        **frame(PATH, shop),
    }


def frame(here: str, shop: Shop) -> dict[str, Any]:
    """Return what every campaigns page shows."""
    return {"tabs": TABS, "here": here, "granted": may_discount(shop), "scope": SCOPE}


def may_discount(shop: Shop) -> bool:
    """Return whether the shop lets us make codes."""
    return covers(shop.scopes, frozenset({SCOPE}))


async def titles_in(connections: Connections, shop: Shop, named: Iterable[Campaign | Any]) -> dict[str, str]:
    """Return the titles of what campaigns, or rules alone, name: by id as a text, or as `in_words` has it."""
    ids: set[int] = set()
    texts: set[str] = set()
    for each in named:
        ids.update(each.offer.product_ids if isinstance(each, Campaign) else ())
        texts.update(_texts(each.rule if isinstance(each, Campaign) else each))
    ids.update(int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19)
    found = await store.titles(connections, shop, ids) if ids else {}
    titles = {str(product_id): title for product_id, title in found.items()} | rule_names()
    if texts.isdisjoint(_OF_COLLECTIONS):
        return titles
    collections = await titles_of(connections, shop.shop, texts)
    return titles | {collection_key(handle): title for handle, title in collections.items()}


def _texts(part: Any) -> Iterator[str]:
    """Yield the texts of a rule: names of fields, products, collections and others. Numbers are none."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for each in part.values():
            yield from _texts(each)
    elif isinstance(part, (list, tuple)):
        for each in part:
            yield from _texts(each)


def _listed(kept: StoredCampaign, shown: _Shown) -> dict[str, Any]:
    campaign, standing, shop = kept.campaign, kept.standing(shown.now), shown.shop
    codes = level(
        campaign, shown.pools, shown.codes, granted=may_discount(shop), running=kept.is_on(shown.now)
    )
    return {
        "id": campaign.id,
        "name": campaign.name,
        "kind": str(KINDS[campaign.offer.kind]),
        "standing": standing,
        "tone": TONES[standing],
        "reason": kept.reason,
        "rule": rule_words(campaign, shop, shown.names),
        "when": when_words(campaign.schedule),
        "shows": shows(campaign, shop.currency, shown.names),
        "steps": _STEPS[standing],
        "level": codes,
        "refused": codes.refused if codes else shown.refused.get(campaign.id, ""),
        "takes_off": campaign.takes_off,
        "alerts": [alert_words(each) for each in shown.alerts if each.about == campaign.id],
        "figures": figures(shown.done.get(campaign.id), campaign.offer.kind),
        "lacks": shown.lacks.get(campaign.id),
        "behind": shown.behind.get(campaign.id),
    }

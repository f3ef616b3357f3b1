"""What was learnt of a shop's shoppers: who buys anyway, whom a coupon changes, which campaign is best."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import QueryParams

from app.admin.campaigns import PATH, frame
from app.admin.campaigns_learnt_view import arms, changed, heads, verdict
from app.admin.figures import moment
from app.admin.language import _
from app.campaigns.store import all_campaigns
from app.connections import Connections
from app.intent.store import CHOICE, INTENT, UPLIFT, current_foresight, latest_reports
from app.shops.store import Shop


async def learnt(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return what each training found, and what speaks for it."""
    reports = await latest_reports(connections, shop.shop)
    kept = {each.campaign.id: each.campaign for each in await all_campaigns(connections, shop.shop)}
    told = reports.get(UPLIFT, {}).get("campaigns", {})
    weights = (await current_foresight(connections, shop.shop)).weights
    intent = reports.get(INTENT)
    return {
        "intent": None if intent is None else verdict(intent),
        "heads": heads(intent or {}),
        "changed": [changed(campaign, told[name], shop) for name, campaign in kept.items() if name in told],
        "choices": arms(weights, kept),
        "learnt_at": {
            kind: _("As of %(when)s.", when=moment(reports[kind]["trained_at"]))
            for kind in (INTENT, UPLIFT, CHOICE)
            if kind in reports
        },
        **frame(f"{PATH}/learnt", shop),
    }

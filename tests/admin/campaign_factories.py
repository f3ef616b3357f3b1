"""A shop whose campaigns pages have everything to show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.campaigns.store import change_status, keep_campaign
from app.campaigns.templates import template
from app.connections import Connections
from app.coupon_tables import CouponPoolRow, CouponRow
from app.intent.store import CHOICE, INTENT, UPLIFT, publish_foresight
from app.reach_tables import AlertRow
from app.tables import FeedbackRow, OrderRow
from app.values import ShopDomain
from tests.admin.factories import SHOP, decision, keep, now, shop_row
from tests.campaigns.factories import TEN_PERCENT, a_campaign


def weighed(number: int, token: str, chosen: str = "", withheld: str = "") -> Any:
    """Return a decision of a checkout that showed a campaign, or held one back by chance."""
    told = {
        "chosen": [{"campaign_id": chosen, "propensity": 0.9}] if chosen else [],
        "left_out": {withheld: "withheld"} if withheld else {},
        "matched": [chosen or withheld],
    }
    offers = [{"offer_id": "o", "kind": "coupon", "campaign": chosen, "why": []}] if chosen else []
    return decision(
        number,
        checkout_token=token,
        decided_at=now() - timedelta(days=3, minutes=number),
        inputs={"situation": {"campaigns": told}},
        answer={"offers": offers},
    )


def bought(order_id: int, token: str) -> OrderRow:
    at = now() - timedelta(days=3) + timedelta(minutes=5)
    times = {"created_at": at, "updated_at": at}
    return OrderRow(shop=SHOP, order_id=order_id, currency="USD", checkout_token=token, **times)


def said(number: int, kind: str) -> FeedbackRow:
    return FeedbackRow(
        shop=SHOP, event_id=f"{kind}{number}", decision_id=f"d{number}", offer_id="o", kind=kind,
        happened_at=now(),
    )  # fmt: skip


def pool(campaign_id: str, ready: int, error: str = "") -> list[Any]:
    """Return a pool of a hundred codes of which some are ready."""
    row = CouponPoolRow(
        shop=SHOP, pool_id=f"{campaign_id}.1", campaign_id=campaign_id, discount_id="gid://1", size=100,
        terms={"title": campaign_id}, error=error, updated_at=now(),
    )  # fmt: skip
    codes = [
        CouponRow(shop=SHOP, code=f"TILL-{campaign_id}-{at}", pool_id=row.pool_id, status="pooled")
        for at in range(ready)
    ]
    return [row, *codes]


def alert(about: str, says: str) -> AlertRow:
    return AlertRow(
        shop=SHOP, alert_id=f"alert {about}", kind="coupons_low", about=about, says=says, opened_at=now(),
        seen_at=now(), mail_due_at=now(),
    )  # fmt: skip


async def keep_campaigns(connections: Connections, **shop: Any) -> None:
    """Store a discount that runs, was shown and taken, a stopped bar, and a draft."""
    shown = [weighed(n, f"t{n}", chosen="loyal-thanked") for n in range(501, 505)]
    held = [weighed(n, f"t{n}", withheld="loyal-thanked") for n in range(511, 515)]
    orders = bought(501, "t501"), bought(511, "t511")
    words = said(501, "accepted"), said(502, "dismissed"), said(503, "dismissed")
    await keep(connections, shop_row(**shop), *shown, *held, *words, *orders)
    await keep_named(connections, "loyal-thanked", "running")
    await keep_named(connections, "free-shipping", "stopped", "fewer checkouts are completed")
    await keep_campaign(connections, ShopDomain(SHOP), a_campaign("winter", offer=TEN_PERCENT, priority=20))
    await keep(
        connections,
        *pool("loyal-thanked", 4, "Title is too long"),
        alert("loyal-thanked", "4 codes are left."),
    )


def figures(auc: float) -> dict[str, float]:
    return {"auc": auc, "pr_auc": 0.451, "brier": 0.1, "ece": 0.0108}


INTENT_LEARNT = {
    "visits": 4_000, "purchases": 644, "tested": 1_200, "publish": True, "reason": "Better.",
    "heads": {
        "now": {
            "moments": 24_000, "share": 0.13, "ours": figures(0.843), "prior": figures(0.64),
            "rule": figures(0.671), "leaky": figures(1.0), "cart_alone": None, "kind": "trees",
            "gain_low": 0.1, "gain_high": 0.2,
        }
    },
}  # fmt: skip


def uplift_learnt(**changes: Any) -> dict[str, Any]:
    """Return what was learnt of one campaign of 4,000 shown or held back."""
    told: dict[str, Any] = {
        "exposures": 4_000, "basis": "by_shopper", "reason": "Told apart.",
        "average": {"mean": 0.182, "low": 0.1, "high": 0.26},
        "cart": {"carts": 900, "subtotal_minor": 6_000, "spare_minor": 2_000},
        "bought_anyway": {"happened": 240, "of": 857},
    }  # fmt: skip
    return told | changes


async def keep_learnt(connections: Connections, **changes: Any) -> None:
    """Store what was learnt of the shop's shoppers, of its loyal ones' discount, and of two that compete."""
    campaigns = {"loyal-thanked": uplift_learnt(**changes), "gone": uplift_learnt()}
    weights = {"coupons": {"loyal-thanked": 1.6, "winter": 0.4}}
    await publish_foresight(connections, SHOP, INTENT, {}, INTENT_LEARNT, now())
    await publish_foresight(connections, SHOP, UPLIFT, {"models": []}, {"campaigns": campaigns}, now())
    await publish_foresight(connections, SHOP, CHOICE, {"weights": weights}, {"decisions": 9}, now())


async def keep_named(connections: Connections, name: str, status: Any, reason: str = "") -> None:
    """Store a template as a campaign that stands so."""
    shop = ShopDomain(SHOP)
    await keep_campaign(connections, shop, template(name).campaign)
    await change_status(connections, shop, name, status, reason)


def written(**changes: Any) -> Mapping[str, Any]:
    """Return what the editor sends of: 10 % for hesitant buyers above 80."""
    conditions = [
        {"field": "profile.segments", "compare": "some", "value": "hesitant buyers"},
        {"field": "cart.subtotal", "compare": ">", "value": "80"},
    ]
    groups = [{"match": "all", "conditions": conditions}]
    return {"name": "Hesitant buyers", "groups": groups, "kind": "coupon", "off": "10", **changes}

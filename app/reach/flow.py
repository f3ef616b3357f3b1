"""Tells Shopify Flow that a checkout was abandoned: the merchant's own tools write then."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from app.campaigns.campaign import Campaign
from app.connections import Connections
from app.coupons.grants import GrantedCode
from app.errors import ShopifyError, ShopifyUnavailable
from app.reach.documents import FLOW_TRIGGER
from app.reach.letters import way_back
from app.reach.smtp import Outcome
from app.reach.store import Abandonment
from app.shopify import accepted
from app.shops.store import Shop
from app.shops.tokens import ask_shop
from app.values import decimal_amount
from app.wording import wording

HANDLE = "checkout-abandoned"


async def tell_flow(
    connections: Connections, shop: Shop, abandonment: Abandonment, customer_id: int,
    campaign: Campaign | None, granted: GrantedCode | None,
) -> Outcome:  # fmt: skip
    """Return what became of it. Asked once: an answer that was lost may have been one."""
    payload = flow_payload(shop.shop, abandonment, customer_id, campaign, granted)
    try:
        data = await ask_shop(connections, shop.shop, FLOW_TRIGGER, {"handle": HANDLE, "payload": payload})
        accepted(data, "flowTriggerReceive", shop=shop.shop)
    except ShopifyUnavailable as error:
        return Outcome("unknown", wording(f"Flow may have it, and is not told again: {str(error)[:300]}"))
    except ShopifyError as error:
        return Outcome(
            "refused", wording(f"Flow does not take it; is Shopify Flow installed? {str(error)[:300]}")
        )
    return Outcome("sent")


def flow_payload(
    shop: str,
    abandonment: Abandonment,
    customer_id: int,
    campaign: Campaign | None,
    granted: GrantedCode | None,
) -> dict[str, Any]:
    """Return what Flow is told, by the keys of extensions/cart-abandoned. Pure."""
    code = granted.code if granted else ""
    return {
        "customer_id": customer_id,
        "Checkout link": way_back(shop, abandonment.lines, code or None),
        "Total": float(decimal_amount(abandonment.subtotal_minor, abandonment.currency)),
        "Currency": abandonment.currency,
        "Items": sum(quantity for _, quantity in abandonment.lines),
        "Discount code": code,
        "Discount code ends": granted.expires_at.astimezone(UTC).isoformat() if granted else "",
        "Campaign": campaign.name if campaign else "",
        "Abandoned at": abandonment.silent_since.astimezone(UTC).isoformat(),
    }

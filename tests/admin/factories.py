"""A shop with everything the dashboard shows, and the address the admin opens it at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.connections import Connections
from app.consent.clearing import change_limits
from app.privacy.aged import clear_aged
from app.privacy_tables import PrivacyPolicyRow, PrivacyRequestRow
from app.shops.grants import Grant
from app.shops.tokens import sealed_row
from app.tables import (
    BackfillRow,
    DecisionRow,
    FeedbackRow,
    InboxRow,
    ModelRow,
    OrderLineRow,
    OrderRow,
    ProductRow,
    RefundRow,
    ShopRow,
    VariantRow,
)
from app.values import ShopDomain
from tests.shops.factories import admin_claims, signed_token

SHOP = "acme.myshopify.com"
OTHER = "other.myshopify.com"


def now() -> datetime:
    return datetime.now(UTC)


def entrance(path: str = "/", shop: str = SHOP, **changes: str | None) -> tuple[str, dict[str, str]]:
    """Return the path and the query that the admin opens the app with."""
    claims = admin_claims(now(), dest=f"https://{shop}", iss=f"https://{shop}/admin")
    query: dict[str, str | None] = {
        "shop": shop,
        "host": "YWRtaW4",
        "embedded": "1",
        "id_token": signed_token(claims),
    } | changes
    return path, {name: value for name, value in query.items() if value is not None}


async def opened(browser: httpx.AsyncClient, path: str = "/", shop: str = SHOP, **query: str) -> str:
    """Return a page's text on one line, opened by the shop's staff."""
    address, entered = entrance(path, shop, **query)
    answer = await browser.get(address, params=entered)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def bearer(shop: str = SHOP) -> dict[str, str]:
    claims = admin_claims(now(), dest=f"https://{shop}", iss=f"https://{shop}/admin")
    return {"Authorization": f"Bearer {signed_token(claims)}"}


def policy_of(answer: httpx.Response) -> dict[str, list[str]]:
    """Return what a document allows, by directive."""
    directives = answer.headers["content-security-policy"].split("; ")
    return {name: sources.split() for name, _, sources in (each.partition(" ") for each in directives)}


def grant() -> Grant:
    return Grant("shpat_x", frozenset(), now() + timedelta(hours=1), "shprt_x", None)


def shop_row(shop: str = SHOP, **changes: Any) -> ShopRow:
    values: dict[str, Any] = {
        "shop": shop,
        "name": "Acme",
        "currency": "USD",
        "time_zone": "America/New_York",
        "publishable_key": f"pk_{shop}",
        "web_pixel_id": "gid://shopify/WebPixel/1",
        "installed_at": now(),
    }
    return ShopRow(**(values | changes))


def imported(kind: str, shop: str = SHOP, **changes: Any) -> BackfillRow:
    values: dict[str, Any] = {"status": "done", "loaded": 12, "total": 12, "updated_at": now()}
    return BackfillRow(shop=shop, kind=kind, **(values | changes))


def product(product_id: int, title: str, shop: str = SHOP) -> list[Any]:
    times = {"created_at": now(), "updated_at": now()}
    row = ProductRow(shop=shop, product_id=product_id, title=title, vendor="Mill & Co", **times)
    variant = VariantRow(shop=shop, variant_id=product_id, product_id=product_id, price_minor=450)
    return [row, variant]


def decision(number: int, shop: str = SHOP, **changes: Any) -> DecisionRow:
    why = {"reason": "bought_together", "with": "gid://shopify/Product/1", "weight": 0.6}
    offered = {"product_id": "gid://shopify/Product/2", "title": "Rye bread", "image": None}
    answer = {"offers": [{"offer_id": "o", "kind": "upsell", "product": offered, "why": [why]}]}
    values: dict[str, Any] = {
        "decided_at": now() - timedelta(minutes=number),
        "surface": "checkout",
        "rung": "personal",
        "arm": "personalised",
        "duration_us": 1000 * (number + 1),
        "answer": answer,
    }
    return DecisionRow(shop=shop, decision_id=f"d{number}", **(values | changes))


def order(order_id: int, shop: str = SHOP, decision_id: str | None = None) -> list[Any]:
    times = {"created_at": now(), "updated_at": now()}
    line = OrderLineRow(
        shop=shop,
        line_id=order_id,
        order_id=order_id,
        quantity=2,
        price_minor=500,
        decision_id=decision_id,
        offer_id="o",
    )
    return [OrderRow(shop=shop, order_id=order_id, currency="USD", **times), line]


def refund(order_id: int, amount_minor: int, shop: str = SHOP) -> RefundRow:
    return RefundRow(
        shop=shop,
        refund_id=order_id,
        line_id=order_id,
        order_id=order_id,
        amount_minor=amount_minor,
        created_at=now(),
    )


def feedback(number: int, kind: str, shop: str = SHOP) -> FeedbackRow:
    return FeedbackRow(
        shop=shop,
        event_id=f"{kind}{number}",
        decision_id=f"d{number}",
        offer_id="o",
        kind=kind,
        happened_at=now(),
    )


def model(shop: str = SHOP) -> ModelRow:
    figures = {
        "tillwise": {"hit_at_4": 0.4, "recall_at_10": 0.2, "ndcg_at_10": 0.18},
        "popularity": {"hit_at_4": 0.2, "recall_at_10": 0.1, "ndcg_at_10": 0.09},
    }
    card = {"counts": {"orders": 1234}, "figures": figures, "decision": {"reason": "better"}}
    return ModelRow(shop=shop, version="v7", status="champion", card=card, trained_at=now())


def parked(shop: str = SHOP) -> InboxRow:
    return InboxRow(
        shop=shop,
        event_id="1",
        topic="orders/create",
        received_at=now(),
        next_attempt_at=now(),
        body=b"{}",
        status="parked",
    )


async def keep(connections: Connections, *rows: Any) -> None:
    """Store the rows, and for each shop among them a token."""
    async with connections.write() as db:
        for row in rows:
            await db.merge(row)
            if isinstance(row, ShopRow):
                await db.merge(sealed_row(connections, row.shop, grant()))


async def keep_busy_shop(connections: Connections) -> None:
    """Store a shop that has everything: import done, model, decisions, orders, a refund."""
    await keep(
        connections,
        shop_row(),
        *(imported(kind) for kind in ("products", "customers", "orders")),
        *product(1, "Butter"),
        *product(2, "Rye bread"),
        model(),
        decision(0),
        decision(1, rung="session", fallback="no_model"),
        decision(2, rung="contextual", arm="holdout", answer={"offers": []}),
        feedback(0, "shown"),
        feedback(0, "accepted"),
        *order(1, decision_id="d0"),
        *order(2),
        refund(1, 250),
    )


def asked(request_id: str, kind: str = "data_request", due_in_days: float = 20, **changes: Any) -> Any:
    """Return a privacy request of customer 5."""
    received = now() - timedelta(days=30 - due_in_days)
    values: dict[str, Any] = {
        "customer_id": 5,
        "received_at": received,
        "due_at": now() + timedelta(days=due_in_days),
    }
    return PrivacyRequestRow(shop=SHOP, request_id=request_id, kind=kind, **(values | changes))


def policy(days_ago: float, **regions: bool | None) -> PrivacyPolicyRow:
    """Return a policy of the shop's; a region is `US_CA=False`."""
    read_at = now() - timedelta(days=days_ago)
    told = {code.replace("_", "-"): {"consent_required": asks} for code, asks in regions.items()}
    banner = {"banner": {"enabled": True, "autoManaged": True}}
    return PrivacyPolicyRow(
        shop=SHOP, version=f"v{days_ago}", read_at=read_at, checked_at=read_at, settings=banner, regions=told
    )


async def keep_private_matters(connections: Connections) -> None:
    """Store what fills the privacy pages: groups that differ, a late request, two policies, limits."""
    offered = {"offers": [{"offer_id": "o", "kind": "upsell", "discount": {"code": "X", "percentage": 10}}]}
    loyal = [decision(n, region="DE", answer={"segment": "loyal", **offered}) for n in range(100, 140)]
    nothing = {"segment": "new", "offers": []}
    new = [decision(n, region="US-CA", rung="contextual", answer=nothing) for n in range(140, 180)]
    for each in loyal:
        each.permitted = ["marketing", "preferences"]
    await keep(
        connections,
        *loyal,
        *new,
        asked("late", due_in_days=-3),
        asked("open", "redact", 4),
        asked("done", "redact", 10, status="done", done_at=now(), receipt_id="r1"),
    )
    async with connections.write() as db:
        db.add_all([policy(20, DE=True, US=False), policy(2, DE=True, US=False, US_CA=None)])
    await change_limits(connections, SHOP, {"events_days": 90, "decisions_days": 20})
    await clear_aged(connections, ShopDomain(SHOP))

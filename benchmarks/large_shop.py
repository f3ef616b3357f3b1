"""A shop with as many decisions in its last 30 days as wanted, written straight into its tables.

Three decisions a checkout: two on the way, and one after the order of those who buy. Of twenty checkouts
three may not be remembered; half of the others name one of a third as many customers. Who is served
personally meets one of the shop's campaigns; from one shopper in ten it is held back.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connections import Connections
from app.experiments.assign import pseudonym
from app.segment_tables import CustomerSegmentRow
from app.tables import DecisionRow, EventRow, FeedbackRow, OrderLineRow, OrderRow, RefundRow, ShopRow
from app.upsert import insert_new

SHOP = "large.myshopify.com"
DAYS = 30
PRODUCTS = 2_000
VERSION = "holdout=0.05 personalised=0.9 static=0.05"
CAMPAIGNS = ("welcome", "free-shipping", "stay")
_AT_ONCE = 400  # checkouts
_SURFACES = ("checkout", "checkout", "thank_you")

Rows = dict[type[Any], list[dict[str, Any]]]


async def fill(connections: Connections, decisions: int, shop: str = SHOP, seed: int = 1) -> None:
    """Write the shop and its month."""
    now, chance = datetime.now(UTC), random.Random(seed)
    known = {"shop": shop, "name": "Large", "currency": "USD", "time_zone": "America/New_York",
             "publishable_key": f"pk_{shop}", "web_pixel_id": "1", "scopes": "", "settings": {},
             "installed_at": now - timedelta(days=400)}  # fmt: skip
    async with connections.write() as db:
        await insert_new(db, ShopRow, [known])
    checkouts = decisions // len(_SURFACES)
    for begin in range(0, checkouts, _AT_ONCE):
        rows: Rows = {}
        for number in range(begin, min(begin + _AT_ONCE, checkouts)):
            for table, row in _checkout(shop, number, checkouts, now, chance):
                rows.setdefault(table, []).append(row)
        async with connections.write() as db:
            for table, told in rows.items():
                await insert_new(db, table, told)


def _checkout(
    shop: str, number: int, of: int, now: datetime, chance: random.Random
) -> Iterator[tuple[type[Any], dict[str, Any]]]:
    """Yield the rows of one checkout, the latest first."""
    at = now - timedelta(days=DAYS) * ((number + 1) / (of + 1))
    remembered, buys = chance.random() < 0.85, chance.random() < 0.6
    customer = chance.randrange(1, of // 3 + 2) if remembered and chance.random() < 0.5 else None
    arm = chance.choices(("holdout", "personalised", "static"), (0.05, 0.9, 0.05))[0]
    client = f"browser-{number}"
    token = f"checkout-{number}" if remembered else None
    taken: tuple[str, dict[str, Any]] | None = None
    for place, surface in enumerate(_SURFACES[: 3 if buys else 2]):
        # By chance, as those of decisions are: neighbours in time are none in an index of names.
        name, when = f"{chance.getrandbits(128):032x}", at + timedelta(seconds=20 * place)
        offers = [] if arm == "holdout" else [_offer(name, each, chance) for each in range(3)]
        yield DecisionRow, {
            "shop": shop, "decision_id": name, "decided_at": when, "surface": surface,
            "rung": ("personal" if customer else "session") if remembered else "contextual", "arm": arm,
            "fallback": "no_model" if chance.random() < 0.01 else None, "model_version": "v1",
            "checkout_token": token, "customer_id": customer,
            "permitted": ["analytics"] if remembered else [], "region": "US-CA" if remembered else None,
            "duration_us": int(chance.lognormvariate(6.5, 0.5)),
            "inputs": _inputs(shop, name, client if remembered else None, arm, surface, chance),
            "answer": {"decision_id": name, "rung": "session", "arm": arm, "segment": "loyal", "intent": 0.3,
                       "offers": offers, "fallback": None, "ttl_s": 60},
        }  # fmt: skip
        heard = (["shown"] if offers and chance.random() < 0.6 else []) + (
            ["accepted"] if offers and surface == "checkout" and chance.random() < 0.03 else []
        )
        for kind in heard:
            yield FeedbackRow, {"shop": shop, "event_id": f"{name}-{kind}", "decision_id": name,
                                "offer_id": f"{name}-0", "kind": kind, "happened_at": when}  # fmt: skip
        if "accepted" in heard:
            taken = (name, offers[0])
    if remembered:
        for event in ("product_added_to_cart", *(["checkout_completed"] if buys else [])):
            yield EventRow, {"shop": shop, "event_id": f"{number}-{event}", "name": event, "happened_at": at,
                             "recorded_at": at, "client_id": client, "checkout_token": token,
                             "customer_id": customer, "data": {"pages": 3}}  # fmt: skip
    if customer is not None and number % 3 == 0:
        yield CustomerSegmentRow, _segment(shop, customer, at)
    if buys:
        yield from _order(shop, number, at + timedelta(seconds=35), token, customer, taken, chance)


def _order(
    shop: str, number: int, at: datetime, token: str | None, customer: int | None,
    taken: tuple[str, dict[str, Any]] | None, chance: random.Random,
) -> Iterator[tuple[type[Any], dict[str, Any]]]:  # fmt: skip
    prices = [chance.randrange(500, 5_000) for _ in range(3)]
    yield OrderRow, {
        "shop": shop, "order_id": number + 1, "customer_id": customer, "checkout_token": token,
        "currency": "USD", "subtotal_minor": sum(prices), "total_minor": sum(prices), "paid": True,
        "created_at": at, "updated_at": at, "discount_codes": [],
    }  # fmt: skip
    for place, price in enumerate(prices):
        own = taken if taken and place == 0 else None
        product = int(own[1]["product"]["product_id"].rpartition("/")[2]) if own else None
        yield OrderLineRow, {
            "shop": shop, "line_id": 10 * number + place + 1, "order_id": number + 1,
            "product_id": product or chance.randrange(1, PRODUCTS), "quantity": 1, "price_minor": price,
            "decision_id": own[0] if own else None, "offer_id": own[1]["offer_id"] if own else None,
        }  # fmt: skip
    if chance.random() < 0.05:
        yield RefundRow, {"shop": shop, "refund_id": number + 1, "line_id": 10 * number + 1, "quantity": 1,
                          "order_id": number + 1, "amount_minor": prices[0],
                          "created_at": at + timedelta(days=2)}  # fmt: skip


def _inputs(
    shop: str, name: str, client: str | None, arm: str, surface: str, chance: random.Random
) -> dict[str, Any]:
    """Return what was logged of a decision's inputs, of the usual size."""
    bought = [[chance.randrange(1, PRODUCTS), 1, 12.5] for _ in range(15)]
    situation = {
        "decision_id": name, "arm": arm, "cart": [chance.randrange(1, PRODUCTS) for _ in range(3)],
        "subtotal_minor": 10_000, "customer_id": None, "history": bought, "orders": 5, "viewed": [],
        "segments": ["loyal"], "sent_away": [], "wants": "all",
        "campaigns": _weighed(client or name, chance) if arm == "personalised" else None,
    }  # fmt: skip
    return {
        "snapshot": "40730ddf48dca6c7", "trigger": surface, "propensity": 0.9,
        "unit": pseudonym(shop, f"client:{client}") if client else None,
        "experiments": {"standing": [VERSION, arm, 0.9]}, "unserved": False,
        "propensities": [1.0, 1.0, 1.0], "situation": situation,
    }  # fmt: skip


def _weighed(shopper: str, chance: random.Random) -> dict[str, Any]:
    """Return what was logged of the campaigns: one is shown, unless it is held back from the shopper."""
    shown = CAMPAIGNS[int(pseudonym("shown", shopper), 16) % len(CAMPAIGNS)]
    withheld = int(pseudonym("withheld", shopper), 16) % 10 == 0
    return {
        "chosen": [] if withheld else [{"campaign_id": shown, "propensity": 1.0}],
        "left_out": {shown: "withheld"} if withheld else {}, "matched": [shown],
        "inputs": {
            "at": 1_790_000_000, "locale": "en", "country": "US", "evidence": ["cart"], "remembers": True,
            "cart": [1, 2, 3], "subtotal_minor": 10_000, "place": "0123456789ab",
            "facts": {"cart.subtotal": 100.0, "cart.units": 3, "customer.orders": 2},
            "features": [round(chance.random(), 4) for _ in range(23)],
        },
    }  # fmt: skip


def _offer(decision: str, place: int, chance: random.Random) -> dict[str, Any]:
    number = chance.randrange(1, PRODUCTS)
    product = {
        "product_id": f"gid://shopify/Product/{number}",
        "variant_id": f"gid://shopify/ProductVariant/{number}0",
        "title": f"Product {number} of the large shop", "price": "12.50", "currency": "USD",
        "image": f"https://cdn.example.com/s/files/1/0000/0000/products/{number}.png",
    }  # fmt: skip
    why = [{"reason": "bought_together", "with": "gid://shopify/Product/1", "weight": 0.62}]
    return {
        "offer_id": f"{decision}-{place}", "kind": "upsell", "slot": "main", "product": product,
        "discount": None, "campaign": None, "message": {"key": "upsell.goes_with", "args": {}}, "why": why,
    }  # fmt: skip


def _segment(shop: str, customer: int, at: datetime) -> dict[str, Any]:
    return {"shop": shop, "customer_id": customer, "segment": "loyal", "orders": 2, "spent_minor": 9_000,
            "spend_ahead_minor": 100 + customer % 900, "changed_at": at}  # fmt: skip

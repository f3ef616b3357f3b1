"""Offers for real carts: the first half of each order that is still to come, asked for one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import httpx

from devstore.app_config import DEMO_KEY, DEMO_SECRET
from devstore.demo import DOMAIN, build
from devstore.demo.stage import StageFailed
from devstore.records import Order
from devstore.tokens import checkout_session_token

_EVERYTHING = {"analytics": True, "marketing": True, "preferences": True, "sale_of_data": True}
# In turn, so that every rung of the consent ladder is asked for.
_CONSENTS: tuple[dict[str, bool], ...] = (_EVERYTHING, {"analytics": True}, {})


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking came to. Times are milliseconds, from sending to the whole answer."""

    answers: int
    with_offers: int
    held_out: int
    p50_ms: float
    p99_ms: float


def ask_for_real_carts(app_url: str, wanted: int) -> Asked:
    """Return how the app answered for the last `wanted` orders to come, with three kinds of consent."""
    now = datetime.now(UTC)
    orders = [order for order in build(now).upcoming if len(order.lines) > 1][-wanted:]
    times, answers = [], []
    with httpx.Client(base_url=app_url, timeout=10) as client:
        for number, order in enumerate(orders):
            question = _question(order, _CONSENTS[number % len(_CONSENTS)])
            token = checkout_session_token(
                DOMAIN, DEMO_KEY, DEMO_SECRET, datetime.now(UTC), order.customer_id
            )
            started = perf_counter()
            answer = client.post(
                "/api/personalize", json=question, headers={"Authorization": f"Bearer {token}"}
            )
            times.append((perf_counter() - started) * 1000)
            if answer.status_code != httpx.codes.OK:
                raise StageFailed(f"/api/personalize answered {answer.status_code}: {answer.text}")
            answers.append(answer.json())
    return _asked(answers, sorted(times))


def _question(order: Order, consent: dict[str, bool]) -> dict[str, Any]:
    cart = order.lines[: max(1, len(order.lines) // 2)]
    lines = [
        {
            "product_id": f"gid://shopify/Product/{line.product_id}",
            "variant_id": f"gid://shopify/ProductVariant/{line.variant_id}",
            "quantity": line.quantity,
            "price": f"{line.price_minor / 100:.2f}",
        }
        for line in cart
    ]
    subtotal = sum(line.quantity * line.price_minor for line in cart) / 100
    return {
        "surface": "checkout",
        "checkout_token": order.checkout_token,
        "locale": "en",
        "country": "US",
        "cart": {"currency": "USD", "subtotal": f"{subtotal:.2f}", "lines": lines},
        "consent": consent,
    }


def _asked(answers: list[dict[str, Any]], times: list[float]) -> Asked:
    return Asked(
        answers=len(answers),
        with_offers=sum(bool(answer["offers"]) for answer in answers),
        held_out=sum(answer["arm"] == "holdout" for answer in answers),
        p50_ms=round(times[len(times) // 2], 2),
        p99_ms=round(times[min(len(times) - 1, len(times) * 99 // 100)], 2),
    )

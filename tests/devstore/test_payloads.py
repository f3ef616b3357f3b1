"""Every webhook payload has the shape that Shopify documents."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devstore import cart as carts
from devstore import checkout as checkouts
from devstore import order_payloads
from devstore.events import TOPICS
from devstore.payloads import bulk_finish
from devstore.schema import MODULES
from devstore.shop import refund
from tests.devstore.conftest import Desk, past_order, second_customer
from tests.devstore.small_shop import NOW, small_shop

JUDGE = Path(__file__).with_name("check_payloads.mjs")

pytestmark = pytest.mark.skipif(
    not (MODULES / "shopify-webhook-schemas").exists() or shutil.which("node") is None,
    reason="npm packages are not installed: make setup",
)


def judge(asked: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the schema's errors by topic."""
    run = subprocess.run(
        ["node", str(JUDGE)], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return {found["topic"]: found["errors"] for found in json.loads(run.stdout)}


async def test_every_topic_fits_the_published_schema(desk: Desk) -> None:
    shop = desk.shop
    for product in shop.products.values():
        product.image = f"http://devstore.test/images/{product.id}.svg"
    shop.variants[104].cost_minor = 250
    second_customer(shop)
    await desk.post("/control/install")
    cart = carts.start(shop, "a-cart", NOW, 7)
    carts.add(shop, cart, 102, 2, NOW)
    bought = checkouts.start(shop, "a-token", NOW, [(101, 2, (("_tillwise_decision", "d1"),))], 7, "a-cart")
    checkouts.apply_code(shop, bought, "tenth", NOW)
    checkouts.complete(shop, bought, NOW)
    # They leave less for the others.
    last = (
        "checkouts/delete", "refunds/create", "orders/delete", "collections/delete", "products/delete",
        "customers/delete",
    )  # fmt: skip
    done = bulk_finish(1, "completed", None, NOW, NOW)
    made = [
        {"topic": topic, "payload": TOPICS[topic](desk.store, shop, None)}
        for topic in (*sorted(TOPICS.keys() - {*last, "bulk_operations/finish"}), *last)
    ] + [{"topic": "bulk_operations/finish", "payload": done}]
    assert judge(made) == {entry["topic"]: [] for entry in made}


def test_an_order_keeps_what_ties_it_to_a_decision() -> None:
    shop = small_shop()
    properties = (("_tillwise_decision", "d1"), ("_tillwise_offer", "o1"))
    bought = checkouts.start(shop, "token-1", NOW, [(101, 2, ()), (102, 1, properties)], 7)
    checkouts.apply_code(shop, bought, "TENTH", NOW)
    payload = order_payloads.order(shop, checkouts.complete(shop, bought, NOW))
    assert payload["checkout_token"] == "token-1"
    assert payload["line_items"][1]["properties"] == [
        {"name": "_tillwise_decision", "value": "d1"},
        {"name": "_tillwise_offer", "value": "o1"},
    ]
    # 2 x 3.49 + 4.25 = 11.23; a tenth off each line: .70 and .42 (rounded half to even)
    assert (payload["total_line_items_price"], payload["total_discounts"]) == ("11.23", "1.12")
    assert payload["total_price"] == "10.11"
    assert payload["discount_codes"] == [{"code": "TENTH", "amount": "1.12", "type": "percentage"}]
    assert payload["discount_applications"][0]["value"] == "10.0"


def test_a_refund_lowers_what_is_left_of_the_order() -> None:
    shop = small_shop()
    order = past_order(shop, 1)
    made = refund(shop, order, {order.lines[0].id: 1}, NOW)
    payload = order_payloads.order(shop, order)
    assert order_payloads.refund(shop, order, made)["refund_line_items"][0]["subtotal"] == 3.49
    assert payload["current_total_price"] == "3.49"
    assert payload["financial_status"] == "partially_refunded"
    assert payload["line_items"][0]["current_quantity"] == 1
    with pytest.raises(ValueError, match="has 1 left to refund"):
        refund(shop, order, {order.lines[0].id: 2}, NOW)

"""What a checkout paints first, by the cases that the extension is tested with as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.ahead.form import (
    MOST_BYTES,
    AheadOffer,
    AheadWhy,
    CustomerOffers,
    ProductOffers,
    SegmentOffers,
    ShopOffers,
    write_offers,
    write_segments,
)
from app.ahead.paint import Buyer, HeldMetafields, paint, read
from app.values import shopify_id

CASES: list[dict[str, Any]] = json.loads(
    Path("extensions/checkout-offers/tests/offers-ahead.cases.json").read_text()
)["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_checkout_paints_what_both_languages_agree_on(case: dict[str, Any]) -> None:
    painted = paint(held(case["metafields"]), buyer(case))
    told = [[each.product_id, *([list(first(each))] if each.why else [])] for each in painted]
    assert told == case["painted"]


def test_what_is_written_is_read_again() -> None:
    value = ShopOffers(1, "USD", "salt", (("holdout", 0.05),), (offer(1),))
    assert read(write_offers(value), ShopOffers) == value


def test_offers_beyond_what_a_checkout_reads_are_left_out() -> None:
    long = tuple(offer(each, title="Ä" * 255) for each in range(1, 41))  # 40 times 510 bytes of title
    text = write_offers(ProductOffers(1, long))
    kept = read(text, ProductOffers)
    assert kept is not None
    assert kept.offers == long[: len(kept.offers)]
    assert len(text.encode()) <= MOST_BYTES < len(text.encode()) + 700


def test_segments_beyond_what_a_checkout_reads_are_left_out() -> None:
    of_each = [(f"segment {at}", (offer(at, title="x" * 200),) * 6) for at in range(1, 40)]
    kept = read(write_segments(of_each), SegmentOffers)
    assert kept is not None
    assert list(kept.segments) == sorted(name for name, _ in of_each[: len(kept.segments)])
    assert 0 < len(kept.segments) < 39


def offer(product_id: int, title: str = "Oats") -> AheadOffer:
    return AheadOffer(product_id, product_id * 10, title, "3.50", why=(AheadWhy("popular"),))


def first(each: AheadOffer) -> tuple[Any, ...]:
    why = each.why[0]
    return (why.reason, why.with_product_id) if why.with_product_id else (why.reason,)


def held(metafields: list[dict[str, Any]]) -> HeldMetafields:
    found: dict[tuple[str, str], dict[int, str]] = {}
    for each in metafields:
        owner, key = each["target"], each["metafield"]["key"]
        found.setdefault((owner["type"], key), {})[shopify_id(owner["id"])] = each["metafield"]["value"]
    products = {at: read(text, ProductOffers) for at, text in found.get(("product", "offers"), {}).items()}
    return HeldMetafields(
        shop=one(found.get(("shop", "offers")), ShopOffers),
        segments=one(found.get(("shop", "segment_offers")), SegmentOffers),
        products={at: each for at, each in products.items() if each},
        customer=one(found.get(("customer", "offers")), CustomerOffers),
    )


def one(values: dict[int, str] | None, kind: Any) -> Any:
    return read(next(iter(values.values())), kind) if values else None


def buyer(case: dict[str, Any]) -> Buyer:
    customer, consent = case["customer"], case["consent"]
    answers = (consent["preferences"], consent["marketing"])
    return Buyer(
        cart=case["cart"],
        checkout_token=case["checkout_token"],
        client_id=case.get("client_id"),
        analytics=consent["analytics"],
        customer_id=customer if isinstance(customer, int) else None,
        knows_customer=customer != "unknown",
        personal=answers == (True, True),
        refused=False in answers,
    )

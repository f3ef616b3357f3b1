from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.archive.parts import pack, read_manifest, unpack
from app.campaigns.campaign import Running
from app.catalog.catalog import Catalog, Product, Variant
from app.offers.snapshot import take_snapshot
from app.offers.sources import Sources
from app.orders.returns import ReturnRates
from tests.campaigns.factories import a_campaign
from tests.offers.factories import SHOP


def a_product(product_id: int, price_minor: int = 500) -> Product:
    variant = Variant(product_id * 10, "", price_minor, in_stock=True, stock=3, cost_minor=price_minor // 2)
    return Product(product_id, f"Tea {product_id}", (variant,), tags=("green",), product_type="tea")


def sources(products: int = 300, **changes: Any) -> Sources:
    first = 8_000_000_000_000
    catalog = Catalog("EUR", {first + n: a_product(first + n) for n in range(products)})
    fields: dict[str, Any] = {
        "catalog": catalog, "model_version": None, "excluded": frozenset({3}), "settings": {"pinned": [2]},
        "campaigns": [Running(a_campaign("b"), 4)], "time_zone": "Europe/Berlin",
        "returns": ReturnRates(0.1, {2: 0.3}), "weights": {"best": {"a": 0.5}},
    }  # fmt: skip
    return Sources(**(fields | changes))


def snapshot_version(given: Sources) -> str:
    return take_snapshot(SHOP, given).version


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400))
def test_what_is_packed_comes_back_and_makes_the_same_snapshot(products: int) -> None:
    given = sources(products)
    packed = pack(given)
    back = unpack(read_manifest(packed.manifest), packed.parts)
    assert back.catalog.products == given.catalog.products
    assert (back.excluded, back.settings, back.campaigns) == (given.excluded, given.settings, given.campaigns)
    assert (back.time_zone, back.returns, back.weights) == (given.time_zone, given.returns, given.weights)
    assert snapshot_version(back) == snapshot_version(given)


def test_a_changed_price_makes_one_part_anew() -> None:
    before = sources(1_000)
    there = pack(before)
    product_id = next(iter(before.catalog.products))
    products = {**before.catalog.products, product_id: a_product(product_id, 600)}
    again = pack(replace(before, catalog=Catalog("EUR", products)), there.parts.keys())
    assert len(there.parts) > 10
    assert len(again.parts) == 1


def test_the_same_sources_need_no_new_part_and_have_the_same_manifest() -> None:
    there = pack(sources())
    again = pack(sources(), there.parts.keys())
    assert (again.parts, again.manifest) == ({}, there.manifest)

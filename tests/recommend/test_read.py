"""From tables and files to a data set: what is merged, what is counted, what is refused and how."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputError
from app.recommend.dataset import ANONYMOUS
from app.recommend.read import build_dataset
from app.recommend.store import read_files


def orders(*rows: dict[str, Any]) -> pl.DataFrame:
    line = {"order_id": "1", "customer_id": "7", "created_at": "2026-01-02T10:00:00Z", "product_id": "10"}
    return pl.DataFrame([line | {"quantity": "1", "price": "2.50"} | row for row in rows])


def test_lines_become_baskets_oldest_first() -> None:
    dataset = build_dataset(
        orders(
            {"order_id": "2", "created_at": "2026-03-01"},
            {"order_id": "1", "product_id": "20"},
            {"order_id": "1", "product_id": "10", "customer_id": "7"},
        )
    )
    assert dataset.items.product_ids.tolist() == [10, 20]
    assert [sorted(dataset.baskets.of(at).tolist()) for at in (0, 1)] == [[0, 1], [0]]
    assert dataset.baskets.times.tolist() == [1767348000, 1772323200]
    assert dataset.customer_ids.tolist() == [7]


def test_a_product_twice_in_an_order_is_one_entry_and_counted() -> None:
    dataset = build_dataset(orders({}, {}, {"product_id": "20"}))
    assert len(dataset.baskets.items) == 2
    assert dataset.counts["repeated_lines"] == 1


def test_returned_lines_and_lines_without_a_product_are_left_out_and_counted() -> None:
    dataset = build_dataset(orders({}, {"product_id": None}, {"product_id": "20", "quantity": "0"}))
    assert len(dataset.baskets.items) == 1
    assert (dataset.counts["lines_without_product"], dataset.counts["lines_of_quantity_zero"]) == (1, 1)


def test_orders_without_customers_are_anonymous() -> None:
    some = build_dataset(orders({"customer_id": ""}, {"order_id": "2"}))
    assert some.baskets.customers.tolist() == [ANONYMOUS, 0]
    none = build_dataset(orders({}).drop("customer_id", "quantity", "price"))
    assert none.baskets.customers.tolist() == [ANONYMOUS]


def test_ordered_products_that_the_catalogue_lacks_are_kept_and_counted() -> None:
    products = pl.DataFrame({"product_id": [20], "title": ["Sea salt"]})
    dataset = build_dataset(orders({}), products)
    assert dataset.items.titles == ("10", "Sea salt")
    assert dataset.counts["unknown_products"] == 1


def test_shopifys_global_ids_are_their_numbers() -> None:
    dataset = build_dataset(orders({"product_id": "gid://shopify/Product/55"}))
    assert dataset.items.product_ids.tolist() == [55]


def test_other_ids_are_numbered_alike_in_both_tables() -> None:
    products = pl.DataFrame({"product_id": ["SKU-B", "SKU-A"], "title": ["B", "A"]})
    dataset = build_dataset(orders({"product_id": "SKU-B"}), products)
    assert dataset.items.titles == ("A", "B")
    assert dataset.baskets.items.tolist() == [1]


def test_products_share_features_by_vendor_type_tag_and_word() -> None:
    shared = {"vendor": "Acme", "product_type": "Salt", "tags": "sea, fine"}
    rows = [{"product_id": 1, "title": "Sea salt"} | shared, {"product_id": 2, "title": "Rock salt"} | shared]
    dataset = build_dataset(orders({}).clear(), pl.DataFrame(rows))
    assert dataset.items.feature_names == (
        "product_type:salt",
        "tag:fine",
        "tag:sea",
        "vendor:acme",
        "word:salt",
    )
    assert dataset.items.features.toarray().tolist() == [[1] * 5, [1] * 5]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02 10:00:00 -0500",
        "2026-01-02T15:00:00.000Z",
        "2026-01-02 15:00",
        "2026-01-02T10:00:00-05:00",
    ],
)
def test_times_are_read_as_shops_write_them(text: str) -> None:
    assert build_dataset(orders({"created_at": text})).baskets.times.tolist() == [1767366000]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"created_at": "soon"}, "orders row 2: created_at 'soon' is not a time"),
        ({"created_at": None}, "orders row 2: created_at None is not a time"),
        ({"quantity": "-1"}, "orders row 2: quantity '-1' is negative"),
        ({"quantity": "two"}, "orders row 2: quantity 'two' is not a number"),
        ({"order_id": ""}, "orders row 2: order_id is empty"),
        ({"customer_id": "8", "order_id": "1"}, "order 1 has more than one customer_id"),
    ],
)
def test_a_wrong_line_is_named(row: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_dataset(orders({}, row))


def test_a_missing_column_is_named_beside_those_that_are_there() -> None:
    with pytest.raises(InputError, match="orders: no column 'product_id'; its columns are: order_id"):
        build_dataset(pl.DataFrame({"order_id": [1]}).with_columns(created_at=pl.lit("2026-01-01")))


def test_a_product_listed_twice_is_refused() -> None:
    with pytest.raises(InputError, match="products row 2: product_id 5 is there twice"):
        build_dataset(orders({}), pl.DataFrame({"product_id": [5, 5]}))


def test_files_without_rows_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    empty, header, absent = tmp_path / "empty.csv", tmp_path / "header.csv", tmp_path / "absent.csv"
    empty.touch()
    header.write_text("order_id,created_at,product_id\n")
    binary = tmp_path / "orders.parquet"
    binary.write_bytes(b"not a table")
    for path in (empty, header, absent, binary):
        with pytest.raises(InputError, match=path.name):
            read_files(path)


def test_ids_as_text_and_as_numbers_meet() -> None:
    dataset = build_dataset(orders({"product_id": "10"}), pl.DataFrame({"product_id": [10, 20]}))
    assert dataset.items.product_ids.tolist() == [10, 20]
    assert dataset.counts["unknown_products"] == 0


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    table = orders({}, {"order_id": "2", "product_id": "30", "customer_id": None})
    table.write_csv(tmp_path / "orders.csv")
    table.with_columns(
        pl.col("order_id", "product_id").cast(pl.Int64), pl.col("customer_id").cast(pl.Float64)
    ).write_parquet(tmp_path / "orders.parquet")
    csv, parquet = (read_files(tmp_path / f"orders.{kind}") for kind in ("csv", "parquet"))
    assert csv.baskets.items.tolist() == parquet.baskets.items.tolist()
    assert csv.customer_ids.tolist() == parquet.customer_ids.tolist() == [7]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_no_moment_is_on_two_sides_of_a_split(days: list[int]) -> None:
    rows = [{"order_id": str(at), "created_at": f"2026-01-{1 + day:02}"} for at, day in enumerate(days)]
    split = build_dataset(orders(*rows)).split(0.2, 0.2)
    times = [part.times for part in (split.train, split.validation, split.test)]
    assert sum(map(len, times)) == len(days)
    filled = [part for part in times if len(part)]
    for earlier, later in pairwise(filled):
        assert earlier.max() < later.min()


ORDERS_EXPORT = """\
Name,Email,Financial Status,Cancelled at,Created at,Lineitem quantity,Lineitem name,Lineitem sku,Id,Source
#1001,ann@example.com,paid,,2026-01-02 10:00:00 +0100,1,Salt - Fine - 1 kg,S1,55,web
#1001,ann@example.com,,,,2,Oil - green,,,
#1002,,paid,,2026-01-03 10:00:00 +0100,1,Salt - Fine - 2 kg,,56,web
#1002,,,,,1,Gift wrap,,,
#1003,bob@example.com,voided,2026-01-05 10:00:00 +0100,2026-01-04 10:00:00 +0100,1,Oil,O1,57,web
#1003,bob@example.com,,,,1,Salt - Fine,S1,,
#1004,bob@example.com,paid,,2026-01-06 10:00:00 +0100,1,Oil,O1,58,subscription_contract
#1004,bob@example.com,,,,1,Salt - Fine,S1,,
"""
OLDER_PRODUCTS_EXPORT = """\
Handle,Title,Vendor,Type,Tags,Variant SKU
salt,Salt - Fine,Sea Co,Spices,"white, sea",S1
salt,,,,,S2
oil,Oil,Grove,Oils,green,O1
"""
PRODUCTS_EXPORT = OLDER_PRODUCTS_EXPORT.replace("Handle", "URL handle").replace("Variant SKU", "SKU")


@pytest.mark.parametrize("products", [OLDER_PRODUCTS_EXPORT, PRODUCTS_EXPORT])
def test_shopifys_own_exports_are_read_as_they_are(tmp_path: Path, products: str) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS_EXPORT)
    (tmp_path / "products.csv").write_text(products)
    dataset = read_files(tmp_path / "orders.csv", tmp_path / "products.csv")
    titles = [[dataset.items.titles[item] for item in dataset.baskets.of(at)] for at in (0, 1)]
    assert [sorted(each) for each in titles] == [["Oil", "Salt - Fine"], ["Gift wrap", "Salt - Fine"]]
    assert len(dataset.baskets) == 2, "what was cancelled, or charged by itself, is not learnt"
    assert (dataset.baskets.customers >= 0).tolist() == [True, False]


def test_an_export_of_orders_alone_tells_products_by_their_lines(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS_EXPORT)
    dataset = read_files(tmp_path / "orders.csv")
    assert dataset.baskets.sizes.tolist() == [2, 2]
    assert dataset.items.titles == ("Gift wrap", "Oil - green", "Salt - Fine - 1 kg", "Salt - Fine - 2 kg")

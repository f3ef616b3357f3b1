"""The demo shop's products: the retailer's department, category, type, size, brand; stock, cost invented."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl

from devstore.demo.titles import CRATES, readable, size, slug, title
from devstore.records import Collection, Product, Variant

LABEL = "tillwise_demo"
IN_MAILER = "in mailer"
STORE_BRAND = "Harvest Lane"  # the retailer's own brand has no name in the data
VARIANT_IDS = 100_000_000  # above the retailer's product ids
INVENTORY_IDS = 200_000_000
COLLECTION_IDS = 300_000_000
MAILER = "This week's mailer"
LEAST_STOCK = 24
NOTE = (
    "Demo data: department, category, type, size, brand and price are the retailer's; "
    "image, stock and cost are invented."
)


def products(
    rows: pl.DataFrame, prices: dict[int, int], created_at: datetime, base_url: str, mailer: set[int]
) -> list[Product]:
    """Return the products, best seller first. Titles that repeat are numbered."""
    seen: Counter[str] = Counter()
    made = []
    for row in rows.iter_rows(named=True):
        name = title(row["product_type"], row["package_size"], row["department"])
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name} (no. {seen[name]})"
        made.append(_product(row, name, prices[row["product_id"]], created_at, base_url, mailer))
    return made


def collections(products: Iterable[Product], created_at: datetime) -> list[Collection]:
    """Return a collection of each department, by title, and one of what this week's mailer shows."""
    named: dict[str, list[int]] = {}
    for product in products:
        departments = [tag.partition(":")[2] for tag in product.tags if tag.startswith("department:")]
        for name in [*departments, *([MAILER] if IN_MAILER in product.tags else [])]:
            named.setdefault(name, []).append(product.id)
    return [
        Collection(
            COLLECTION_IDS + number, name, slug(name.replace("'", "")), created_at, created_at, product_ids
        )
        for number, (name, product_ids) in enumerate(sorted(named.items()), 1)
    ]


def _product(
    row: dict[str, Any], name: str, price: int, created_at: datetime, base_url: str, mailer: set[int]
) -> Product:
    number = row["product_id"]
    shown = "" if row["department"] == CRATES else size(row["package_size"])
    variant = Variant(
        VARIANT_IDS + number,
        number,
        shown or "Default Title",
        price,
        inventory=max(LEAST_STOCK, row["units"] // 2),
        inventory_item_id=INVENTORY_IDS + number,
        sku=f"CJ-{number}",
        cost_minor=_cost(number, price),
    )
    return Product(
        number,
        name,
        f"{slug(name)}-{number}",
        _vendor(row),
        readable(row["product_category"]),
        _tags(row, number in mailer),
        created_at,
        created_at,
        [variant],
        f"{base_url}/images/{number}.svg",
        f"<p>{name}. {NOTE}</p>",
    )


def _cost(number: int, price: int) -> int | None:
    """Return what a unit costs the shop, invented: 45 to 75 % of its price; None of every tenth."""
    return None if number % 10 == 0 else price * (45 + number % 31) // 100


def _vendor(row: dict[str, Any]) -> str:
    """Return the brand: the shop's own, or the manufacturer, whom the data gives a number only."""
    return STORE_BRAND if row["brand"] == "Private" else f"Brand {row['manufacturer_id']}"


def _tags(row: dict[str, Any], mailed: bool) -> list[str]:
    facts = {
        "department": readable(row["department"]),
        "category": readable(row["product_category"]),
        "type": readable(row["product_type"]),
        "size": size(row["package_size"]),
        "brand": row["brand"],
    }
    tags = [f"{name}:{value}" for name, value in facts.items() if value]
    return [*tags, *([IN_MAILER] if mailed else []), LABEL]

"""A shop of a few products for tests of pages and of the browser host, with its dev store around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx

from devstore.app_config import AppConfig
from devstore.main import create_store
from devstore.markets import Market
from devstore.records import Collection, Customer, Discount, Product, Subscription, Variant
from devstore.shop import Shop
from devstore.store import Store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DOMAIN = "corner.myshopify.com"
SECRET = "a-secret-of-thirty-two-characters"
GOODS = (
    ("Whole Milk", "Milk", 349, 20),
    ("Sourdough Loaf", "Bread", 425, 20),
    ("Ground Coffee", "Coffee", 899, 20),
    ("Mint Ice Cream", "Ice cream", 549, 0),
)
MARKETS = (
    Market(frozenset({"CA"}), "CAD", rate=1.4),
    Market(frozenset({"EC"}), "USD", adjustment_percent=8, left_out=frozenset({3})),
)


def small_shop() -> Shop:
    """Return a shop with products 1 to 4 (variants 101 to 104, the last sold out) and customer 7.

    Products 1 and 2 are in collection 11.

    In Canada it sells in Canadian dollars, in Ecuador all but the coffee, at higher prices.
    """
    shop = Shop(DOMAIN, "Corner", "USD", NOW, markets=MARKETS)
    for number, (title, kind, price, stock) in enumerate(GOODS, 1):
        handle = title.lower().replace(" ", "-")
        product = Product(number, title, handle, "Corner's own", kind, [], NOW, NOW)
        product.variants.append(Variant(100 + number, number, "Default Title", price, stock, 900 + number))
        shop.add_product(product)
    shop.add_collection(Collection(11, "Good morning", "breakfast", NOW, NOW, [1, 2]))
    shop.add_customer(Customer(7, "Ada", "Lind", "ada@example.com", NOW, NOW))
    shop.add_discount(Discount(77, "Tenth off", NOW, codes={"TENTH": 0}, percentage=10))
    return shop


def small_store(
    shop: Shop, topics: tuple[str, ...] = (), base_url: str = "http://devstore", app_url: str = "http://app"
) -> Store:
    """Return a dev store with this shop, whose app wants these topics; its webhooks go nowhere."""
    wanted = tuple(Subscription(n, topic, f"{app_url}/webhooks") for n, topic in enumerate(topics, 1))
    config = AppConfig("the-key", SECRET, app_url, subscriptions=wanted)
    nowhere = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    return create_store(config, [shop], base_url=base_url, client=nowhere)


def extension_folders(root: Path, bundles: Mapping[str, str]) -> dict[str, Path]:
    """Return folders as the CLI leaves them, each with this bundle."""
    for name, code in bundles.items():
        (root / name / "dist").mkdir(parents=True)
        (root / name / "dist" / f"{name}.js").write_text(code)
    return {name: root / name for name in bundles}

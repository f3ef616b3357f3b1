"""What the products page shows: what is sold, and what the merchant wishes of each in offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams

from app.admin import store
from app.admin.language import Lazy, _, lazy
from app.admin.products_store import PINNED, USUAL, wishes_of
from app.connections import Connections
from app.shops.store import Shop

PATH = "/admin/products"
# What a merchant can wish: the value that the page sends, and its words. Numbers are factors.
WISHES: Mapping[str, Lazy] = {
    USUAL: lazy("As the model ranks it"),
    PINNED: lazy("First wherever it fits"),
    "5": lazy("Much more often"),
    "2": lazy("More often"),
    "0.5": lazy("Less often"),
}


async def overview(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return products, those with a wish of the merchant's first. query: `q`, words of title or vendor."""
    words = "".join(filter(str.isprintable, query.get("q", ""))).strip()[:100]
    wishes = wishes_of(shop.settings)
    for product_id in await store.gone(connections, shop, wishes.keys()):
        del wishes[product_id]
    found = await store.find_products(connections, shop, words, first=wishes.keys())
    return {
        "products": [(each, options(wishes.get(each.product_id, USUAL))) for each in found],
        "excluded": await store.count_excluded(connections, shop),
        "wished": len(wishes),
        "words": words,
        "most": store.SHOWN_PRODUCTS,
    }


def options(wish: str) -> list[tuple[str, str, bool]]:
    """Return what can be wished of a product: value, words, and whether it is so now."""
    known = {value: str(words) for value, words in WISHES.items()}
    if wish not in known:
        known[wish] = _("Weighed %(factor)s times", factor=wish)
    return [(value, words, value == wish) for value, words in known.items()]

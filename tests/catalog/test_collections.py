from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from app.catalog import collections
from app.catalog.collections import Collection, record_collections, titles_of
from app.catalog.fingerprint import catalog_fingerprint
from app.catalog.store import load_catalog, record_products
from app.connections import Connections
from tests.catalog.test_store import NOON, SHOP, changed, variant

SNOW = Collection(11, "snow", "Winter sale", (2, 3, 9))
NEW = Collection(12, "new", "New in", (2, 3))
OTHER = "b.myshopify.com"


async def told(connections: Connections, *several: Collection, minutes: int = 0) -> bool:
    return await record_collections(connections, SHOP, several, NOON + timedelta(minutes=minutes))


async def in_collections(connections: Connections) -> dict[int, Sequence[str]]:
    catalog = await load_catalog(connections, SHOP)
    return {number: product.in_collections for number, product in catalog.products.items()}


async def test_products_know_their_collections_until_they_are_in_others(
    on_both_databases: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "_FEW", 1)
    monkeypatch.setattr(collections, "_AT_ONCE", 2)
    products = [
        changed(0, variant(10 * number), product_id=number, event_id=f"p{number}") for number in (2, 3, 4)
    ]
    await record_products(on_both_databases, products)
    seen = [await catalog_fingerprint(on_both_databases, SHOP)]
    steps = (
        ((SNOW, NEW), {2: ("new", "snow"), 3: ("new", "snow"), 4: ()}),
        ((SNOW,), {2: ("snow",), 3: ("snow",), 4: ()}),
        ((Collection(11, "ice", "Winter sale", (3, 4)),), {2: (), 3: ("ice",), 4: ("ice",)}),
        ((), {2: (), 3: (), 4: ()}),
    )
    for minutes, (several, expected) in enumerate(steps):
        assert await told(on_both_databases, *several, minutes=minutes)
        assert not await told(on_both_databases, *several, minutes=minutes + 30)
        assert await in_collections(on_both_databases) == expected
        seen.append(await catalog_fingerprint(on_both_databases, SHOP))
    assert all(one != other for one, other in pairwise(seen))


async def test_products_in_the_same_collections_share_what_says_so(connections: Connections) -> None:
    await record_products(
        connections, [changed(0, variant(10 * n), product_id=n, event_id=f"p{n}") for n in (2, 3)]
    )
    await told(connections, SNOW, NEW)
    first, second = (await load_catalog(connections, SHOP)).products.values()
    assert first.in_collections is second.in_collections


async def test_each_shop_has_its_own_collections(on_both_databases: Connections) -> None:
    await told(on_both_databases, SNOW, NEW)
    assert await record_collections(on_both_databases, OTHER, [Collection(11, "snow", "Skis", (2,))], NOON)
    assert await titles_of(on_both_databases, SHOP) == {"snow": "Winter sale", "new": "New in"}
    assert await titles_of(on_both_databases, OTHER) == {"snow": "Skis"}
    assert await titles_of(on_both_databases, SHOP, {"snow", "gone"}) == {"snow": "Winter sale"}
    assert await titles_of(on_both_databases, SHOP, set()) == {}
    await record_collections(on_both_databases, OTHER, [], NOON)
    assert len(await titles_of(on_both_databases, SHOP)) == 2

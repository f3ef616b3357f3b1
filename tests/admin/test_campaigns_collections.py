"""Conditions on collections: chosen and read back by their titles, kept by their handles."""

from __future__ import annotations

from html import unescape
from typing import Any

import httpx
import pytest

from app.admin.campaigns_rows import Row, condition_of
from app.campaigns.store import all_campaigns
from app.catalog.collections import Collection, record_collections
from app.connections import Connections
from tests.admin.campaign_factories import written
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, now, product, shop_row

WINTER = Collection(11, "winter-sale", "Winter Sale!", (7,))


def asking(value: str) -> dict[str, Any]:
    row = {"field": "cart.collections", "compare": "some", "value": value, "upto": ""}
    return {"form": written(groups=[{"match": "all", "conditions": [row]}])}


async def call(browser: httpx.AsyncClient, name: str, value: str) -> Any:
    answer = await browser.post(f"/admin/api/campaigns/{name}", json=asking(value), headers=bearer(SHOP))
    assert answer.status_code == 200
    return answer.json()


async def test_collections_are_chosen_by_their_titles_and_kept_by_their_handles(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), *product(7, "Skis"))
    await record_collections(connections, SHOP, [WINTER, Collection(12, "a11", "Frost", ())], now())
    await record_collections(connections, OTHER, [Collection(13, "theirs", "Theirs", (9,))], now())
    address, entered = entrance("/admin/campaigns/edit", SHOP)
    page = (await browser.get(address, params=entered)).text
    assert '["a11","Frost"],["winter-sale","Winter Sale!"]' in unescape(page).replace(", ", ",")
    assert "Theirs" not in page

    told = await call(browser, "check", "Winter Sale!, a11")
    assert "“Winter Sale!”, “Frost” are among the collections" in told["says"]
    assert told["findings"] == []
    await call(browser, "keep", "Winter Sale!, a11")
    (kept,) = await all_campaigns(connections, SHOP)
    asked = {"in": [{"var": ""}, ["winter-sale", "a11"]]}
    assert kept.campaign.rule == {"some": [{"var": "cart.collections"}, asked]}
    again = (await browser.get(address, params={**entered, "id": kept.campaign.id})).text
    assert 'value="winter-sale, a11"' in again


@pytest.mark.parametrize(
    ("typed", "handle"),
    [
        ("Men - Shoes", "men-shoes"),
        ("Hats & Scarves (new)", "hats-scarves-new"),
        ("Women’s gloves", "womens-gloves"),
        ("冬物 セール", "冬物-セール"),
        ("مَجموعة الشتاء", "مَجموعة-الشتاء"),
        ("sale--50", "sale--50"),
        ("sale-", "sale-"),
        ("सर्दी-सेल", "सर्दी-सेल"),
        ("ฤดูหนาว", "ฤดูหนาว"),
        ("!", "!"),
    ],
)
def test_a_title_becomes_a_handle_and_a_handle_stays_what_it_is(typed: str, handle: str) -> None:
    row = Row("product.collections", "some", typed)
    asked = {"in": [{"var": ""}, [handle]]}
    assert condition_of(row, "") == {"some": [{"var": "product.collections"}, asked]}


async def test_before_collections_were_read_none_is_said_not_to_be_there(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    assert (await call(browser, "check", "Winter sale"))["findings"] == []


async def test_a_collection_that_the_shop_does_not_have_is_told(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    await record_collections(connections, SHOP, [WINTER], now())
    for typed, handle, meant in (
        ("winter sales", "winter-sales", " Did you mean 'winter-sale'?"),
        ("Women’s gloves", "womens-gloves", ""),
    ):
        (found,) = (await call(browser, "check", typed))["findings"]
        assert found == {"message": f"The shop has no collection '{handle}'.{meant}", "stops": False}

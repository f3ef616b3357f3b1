from __future__ import annotations

import httpx
import pytest

from app.connections import Connections
from tests.admin.factories import (
    OTHER,
    bearer,
    keep,
    keep_busy_shop,
    opened,
    shop_row,
)


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def test_merchant_excludes_a_product_and_lets_it_in_again(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    wish = {"product_id": 2, "excluded": True}
    answer = await browser.post("/admin/api/exclusions", json=wish, headers=bearer())
    assert answer.json() == {"title": "Rye bread", "excluded": True}
    await browser.post("/admin/api/exclusions", json=wish, headers=bearer())
    page = await opened(browser, "/admin/products")
    assert page.index("Rye bread") < page.index("Butter")
    assert "Include</s-button>" in page
    wish["excluded"] = False
    await browser.post("/admin/api/exclusions", json=wish, headers=bearer())
    assert "Include</s-button>" not in await opened(browser, "/admin/products")


async def test_product_of_another_shop_can_not_be_excluded(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    await keep(connections, shop_row(OTHER))
    wish = {"product_id": 2, "excluded": True}
    answer = await browser.post("/admin/api/exclusions", json=wish, headers=bearer(OTHER))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"product_id": "2", "excluded": true}',
        b'{"product_id": 2, "excluded": 1}',
        b'{"product_id": 0, "excluded": true}',
        b'{"product_id": 99999999999999999999, "excluded": true}',
        b'{"product_id": 2, "excluded": true, "shop": "other"}',
        b"\xff",
    ],
)
async def test_wish_that_makes_no_sense_is_a_400(
    connections: Connections, browser: httpx.AsyncClient, body: bytes
) -> None:
    await keep_busy_shop(connections)
    answer = await browser.post("/admin/api/exclusions", content=body, headers=bearer())
    assert answer.status_code == 400


async def test_wish_that_is_far_too_long_is_not_read(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_busy_shop(connections)
    body = b'{"product_id": 2, "excluded": true}' + b" " * 5000
    answer = await browser.post("/admin/api/exclusions", content=body, headers=bearer())
    assert answer.status_code == 413


@pytest.mark.parametrize("words", ["rye", "RYE", " bread ", "mill", "rye\0"])
async def test_products_are_found_by_title_or_vendor(
    connections: Connections, browser: httpx.AsyncClient, words: str
) -> None:
    await keep_busy_shop(connections)
    assert "Rye bread" in await opened(browser, "/admin/products", q=words)


@pytest.mark.parametrize("words", ["%", "_", "\\", "<script>"])
async def test_words_are_taken_literally(
    connections: Connections, browser: httpx.AsyncClient, words: str
) -> None:
    await keep_busy_shop(connections)
    page = await opened(browser, "/admin/products", q=words)
    assert "No product matches" in page
    assert "<script>" not in page

"""What sold out between leaving and the letter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.reach.settings import Reach
from app.tables import BackfillRow, ProductRow
from devstore.schema import MODULES
from tests.reach.places import LINES
from tests.reach.scene import DUE, GONE_SILENT, NOW, Scene, checkout, variant

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


def imported(scene: Scene, status: str) -> BackfillRow:
    return BackfillRow(shop=scene.shop, kind="products", status=status, updated_at=NOW)


async def test_what_sold_out_meanwhile_is_neither_promised_nor_linked(scene: Scene) -> None:
    two = checkout(scene, "t", timedelta(seconds=1))
    two.data = two.data | {"lines": [*LINES, {"variant_id": 12, "quantity": 2}]}
    await scene.add(two, variant(scene, 11, 0), variant(scene, 12, None))
    scene.reach = Reach(flow=True, mail=True)
    assert await scene.left(GONE_SILENT, DUE) == 2
    body = str(scene.office.letters[0].get_body(("plain",)))
    assert "Some of it is sold out; still there" in body.replace("=\n", "")
    assert "2 items, 30.00 USD" in body
    assert "/cart/12:2" in body
    (told,) = scene.front.shop.told_flow
    assert (told["Total"], told["Items"]) == (30.0, 2)


async def test_of_what_is_all_sold_out_nobody_is_reminded(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    await scene.add(variant(scene, 11, 0))
    assert await scene.left(DUE) == 0
    assert await scene.messages() == [("mail", "dropped", "sold out")]


async def test_what_the_rest_costs_in_another_currency_is_not_made_up(scene: Scene) -> None:
    two = checkout(scene, "t", timedelta(seconds=1))
    two.data = two.data | {"currency": "EUR", "lines": [*LINES, {"variant_id": 12, "quantity": 2}]}
    await scene.add(two, variant(scene, 11, 0), variant(scene, 12, None))
    assert await scene.left(GONE_SILENT, DUE) == 0
    assert await scene.messages() == [("mail", "dropped", "sold out")]


async def test_what_was_deleted_meanwhile_is_not_linked(scene: Scene) -> None:
    two = checkout(scene, "t", timedelta(seconds=1))
    two.data = two.data | {"lines": [*LINES, {"variant_id": 12, "quantity": 2}]}
    await scene.add(two, variant(scene, 12, None), imported(scene, "done"))
    assert await scene.left(GONE_SILENT, DUE) == 1
    body = str(scene.office.letters[0].get_body(("plain",)))
    assert "/cart/12:2" in body
    assert "2 items, 30.00 USD" in body


async def test_what_is_not_imported_yet_counts_as_there(scene: Scene) -> None:
    await scene.add(imported(scene, "loading"))
    assert await scene.left(GONE_SILENT, DUE) == 1


@pytest.mark.parametrize("no_more", [{"published": False}, {"requires_selling_plan": True}])
async def test_what_a_link_can_not_bring_back_is_no_reason_to_write(
    scene: Scene, no_more: dict[str, bool]
) -> None:
    product = ProductRow(
        shop=scene.shop, product_id=1, title="Cup", created_at=NOW, updated_at=NOW, **no_more
    )
    await scene.add(product, variant(scene, 11, None), imported(scene, "done"))
    assert await scene.left(GONE_SILENT, DUE) == 0
    assert await scene.messages() == [("mail", "dropped", "sold out")]

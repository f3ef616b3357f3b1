"""What is written down of discounts without a code, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.connections import Connections
from app.coupons.terms import REMEMBERED_S
from app.coupons.uses import (
    Discount,
    Honoured,
    discounts_of,
    drop_discounts,
    forget_uses,
    honoured,
    keep_discount,
    note_use,
    used_since,
)

SHOP = "a.myshopify.com"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TEN = Discount("ten", "campaign", "gid://shopify/DiscountAutomaticNode/1", 2, NOW, 3_600)


async def test_a_grant_is_used_once_by_the_order_that_was_heard_of_first(
    on_both_databases: Connections,
) -> None:
    await keep_discount(on_both_databases, SHOP, TEN, NOW)
    noted = [await note_use(on_both_databases, SHOP, "ten", "0" * 12, order, NOW) for order in (1, 2, 1)]
    assert noted == [True, False, False]
    assert not await note_use(on_both_databases, SHOP, "none of ours", "0" * 12, 1, NOW)
    assert await honoured(on_both_databases, SHOP) == {"ten": Honoured(2, frozenset({"0" * 12}))}


async def test_what_was_used_is_known_while_shopify_has_no_discount_for_it(
    on_both_databases: Connections,
) -> None:
    await keep_discount(on_both_databases, SHOP, TEN, NOW)
    await note_use(on_both_databases, SHOP, "ten", "0" * 12, 1, NOW)
    await drop_discounts(on_both_databases, SHOP, {"ten"})
    assert await honoured(on_both_databases, SHOP) == {}
    (kept,) = (await discounts_of(on_both_databases, SHOP)).values()
    assert (kept.discount_id, kept.epoch, kept.epoch_at, kept.lasts_s) == (None, 2, NOW, 3_600)
    assert await used_since(on_both_databases, SHOP, "campaign", NOW) == ["0" * 12]
    assert await used_since(on_both_databases, SHOP, "campaign", NOW + timedelta(seconds=1)) == []


async def test_a_use_is_forgotten_a_month_after_its_grant_ended(on_both_databases: Connections) -> None:
    await keep_discount(on_both_databases, SHOP, TEN, NOW)
    await note_use(on_both_databases, SHOP, "ten", "0" * 12, 1, NOW)
    known = await discounts_of(on_both_databases, SHOP)
    end = NOW + timedelta(seconds=3_600 + REMEMBERED_S)
    await forget_uses(on_both_databases, SHOP, known, end)
    assert len(await used_since(on_both_databases, SHOP, "campaign", NOW)) == 1
    await forget_uses(on_both_databases, SHOP, known, end + timedelta(seconds=1))
    assert await used_since(on_both_databases, SHOP, "campaign", NOW) == []

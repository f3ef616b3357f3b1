from datetime import UTC, datetime

import pytest
from sqlmodel import select

from app.connections import Connections
from app.tables import ShopRow


def shop_row(shop: str) -> ShopRow:
    return ShopRow(shop=shop, publishable_key=f"pk_{shop}", installed_at=datetime.now(UTC))


async def test_what_is_written_is_read_back_with_its_time_zone(on_both_databases: Connections) -> None:
    async with on_both_databases.write() as db:
        db.add(shop_row("a.myshopify.com"))
    async with on_both_databases.read() as db:
        (row,) = (await db.exec(select(ShopRow))).all()
    assert row.installed_at.tzinfo is not None


async def test_an_error_leaves_nothing_half_written(on_both_databases: Connections) -> None:
    with pytest.raises(RuntimeError):
        async with on_both_databases.write() as db:
            db.add(shop_row("a.myshopify.com"))
            await db.flush()
            raise RuntimeError
    async with on_both_databases.read() as db:
        assert (await db.exec(select(ShopRow))).all() == []

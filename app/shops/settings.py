"""A merchant's settings, changed one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlmodel import col, select

from app.connections import Connections
from app.errors import NotFound
from app.tables import ShopRow


async def change_setting(
    connections: Connections, shop: str, name: str, change: Callable[[Any], Any]
) -> None:
    """Replace a setting by what `change` makes of it; concurrent changes follow one another, none is lost.

    change: takes the current value, None where there is none, and returns the new one, None to delete it.
    Raises NotFound for a shop that was never installed, and whatever `change` raises.
    """
    query = select(ShopRow).where(col(ShopRow.shop) == shop).with_for_update()
    async with connections.write() as db:
        row = (await db.exec(query)).first()
        if row is None:
            raise NotFound(f"{shop} is not installed")
        value = change(row.settings.get(name))
        others = {other: kept for other, kept in row.settings.items() if other != name}
        row.settings = others if value is None else {**others, name: value}
        db.add(row)

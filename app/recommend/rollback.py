"""Back to a model that served before, at once and everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from sqlmodel import col, select, update

from app.connections import Connections
from app.errors import NotFound
from app.jobs import alone
from app.recommend.forget import PUBLISHING
from app.recommend.publish import current_version, load, set_current, successor_of, versions
from app.shops.changes import announce_kept
from app.tables import ModelRow
from app.values import ShopDomain
from app.wording import wording


async def roll_back(connections: Connections, shop: ShopDomain, version: str | None = None) -> str:
    """Return the version that serves from now on: the named one, else the champion before the current one.

    Of one that somebody was taken out of, what took its place. It is read whole first. Raises NotFound when
    there is none to go back to, ModelUnusable when its files are damaged; the current one then stays.
    """
    data_dir = connections.settings.data_dir
    async with alone(connections, PUBLISHING, shop):
        current = current_version(data_dir, shop)
        there = [path.name for path in versions(data_dir, shop)]
        wanted = version or await _champion_before(connections, shop, current, there)
        chosen = successor_of(data_dir, shop, wanted) if wanted else None
        if chosen is None:
            wanted = wanted or wording("before the current one")
            raise NotFound(f"{shop} has no version {wanted} on disk: {_names(there)}")
        await asyncio.to_thread(load, chosen)
        set_current(data_dir, shop, chosen.name)
        await _record(connections, shop, chosen.name)
    await announce_kept(connections.redis, shop)
    return chosen.name


async def _champion_before(
    connections: Connections, shop: ShopDomain, current: str | None, there: list[str]
) -> str | None:
    """Return the latest version that served before the current one and is still on disk."""
    query = (
        select(ModelRow.version)
        .where(ModelRow.shop == shop, ModelRow.status == "retired", ModelRow.version != current)
        .where(col(ModelRow.version).in_(there))
        .order_by(col(ModelRow.trained_at).desc())
    )
    async with connections.read() as db:
        return (await db.exec(query)).first()


async def _record(connections: Connections, shop: ShopDomain, chosen: str) -> None:
    """Let the tables say who serves; what was left is withdrawn, not retired: nobody goes back to it."""
    of_shop = col(ModelRow.shop) == shop
    async with connections.write() as db:
        await db.exec(
            update(ModelRow).where(of_shop, col(ModelRow.status) == "champion").values(status="withdrawn")
        )
        await db.exec(
            update(ModelRow).where(of_shop, col(ModelRow.version) == chosen).values(status="champion")
        )


def _names(there: Iterable[str]) -> str:
    return ", ".join(sorted(there)) or wording("none is there")

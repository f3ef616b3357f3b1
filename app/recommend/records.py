"""The database's record of the versions on disk, brought in line with them after a process was killed."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import msgspec
from sqlmodel import col, select, update

from app.connections import Connections
from app.errors import ModelUnusable
from app.recommend.card import Card
from app.recommend.publish import (
    current_version,
    read_card,
    remove_half_written,
    training_of,
    version_path,
    versions,
)
from app.tables import ModelRow
from app.values import ShopDomain


async def record_version(connections: Connections, card: Card) -> None:
    """Store the version's card; a new champion retires the previous one."""
    status = "champion" if card.decision.publish else "rejected"
    row = ModelRow(
        shop=card.shop,
        version=card.version,
        status=status,
        card=msgspec.to_builtins(card),
        trained_at=card.trained_at,
    )
    async with connections.write() as db:
        if card.decision.publish:
            champions = (col(ModelRow.shop) == card.shop, col(ModelRow.status) == "champion")
            await db.exec(update(ModelRow).where(*champions).values(status="retired"))
        await db.merge(row)


async def rename_version(connections: Connections, shop: str, version: str, card: Card | None) -> None:
    """Change the version's row to its successor; without a readable successor the row stays."""
    if card is None:
        return
    values: dict[str, Any] = {"version": card.version, "card": msgspec.to_builtins(card)}
    async with connections.write() as db:
        which = (col(ModelRow.shop) == shop, col(ModelRow.version) == version)
        await db.exec(update(ModelRow).where(*which).values(**values))


async def settle(connections: Connections, shop: ShopDomain) -> None:
    """Finish what a killed process left: versions half written, not recorded, or that never came to serve.

    Only while nobody publishes. What serves stays as it is.
    """
    data_dir = connections.settings.data_dir
    remove_half_written(data_dir, shop)
    current = current_version(data_dir, shop)
    if current is None:
        return
    recorded = await _recorded(connections, shop)
    if current not in recorded:
        try:
            card = read_card(version_path(data_dir, shop, current))
        except ModelUnusable:
            return
        alike = [name for name in recorded if training_of(name) == training_of(current)]
        if alike:
            await rename_version(connections, shop, alike[-1], card)
        else:
            await record_version(connections, card)
        recorded = [*(name for name in recorded if name not in alike[-1:]), current]
    trainings = {training_of(name) for name in recorded}
    for path in versions(data_dir, shop):
        if path.name not in recorded and training_of(path.name) in trainings:
            await asyncio.to_thread(shutil.rmtree, path)


async def _recorded(connections: Connections, shop: str) -> list[str]:
    query = select(ModelRow.version).where(ModelRow.shop == shop).order_by(col(ModelRow.version))
    async with connections.read() as db:
        return list((await db.exec(query)).all())

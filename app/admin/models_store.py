"""What the page of the model reads: the versions of a shop, and which of them can serve again."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from app.connections import Connections
from app.recommend.card import Card
from app.recommend.publish import current_version, versions
from app.shops.store import Shop
from app.tables import ModelRow
from app.upsert import table_of

_MODELS = table_of(ModelRow)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the shop's model. status: champion, retired, withdrawn, rejected.

    there: its files are on disk, so that it can serve. serves: it does.
    """

    card: Card
    status: str
    there: bool
    serves: bool


async def latest_versions(connections: Connections, shop: Shop, most: int) -> list[Version]:
    """Return the latest versions, newest first, with their cards; what nobody can read is left out."""
    query = select(_MODELS.c.card, _MODELS.c.version, _MODELS.c.status).where(_MODELS.c.shop == shop.shop)
    data_dir = connections.settings.data_dir
    there = {path.name for path in versions(data_dir, shop.shop)}
    serves = current_version(data_dir, shop.shop)
    rows = await connections.rows(query.order_by(_MODELS.c.trained_at.desc()).limit(most))
    cards = [(_card(row.card), row) for row in rows]
    return [
        Version(card, row.status, row.version in there, row.version == serves)
        for card, row in cards
        if card is not None
    ]


def _card(content: object) -> Card | None:
    try:
        return msgspec.convert(content, Card)
    except msgspec.ValidationError:
        return None

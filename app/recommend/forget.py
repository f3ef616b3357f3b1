"""A person taken out of every version of a shop's models: no file holds what was learnt of them.

What was learnt of products stays: a training without them is asked for beside.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.connections import Connections
from app.errors import ModelUnusable
from app.jobs import alone
from app.recommend.card import Card
from app.recommend.model import Model
from app.recommend.publish import load, publish_successor, read_card, versions, withdraw
from app.recommend.records import rename_version, settle
from app.recommend.retired import retired_versions
from app.shops.changes import announce_change
from app.values import ShopDomain

PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class StoredEmbedding:
    """What one version on disk holds of a customer."""

    version: str
    customer_id: int
    embedding: list[float]


def without(model: Model, customer_ids: Collection[int]) -> Model:
    """Return the model without these customers; the same one when it has none of them. Pure."""
    stays = ~np.isin(model.customer_ids, np.array(sorted(customer_ids), dtype=np.int64))
    if stays.all():
        return model
    return replace(
        model,
        customer_ids=model.customer_ids[stays],
        customer_embeddings=model.customer_embeddings[stays],
    )


async def read_learnt(
    connections: Connections, shop: ShopDomain, customer_ids: Collection[int]
) -> list[StoredEmbedding]:
    """Return what the versions on disk hold of the customers."""
    return await asyncio.to_thread(_learnt, connections.settings.data_dir, shop, customer_ids)


async def forget_in_models(connections: Connections, shop: ShopDomain, customer_ids: Collection[int]) -> None:
    """Put a version without the customers in the place of each that has one of them.

    Nobody publishes meanwhile. Safe to repeat: a version goes only once its successor is in its place.
    """
    data_dir = connections.settings.data_dir
    async with alone(connections, PUBLISHING, shop):
        await settle(connections, shop)
        for path in await asyncio.to_thread(versions, data_dir, shop):
            held, card = await asyncio.to_thread(_succeeded, data_dir, shop, path, customer_ids)
            if held:
                await rename_version(connections, shop, path.name, card)
                successor = None if card is None else card.version
                await asyncio.to_thread(withdraw, data_dir, shop, path.name, successor)
                await announce_change(connections.redis, shop)
        await asyncio.to_thread(_forget_past, data_dir, shop, customer_ids)


def _learnt(data_dir: Path, shop: ShopDomain, customer_ids: Collection[int]) -> list[StoredEmbedding]:
    found: list[StoredEmbedding] = []
    for path in (*versions(data_dir, shop), *retired_versions(data_dir, shop)):
        try:
            model = load(path)
        except ModelUnusable:
            continue  # an erasure removes it whole
        for at in np.flatnonzero(np.isin(model.customer_ids, sorted(customer_ids))):
            numbers = model.customer_embeddings[at].tolist()
            found.append(StoredEmbedding(path.name, int(model.customer_ids[at]), numbers))
    return found


def _forget_past(data_dir: Path, shop: ShopDomain, customer_ids: Collection[int]) -> None:
    """Delete what was put away of versions that have one of the customers, or can't be read."""
    for path in retired_versions(data_dir, shop):
        try:
            model = load(path)
        except ModelUnusable:
            shutil.rmtree(path)
            continue
        if without(model, customer_ids) is not model:
            shutil.rmtree(path)


def _succeeded(
    data_dir: Path, shop: ShopDomain, path: Path, customer_ids: Collection[int]
) -> tuple[bool, Card | None]:
    """Return whether the version has to go, and the card of its successor, None for one nobody can read."""
    try:
        model = load(path)
        card = read_card(path)
    except ModelUnusable:
        return True, None
    rest = without(model, customer_ids)
    return (False, card) if rest is model else (True, publish_successor(data_dir, shop, card, rest))

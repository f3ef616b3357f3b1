"""When a shop's precomputed offers are stale, and the pause before they are computed again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from sqlalchemy import func, select

from app.catalog.fingerprint import catalog_fingerprint
from app.connections import Connections, redis_key
from app.experiments.versions import running_experiments
from app.jobs import request_job
from app.outbound.offer_metafield_store import count_held
from app.outbound.offer_metafield_writing import may_write
from app.recommend.publish import current_version
from app.segment_tables import CustomerSegmentRow
from app.shops.store import Shop
from app.shops.turns import shops_to_look_at
from app.upsert import table_of

SETTING = "offers_ahead"
# Twenty times as long as it took, so that it takes a twentieth of a core and of Shopify's patience at most.
RESTS = 20
SHORTEST_REST_S = 60
REFUSED_REST_S = 600
_SEGMENTS = table_of(CustomerSegmentRow)


def wanted(settings: dict[str, Any]) -> bool:
    """Return whether the merchant wants offers written ahead, which is on by default. Pure."""
    return settings.get(SETTING) is not False


async def request_due_offers(connections: Connections) -> None:
    """Request a run for every shop whose precomputed offers may be stale."""
    for shop in await shops_to_look_at(connections, "offers ahead"):
        if not await connections.redis.exists(_rest(shop.shop)) and await _is_due(connections, shop):
            await request_job(connections, "offers_ahead", shop.shop)


async def made_from(connections: Connections, shop: Shop) -> str:
    """Return a hash of all that the offers are computed from."""
    changes = select(func.max(_SEGMENTS.c.changed_at), func.count()).where(_SEGMENTS.c.shop == shop.shop)
    customers = tuple(await connections.row(changes))
    version = current_version(connections.settings.data_dir, shop.shop)
    catalog = await catalog_fingerprint(connections, shop.shop)
    splits = [(each.salt, each.ramp) for each in await running_experiments(connections, shop.shop)]
    told = (sorted(shop.settings.items()), sorted(shop.scopes), version, catalog, customers, splits)
    return blake2b(repr(told).encode(), digest_size=12).hexdigest()


async def note_made(connections: Connections, shop: str, source: str, took_s: float) -> None:
    """Record what the written offers were computed from, and rest in proportion to how long that took."""
    await connections.redis.set(_seen(shop), source)
    await rest(connections, shop, max(SHORTEST_REST_S, int(RESTS * took_s)))


async def rest(connections: Connections, shop: str, rest_s: int) -> None:
    """Begin no run for the shop for `rest_s` seconds."""
    await connections.redis.set(_rest(shop), 1, ex=rest_s)


async def make_due(connections: Connections, shop: str) -> None:
    """Make the shop's offers due at once."""
    await connections.redis.delete(_seen(shop), _rest(shop))


async def _is_due(connections: Connections, shop: Shop) -> bool:
    if not wanted(shop.settings):
        held = await count_held(connections, shop.shop)
        return any(count and may_write(shop.scopes, kind) for kind, count in held.items())
    seen: Any = await connections.redis.get(_seen(shop.shop))
    return bool(seen != (await made_from(connections, shop)).encode())


def _seen(shop: str) -> str:
    return redis_key(shop, "ahead", "seen")


def _rest(shop: str) -> str:
    return redis_key(shop, "ahead", "rest")

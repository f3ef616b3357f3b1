"""The codes that wait to be handed out, in Redis. The database is the truth; this is what decide reaches."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.connections import Connections, redis_key

# What was put in once is not put in again, however late its grant is written down. KEYS: the pool, what was
# ever in it. ARGV: codes.
_FILL = """
for _, code in ipairs(ARGV) do
  if redis.call('SADD', KEYS[2], code) == 1 then redis.call('RPUSH', KEYS[1], code) end
end
return redis.call('LLEN', KEYS[1])
"""


def pool_key(shop: str, pool_id: str) -> str:
    """Return where a pool's codes wait."""
    return redis_key(shop, "coupons", pool_id)


async def fill(connections: Connections, shop: str, pool_id: str, codes: Sequence[str]) -> int:
    """Return how many codes wait once these are in; those that ever were in it stay where they went."""
    script = connections.redis.register_script(_FILL)
    return int(await script(keys=[pool_key(shop, pool_id), _ever(shop, pool_id)], args=codes))


async def forget_codes(connections: Connections, shop: str, pool_id: str, codes: Collection[str]) -> None:
    """Forget that codes were in it: those that came back may be put in again, those that are gone won't."""
    if codes:
        await connections.redis.srem(_ever(shop, pool_id), *codes)


async def drop_pool(connections: Connections, shop: str, pool_id: str) -> None:
    """Hand out no more of the pool."""
    await connections.redis.delete(pool_key(shop, pool_id))


async def forget_pool(connections: Connections, shop: str, pool_id: str) -> None:
    """Forget all of the pool."""
    await connections.redis.delete(pool_key(shop, pool_id), _ever(shop, pool_id))


def _ever(shop: str, pool_id: str) -> str:
    return redis_key(shop, "coupons", pool_id, "ever")

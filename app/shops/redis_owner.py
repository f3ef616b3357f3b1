"""Whose a Redis is: of two installations on one, each would take events of the other."""

from __future__ import annotations

from hashlib import blake2b

from app.connections import Connections
from app.shops.secrets import installation_secret

_OWNER = "tw:installation"


async def claim_redis(connections: Connections) -> bool:
    """Return whether the Redis is this installation's; where it was nobody's it is from now on."""
    await connections.redis.set(_OWNER, await _name(connections), nx=True)
    return await owns_redis(connections)


async def owns_redis(connections: Connections) -> bool:
    """Return whether the Redis is this installation's, or nobody's yet."""
    owner = await connections.redis.get(_OWNER)
    return owner is None or owner == await _name(connections)


async def _name(connections: Connections) -> bytes:
    secret = await installation_secret(connections, "digests")
    return blake2b(b"installation", digest_size=16, key=secret).hexdigest().encode()

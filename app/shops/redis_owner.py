"""Which installation a Redis belongs to: two that share one would take each other's events."""

from __future__ import annotations

import logging
from hashlib import blake2b

from redis.exceptions import RedisError

from app.connections import Connections
from app.failures import reason_of
from app.shops.secrets import installation_secret

_OWNER = "tw:installation"
_log = logging.getLogger(__name__)


async def claim_redis(connections: Connections) -> None:
    """Claim the Redis for this installation, unless another one has: that is logged as an error.

    A Redis that is away or full does not stop the process: the next one claims it.
    """
    try:
        await connections.redis.set(_OWNER, await _name(connections), nx=True)
        if not await owns_redis(connections):
            _log.error("this Redis is another installation's too: each takes events of the other")
    except (RedisError, OSError) as error:
        _log.warning("this Redis is not claimed, as it does not take it", extra={"reason": reason_of(error)})


async def owns_redis(connections: Connections) -> bool:
    """Return whether the Redis is this installation's, or not claimed yet."""
    owner = await connections.redis.get(_OWNER)
    return owner is None or owner == await _name(connections)


async def _name(connections: Connections) -> bytes:
    secret = await installation_secret(connections, "digests")
    return blake2b(b"installation", digest_size=16, key=secret).hexdigest().encode()

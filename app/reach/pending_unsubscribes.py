"""Who unsubscribed while the database was away: kept in Redis until it is back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.connections import Connections
from app.reach.suppressions import UNSUBSCRIBED, suppress
from app.reach.unsubscribe_link import SECRET, has_form, read_token, shop_named
from app.shops.secrets import installation_secret
from app.upsert import chunks

MOST = 10_000  # beyond it, somebody makes them up
_WISHES = "tw:unsubscribe"  # by the link's token, which names nobody but by a keyed hash


async def remember_unsubscribe(connections: Connections, token: str, now: datetime) -> bool:
    """Keep the request and return whether it was kept. The token is verified only when it is carried out."""
    if not has_form(token) or await connections.redis.hlen(_WISHES) >= MOST:
        return False
    await connections.redis.hset(_WISHES, token, now.timestamp())
    return True


async def carry_out_unsubscribes(connections: Connections) -> None:
    """Carry out the requests that were kept while the database was away."""
    kept: Any = await connections.redis.hgetall(_WISHES)
    for token, at in kept.items():
        secret = await installation_secret(connections, SECRET)
        if (meant := read_token(secret, token.decode())) is not None:
            await suppress(connections, *meant, UNSUBSCRIBED, datetime.fromtimestamp(float(at), UTC))
        await connections.redis.hdel(_WISHES, token)


async def forget_unsubscribes(connections: Connections, shop: str) -> None:
    """Delete the requests of the shop's recipients."""
    kept: Any = await connections.redis.hkeys(_WISHES)
    for part in chunks([each for each in kept if shop_named(each.decode()) == shop]):
        await connections.redis.hdel(_WISHES, *part)

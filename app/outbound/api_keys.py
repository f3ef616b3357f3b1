"""API keys to a shop's segments: made, shown once, revoked. Only their hashes are kept."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from sqlmodel import col, select

from app.connections import Connections, redis_key
from app.errors import NotFound
from app.outbound_tables import ApiKeyRow
from app.shops.store import Shop, installed_shop

PER_MINUTE = 120
_KEY = re.compile(r"twk_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it may be shown. secret: only when it was just made."""

    key_id: str
    label: str
    made_at: datetime
    revoked_at: datetime | None = None
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: the key, and the shop it opens."""

    shop: Shop
    key_id: str


async def make_key(connections: Connections, shop: str, label: str = "") -> ApiKey:
    """Return a new key of the shop with its secret, which is kept nowhere.

    Raises NotFound, also of a shop that left: it would open nothing.
    """
    if await installed_shop(connections, shop) is None:
        raise NotFound(f"{shop} is not installed")
    secret = f"twk_{secrets.token_urlsafe(32)}"
    made = ApiKey(secrets.token_hex(4), label, datetime.now(UTC), secret=secret)
    row = ApiKeyRow(shop=shop, key_id=made.key_id, label=label, digest=_digest(secret), made_at=made.made_at)
    async with connections.write() as db:
        db.add(row)
    return made


async def revoke_key(connections: Connections, shop: str, key_id: str) -> None:
    """Revoke the key from the next call on. Raises NotFound."""
    async with connections.write() as db:
        row = await db.get(ApiKeyRow, (shop, key_id))
        if row is None:
            raise NotFound(f"{shop} has no key {key_id!r}")
        row.revoked_at = row.revoked_at or datetime.now(UTC)
        db.add(row)


async def keys_of(connections: Connections, shop: str) -> list[ApiKey]:
    """Return the shop's keys, the oldest first, without their secrets."""
    query = select(ApiKeyRow).where(ApiKeyRow.shop == shop).order_by(col(ApiKeyRow.made_at))
    async with connections.read() as db:
        return [ApiKey(row.key_id, row.label, row.made_at, row.revoked_at) for row in await db.exec(query)]


async def holder_of(connections: Connections, secret: str) -> Holder | None:
    """Return whose key it is; None for any other, a revoked one, and one of a shop that left.

    The key is 256 random bits: an unsalted hash of it can't be tried out.
    """
    if not _KEY.fullmatch(secret):
        return None
    mine = (col(ApiKeyRow.digest) == _digest(secret), col(ApiKeyRow.revoked_at).is_(None))
    async with connections.read() as db:
        row = (await db.exec(select(ApiKeyRow).where(*mine))).first()
    shop = await installed_shop(connections, row.shop) if row else None
    return Holder(shop, row.key_id) if row and shop else None


async def seconds_to_wait(connections: Connections, holder: Holder, now: datetime) -> int:
    """Return 0 while the key may ask this minute, else the seconds until the next one. This call counts."""
    minute, second = divmod(int(now.timestamp()), 60)
    key = redis_key(holder.shop.shop, "api", holder.key_id, minute)
    async with connections.redis.pipeline(transaction=True) as pipe:
        pipe.incr(key)
        pipe.expire(key, 120)
        asked, _ = await pipe.execute()
    return 0 if asked <= PER_MINUTE else 60 - second


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()

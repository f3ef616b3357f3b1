"""Codes handed out: one shopper, one pool, one code, for as long as it is theirs.

A grant is one step in Redis, however many of a shopper's tabs and blocks ask at once: who holds a code is
told it again, who holds none, or one that was withdrawn, takes the next of the pool.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from app.consent.barred import barred_unit
from app.consent.digests import Digests
from app.coupons.pool import pool_key
from app.coupons.terms import REMEMBERED_S, USED_REMEMBERED_S
from app.profiles.keys import granted_key

# A grant is `CODE ends`, and `CODE 0` once an order used it.
# KEYS: the shopper's grants, the pool, and until when what began of them is not kept. ARGV: the pool's name,
# when it ends, how long it is remembered (s), what a grant begins with that holds no more, before when one
# must have ended to be forgotten, when the shopper asked.
_GRANT = """
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then
  local gone = ARGV[4] ~= '' and string.sub(held, 1, #ARGV[4]) == ARGV[4]
  local ends = tonumber(string.match(held, ' (%d+)$'))
  if not gone and (ends == 0 or ends >= tonumber(ARGV[5])) then return held end
end
local code = redis.call('LPOP', KEYS[2])
if not code then return false end
local grant = code .. ' ' .. ARGV[2]
if tonumber(redis.call('GET', KEYS[3]) or '0') >= tonumber(ARGV[6]) then return grant end
redis.call('HSET', KEYS[1], ARGV[1], grant)
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return grant
"""
# KEYS: the shopper's grants. ARGV: how long it is remembered (s), codes.
_USED = """
local held = redis.call('HGETALL', KEYS[1])
for at = 1, #held, 2 do
  local code = string.match(held[at + 1], '^(.*) %d+$')
  for n = 2, #ARGV do
    if code == ARGV[n] then
      redis.call('HSET', KEYS[1], held[at], code .. ' 0')
      redis.call('EXPIRE', KEYS[1], ARGV[1])
    end
  end
end
"""


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A code that a decision wants for a shopper. pool_id: where it is taken from.

    unit: who they are as far as may be used: `customer:7`. instead_of: a code of theirs that was withdrawn.
    """

    shop: str
    campaign_id: str
    pool_id: str
    unit: str
    expires_s: int
    now: datetime
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class GrantedCode:
    """A shopper's code and when it ends for them, which may have passed."""

    code: str
    expires_at: datetime


async def grant(redis: Redis, digests: Digests, wanted: Sequence[CodeRequest]) -> list[GrantedCode | None]:
    """Return each one's code, in one round trip; None where the pool is empty. A repeat gets the same code.

    A code whose time has passed is returned as it was: the shopper had theirs. Of who was erased since
    they asked it is not kept whose the code is. Raises RedisError.
    """
    async with redis.pipeline(transaction=False) as pipe:
        for each in wanted:
            keys = (
                granted_key(each.shop, each.unit),
                pool_key(each.shop, each.pool_id),
                barred_unit(digests, each.shop, each.unit),
            )
            remembered = each.expires_s + REMEMBERED_S
            gone, now = f"{each.instead_of} " if each.instead_of else "", int(each.now.timestamp())
            # Not a registered script: a pipeline asks first whether those are there.
            argv = each.pool_id, now + each.expires_s, remembered, gone, now - REMEMBERED_S, now
            pipe.eval(_GRANT, len(keys), *keys, *argv)
        held: list[Any] = await pipe.execute()
    return [None if one is None else _granted(one) for one in held]


async def note_used(redis: Redis, shop: str, unit: str, codes: Collection[str]) -> None:
    """Remember that the shopper used these codes, of those that are kept as granted to them."""
    await redis.eval(_USED, 1, granted_key(shop, unit), USED_REMEMBERED_S, *codes)


def _granted(packed: bytes) -> GrantedCode:
    code, _, ends = packed.decode().rpartition(" ")
    return GrantedCode(code, datetime.fromtimestamp(int(ends), UTC))

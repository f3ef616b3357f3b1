"""Deletes a lease that has longer to live than it is ever given, because Redis's clock was set back."""

from __future__ import annotations

from redis.asyncio import Redis

_LET_GO = """
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[1]) then
  return redis.call('DEL', KEYS[1])
end
return 0
"""


async def let_go_if_overlong(redis: Redis, key: str, longest_ms: int) -> bool:
    """Delete the key if it has longer to live than `longest_ms`; return whether it was deleted.

    It was set before Redis's clock was set back, and would keep everybody out until that time comes again.
    """
    return bool(await redis.eval(_LET_GO, 1, key, longest_ms))

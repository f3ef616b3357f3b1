"""Lets go of a lease that would outlive its longest term, because Redis's clock was set back."""

from __future__ import annotations

from redis.asyncio import Redis

_LET_GO = """
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[1]) then
  return redis.call('DEL', KEYS[1])
end
return 0
"""


async def let_go_if_overlong(redis: Redis, key: str, longest_ms: int) -> bool:
    """Return whether the key was deleted: it had longer to live than it is ever given.

    It was set before Redis's clock was set back, and would keep everybody out until that time comes again.
    """
    return bool(await redis.eval(_LET_GO, 1, key, longest_ms))

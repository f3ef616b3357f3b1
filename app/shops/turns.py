"""Which shops a schedule checks: the active ones each time, the others round-robin.

To look costs queries, and of thousands of shops most have nothing new at any moment. Where there are few,
each is looked at each time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from sqlmodel import col, select

from app.connections import Connections
from app.shops.active import active_shops
from app.shops.store import Shop, shop_of
from app.tables import ShopRow
from app.upsert import chunks

FEW = 100  # shops that are all looked at every time
LATELY_S = 15 * 60
ALL_WITHIN_S = 3600  # by then each shop had its turn
# Workers whose clocks are some minutes apart: each would begin anew after the other.
_CLOCKS_DIFFER_S = 900
_TURNS = "tw:turns"


async def shops_to_look_at(
    connections: Connections, work: str, *, lately_s: float = LATELY_S, few: int = FEW
) -> list[Shop]:
    """Return the installed shops that may have this work due, ordered by domain.

    These are the shops with activity in the last `lately_s` seconds, and those of the others whose turn it
    is: once an hour each.
    """
    names = await _installed(connections)
    if len(names) > few:
        active = await active_shops(connections.redis, lately_s)
        turn = await _turn(connections.redis, work, names)
        names = sorted({*turn, *active.intersection(names)})
    return [shop for part in chunks(names) for shop in await _shops(connections, part)]


async def shops_by_turns(connections: Connections, work: str, within_s: float = ALL_WITHIN_S) -> list[Shop]:
    """Return the installed shops whose turn it is, ordered by domain: each has one in `within_s` seconds."""
    names = await _installed(connections)
    turn = sorted(await _turn(connections.redis, work, names, within_s)) if names else []
    return [shop for part in chunks(turn) for shop in await _shops(connections, part)]


async def _turn(redis: Redis, work: str, names: Sequence[str], within_s: float = ALL_WITHIN_S) -> list[str]:
    """Return the names that follow on those of the last turn: the more of them, the longer ago that was."""
    known: Any = await redis.hget(_TURNS, work)
    now = time.time()
    at_s, _space, last = known.decode().partition(" ") if known else ("0", "", "")
    # A turn that lies ahead was noted before a clock was put back. It would leave nobody one until then.
    noted = float(at_s) if float(at_s) < now + _CLOCKS_DIFFER_S else 0.0
    since, each_s = min(now, max(noted, now - within_s)), within_s / len(names)
    many = min(len(names), int((now - since) / each_s))
    if not many:
        return []
    begins = next((at for at, name in enumerate(names) if name > last), 0)
    turn = [*names[begins:], *names[:begins]][:many]
    # What is left of the time passed counts for the next turn.
    await redis.hset(_TURNS, work, f"{since + many * each_s} {turn[-1]}")
    return turn


async def _installed(connections: Connections) -> list[str]:
    query = select(ShopRow.shop).where(col(ShopRow.uninstalled_at).is_(None)).order_by(ShopRow.shop)
    async with connections.read() as db:
        return list(await db.exec(query))


async def _shops(connections: Connections, names: Sequence[str]) -> list[Shop]:
    query = select(ShopRow).where(col(ShopRow.shop).in_(names), col(ShopRow.uninstalled_at).is_(None))
    async with connections.read() as db:
        return [shop_of(row) for row in await db.exec(query.order_by(ShopRow.shop))]

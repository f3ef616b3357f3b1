"""People erased while something about them was under way, so that its result does not bring them back.

What a long job writes by an earlier look at people it writes in its turn, which an erasure waits for. A
checkout waits for nobody: what it writes in Redis asks there whether they were erased, or took their visit
back, meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlmodel import col, delete, select

from app.connections import Connections, redis_key
from app.consent.digests import Digests, open_digests
from app.jobs import alone
from app.privacy_tables import ErasedRow
from app.upsert import chunks

Work = Literal["import", "opt_outs", "profiles", "reviews", "reach", "told"]
_CLOCKS_DIFFER = timedelta(minutes=5)
_UNDER_WAY_S = 60  # no checkout takes so long to answer


def look_and_write(connections: Connections, shop: str, work: Work) -> AbstractAsyncContextManager[None]:
    """Look at people inside, and write what follows: no erasure in the shop ends before it is written.

    Short, as an erasure waits for seconds only, and before anything is asked of others. Work of another kind
    does not wait: between the many batches of one it would hardly ever have its turn.
    """
    return alone(connections, _turn(work), shop)


def _turn(work: Work) -> str:
    return f"writing_{work}"


TURNS = tuple(map(_turn, get_args(Work)))


async def erased_since(
    connections: Connections, shop: str, customer_ids: Iterable[int], since: datetime
) -> list[int]:
    """Return which of the customers were erased since then, or a little before."""
    query = select(ErasedRow.subject).where(
        ErasedRow.shop == shop, col(ErasedRow.erased_at) >= since - _CLOCKS_DIFFER
    )
    async with connections.read() as db:
        erased = set((await db.exec(query)).all())
    if not erased:
        return []
    digests = await open_digests(connections)
    return [each for each in customer_ids if digests.of(shop, "customer", each) in erased]


def barred_key(shop: str, subject: str) -> str:
    """Return where it is until when what began of a subject is not kept in Redis: epoch seconds."""
    return redis_key(shop, "barred", subject)


def barred_unit(digests: Digests, shop: str, unit: str) -> str:
    """Return the same of whom a checkout keeps something. unit: `customer:7`."""
    kind, _, name = unit.partition(":")
    return barred_key(shop, digests.of(shop, kind, name))


async def bar_checkouts(
    connections: Connections, shop: str, subjects: Iterable[str], until: datetime
) -> None:
    """Keep out of Redis what checkouts that began until then have of these subjects, for a minute."""
    for part in chunks(sorted(subjects)):
        async with connections.redis.pipeline(transaction=False) as pipe:
            for subject in part:
                pipe.set(barred_key(shop, subject), until.timestamp(), ex=_UNDER_WAY_S)
            await pipe.execute()


async def shop_erased_since(connections: Connections, shop: str, since: datetime) -> bool:
    """Return whether the shop itself was erased since then."""
    subject = (await open_digests(connections)).of(shop, "shop", shop)
    own = (col(ErasedRow.shop) == subject, col(ErasedRow.subject) == subject)
    query = select(ErasedRow.erased_at).where(*own, col(ErasedRow.erased_at) >= since)
    async with connections.read() as db:
        return (await db.exec(query)).first() is not None


async def let_history_in(connections: Connections, shop: str, installed_at: datetime) -> None:
    """Let what happened in the shop before it was erased be kept again, as it came back later than that."""
    subject = (await open_digests(connections)).of(shop, "shop", shop)
    own = (col(ErasedRow.shop) == subject, col(ErasedRow.subject) == subject)
    async with connections.write() as db:
        await db.exec(delete(ErasedRow).where(*own, col(ErasedRow.erased_at) < installed_at))

"""The consent ledger: every change of every person's consent, appended and never edited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections, redis_key
from app.consent.barred import look_and_write
from app.consent.entries import Entry, standing, taken_in
from app.consent.policy import Answers
from app.consent.told import KEPT_S, pack, told_key
from app.privacy_tables import ConsentRow, ErasedRow
from app.redis_cluster import key_on_each_node
from app.tables import ShopRow
from app.upsert import chunks

_PAGE = 1_000
_RESTORED = redis_key("ledger", "told")

_ERASED_SINCE = exists().where(
    col(ErasedRow.shop) == col(ConsentRow.shop),
    col(ErasedRow.subject) == col(ConsentRow.subject),
    col(ErasedRow.erased_at) >= col(ConsentRow.told_at),
)

Known = dict[str, list[Entry]]


async def append(connections: Connections, shop: str, entries: Sequence[Entry]) -> None:
    """Add the entries that say something new, and keep what stands now where decide reads it."""
    async with connections.write() as db:
        held = await append_to(db, shop, entries)
        # Before the commit: nobody else writes the shop's ledger now, so no older word comes last.
        await _remember(connections, shop, held)


async def append_to(db: AsyncSession, shop: str, entries: Sequence[Entry]) -> Known:
    """Add, in the caller's transaction, what is new; return all that the entries' subjects said.

    Nobody else writes the shop's ledger until that transaction ends. A shop that was erased has none. What
    somebody said before they were erased stays written down, and counts no more.
    """
    if not entries or not await _locked(db, shop):
        return {}
    subjects = {entry.subject for entry in entries}
    known, erased = await _by_subject(db, shop, subjects), await _erased(db, shop, subjects)
    held, now = _since(known, erased), datetime.now(UTC)
    for entry in entries:
        if any(one.event_id == entry.event_id for one in known.get(entry.subject, ())):
            continue
        theirs = held.setdefault(entry.subject, [])
        if taken := taken_in(theirs, entry, now):
            db.add(_row(shop, taken))
            theirs.append(taken)
    return _since(held, erased)


async def histories(connections: Connections, shop: str, subjects: Collection[str]) -> Known:
    """Return all that each of the subjects told, as it was written down."""
    async with connections.read() as db:
        return await _by_subject(db, shop, subjects)


async def answers_of(db: AsyncSession, shop: str, subjects: Collection[str]) -> dict[str, Answers]:
    """Return what stands for each of the subjects that gave an answer; of who was erased, since then."""
    return _standings(await _by_subject(db, shop, subjects, ~_ERASED_SINCE))


async def customers_answers(db: AsyncSession, shop: str) -> dict[str, Answers]:
    """Return what stands for each customer of the shop that gave an answer, by digest, likewise."""
    query = select(ConsentRow).where(ConsentRow.shop == shop, ConsentRow.subject_kind == "customer")
    return _standings(_by_who(await db.exec(query.where(~_ERASED_SINCE).order_by(col(ConsentRow.id)))))


async def every_entry(connections: Connections, shop: str) -> AsyncIterator[Entry]:
    """Yield the shop's whole ledger as it was written down."""
    after = 0
    while True:
        query = select(ConsentRow).where(ConsentRow.shop == shop, col(ConsentRow.id) > after)
        async with connections.read() as db:
            rows = (await db.exec(query.order_by(col(ConsentRow.id)).limit(_PAGE))).all()
        for row in rows:
            yield _entry(row)
        if len(rows) < _PAGE:
            return
        after = rows[-1].id or 0


async def restore_told(connections: Connections) -> int:
    """Return how many subjects' answers were put back into a Redis that lost them, once each time."""
    marks = await key_on_each_node(connections.redis, _RESTORED)
    if await connections.redis.exists(*marks) == len(marks):
        return 0
    restored = 0
    async with connections.read() as db:
        shops = (await db.exec(select(ConsentRow.shop).distinct())).all()
    for shop in shops:
        last = {entry.subject: [entry] async for entry in every_entry(connections, shop)}
        for part in chunks(list(last)):
            async with look_and_write(connections, shop, "told"):
                async with connections.read() as db:
                    erased = await _erased(db, shop, part)
                held = _since({who: last[who] for who in part}, erased)
                await _remember(connections, shop, held, only_missing=True)
            restored += len(_standings(held))
    for mark in marks:
        await connections.redis.set(mark, 1)
    return restored


async def _remember(connections: Connections, shop: str, known: Known, *, only_missing: bool = False) -> None:
    stands = _standings(known)
    for part in chunks(list(stands)):
        async with connections.redis.pipeline(transaction=False) as pipe:
            for subject in part:
                pipe.set(told_key(shop, subject), pack(stands[subject]), ex=KEPT_S, nx=only_missing)
            await pipe.execute()


def _standings(known: Mapping[str, Sequence[Entry]]) -> dict[str, Answers]:
    return {who: stands for who, entries in known.items() if (stands := standing(entries))}


async def _locked(db: AsyncSession, shop: str) -> bool:
    """Return whether the shop is there; it is ours until the transaction ends."""
    query = select(ShopRow.shop).where(ShopRow.shop == shop).with_for_update()
    return (await db.exec(query)).first() is not None


async def _erased(db: AsyncSession, shop: str, subjects: Collection[str]) -> dict[str, datetime]:
    """Return when those of the subjects were erased who were."""
    erased: dict[str, datetime] = {}
    for part in chunks(sorted(subjects)):
        query = select(ErasedRow).where(ErasedRow.shop == shop, col(ErasedRow.subject).in_(part))
        erased |= {row.subject: row.erased_at for row in await db.exec(query)}
    return erased


def _since(known: Known, erased: Mapping[str, datetime]) -> Known:
    """Return those who said something since they were erased, or never were, with what they said. Pure."""
    held = {
        who: [one for one in said if who not in erased or one.told_at > erased[who]]
        for who, said in known.items()
    }
    return {who: said for who, said in held.items() if said}


async def _by_subject(db: AsyncSession, shop: str, subjects: Collection[str], *which: Any) -> Known:
    known: Known = {}
    for part in chunks(sorted(set(subjects))):
        theirs = (ConsentRow.shop == shop, col(ConsentRow.subject).in_(part), *which)
        query = select(ConsentRow).where(*theirs)
        known |= _by_who(await db.exec(query.order_by(col(ConsentRow.id))))
    return known


def _by_who(rows: Iterable[ConsentRow]) -> Known:
    known: Known = {}
    for row in rows:
        known.setdefault(row.subject, []).append(_entry(row))
    return known


_COLUMNS = tuple(name for name in Entry.__dataclass_fields__ if name != "withdraws")


def _entry(row: ConsentRow) -> Entry:
    values: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return Entry(**values | {"permitted": tuple(row.permitted)})


def _row(shop: str, entry: Entry) -> ConsentRow:
    values: dict[str, Any] = {name: getattr(entry, name) for name in _COLUMNS}
    mapped = {"told": dict(entry.told), "answers": dict(entry.answers)}
    return ConsentRow(**values | mapped | {"shop": shop, "permitted": list(entry.permitted)})

"""A shop erased from every store, and the receipt that outlives it: it names the shop by a keyed hash."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete, func, select
from sqlmodel import SQLModel

from app.connections import Connections, redis_key
from app.consent.digests import Digests, open_digests
from app.consent.holdings import KEYS_WITHOUT_PEOPLE
from app.consent.receipts import Receipt, Signed, disown_receipts, keep_receipt, open_receipt_key
from app.consent.requests import Kind, PrivacyRequest, close, read_request, remember
from app.consent.withdrawal import bar_late_events
from app.errors import NotFound
from app.events.log import DEAD, STREAM, EventLog
from app.jobs import alone
from app.privacy.erasure import ERASING
from app.privacy.purge import purge
from app.privacy.unfinished import RequestIncomplete, empty_broker, wait_for_hands, wait_for_jobs
from app.privacy_tables import PrivacyRequestRow
from app.reach.pending_unsubscribes import forget_unsubscribes
from app.recommend.forget import PUBLISHING
from app.shops.changes import announce_change, forget_changes
from app.tables import ShopRow
from app.upsert import CHUNK, chunks, matching, table_of
from app.values import ShopDomain, shop_domain

_REQUESTS, _SHOPS = table_of(PrivacyRequestRow), table_of(ShopRow)
_SECOND_LOOKS = 3

Step = Callable[[Connections, PrivacyRequest], Awaitable[None]]


async def erase_shop(connections: Connections, shop: ShopDomain, request_id: str) -> Signed:
    """Return the receipt of the request, once nothing of the shop is left.

    Raises NotFound for a request that was never opened, RequestIncomplete when something came in meanwhile.
    """
    async with alone(connections, ERASING, shop):
        request = await read_request(connections, shop, request_id)
        if request is None:
            raise NotFound(f"{shop} has no request {request_id!r}")
        counts = await shop_data(connections, shop)
        request = await remember(connections, request, found=counts)
        async with alone(connections, PUBLISHING, shop):
            second_look = await _erased(connections, request)
        await _let_go_of(connections, shop)  # once it is closed nobody would: its event went with the log
        signed = await _closed(connections, request, second_look)
    await purge(connections)  # of the request itself
    return signed


async def _let_go_of(connections: Connections, shop: str) -> None:
    """Leave no trace of the shop, neither in files nor in what processes have in memory."""
    await purge(connections)
    await announce_change(connections.redis, shop)
    await forget_changes(connections.redis, shop)


async def disregard(connections: Connections, request: PrivacyRequest) -> None:
    """Close a request that the shop's return made void."""
    async with connections.write() as db:
        await close(db, request, datetime.now(UTC), None)


def shop_receipt_id(digests: Digests, shop: str, request_id: str) -> str:
    """Return the id of the receipt that a request ends in: the same for every attempt. Pure."""
    return digests.of(shop, f"receipt:{Kind.SHOP}", request_id)


async def shop_data(connections: Connections, shop: ShopDomain) -> dict[str, int]:
    """Return how much is held of the shop: rows by table, then keys, entries and model files.

    Requests to erase the shop itself, and keys that only say who is at work, are not counted.
    """
    counts: dict[str, int] = {}
    async with connections.read() as db:
        connection = await db.connection()
        for table in _shop_tables():
            rows = select(func.count()).select_from(table).where(*_of(table, shop))
            counts[table.name] = (await connection.execute(rows)).scalar_one()
    counts["redis keys"] = len(await _keys(connections, shop))
    for name, stream in (("event log", STREAM), ("dead letters", DEAD)):
        counts[name] = await EventLog(connections.redis).count(stream, shop)
    counts["model files"] = await asyncio.to_thread(_count_files, _models(connections, shop))
    return counts


async def _erased(connections: Connections, request: PrivacyRequest) -> dict[str, int]:
    """Return what is left after every step was done: zeros."""
    left: dict[str, int] = {}
    for _ in range(_SECOND_LOOKS):
        for step in STEPS:
            await step(connections, request)
        await empty_broker(connections)
        await wait_for_jobs(connections, request.shop)
        left = await shop_data(connections, ShopDomain(request.shop))
        if not any(left.values()):
            return left
    stores = ", ".join(store for store, count in left.items() if count)
    raise RequestIncomplete(f"{request.shop}: more was told meanwhile ({stores})")


async def _bar_late_events(connections: Connections, request: PrivacyRequest) -> None:
    """Keep out what happened until now; the bar names the shop by its hash only."""
    owner = (await open_digests(connections)).of(request.shop, "shop", request.shop)
    await bar_late_events(connections, owner, [owner], datetime.now(UTC))
    await wait_for_hands(connections)


async def _erase_log(connections: Connections, request: PrivacyRequest) -> None:
    await EventLog(connections.redis).forget(request.shop)


async def _erase_keys(connections: Connections, request: PrivacyRequest) -> None:
    for part in chunks(await _keys(connections, request.shop)):
        await connections.redis.unlink(*part)  # of all at once, every shop's checkouts would wait
    await forget_unsubscribes(connections, request.shop)


async def _erase_files(connections: Connections, request: PrivacyRequest) -> None:
    await asyncio.to_thread(shutil.rmtree, _models(connections, request.shop), ignore_errors=True)


async def _erase_rows(connections: Connections, request: PrivacyRequest) -> None:
    """Delete the shop's rows, a few hundred in a transaction: all of a large one's hold up who else writes.

    The shop itself goes first, so that nobody writes to it any more.
    """
    for table in sorted(_shop_tables(), key=lambda each: each is not _SHOPS):
        while await _erase_some(connections, table, request.shop):
            pass


async def _erase_some(connections: Connections, table: Table, shop: str) -> bool:
    """Return whether the shop had any rows there, some of which are gone now."""
    theirs = _of(table, shop)
    keys = select(*table.primary_key).where(*theirs).limit(CHUNK)
    async with connections.write() as db:
        connection = await db.connection()
        found = (await connection.execute(keys)).all()
        for some in matching(list(table.primary_key), found):
            await connection.execute(delete(table).where(*theirs, some))
    return bool(found)


STEPS: tuple[Step, ...] = (_bar_late_events, _erase_log, _erase_keys, _erase_files, _erase_rows)


async def _closed(
    connections: Connections, request: PrivacyRequest, second_look: Mapping[str, int]
) -> Signed:
    """Return the receipt, kept in the moment in which the requests go too."""
    digests, key = await open_digests(connections), await open_receipt_key(connections)
    signed = key.sign(_receipt(digests, request, second_look, datetime.now(UTC)))
    async with connections.write() as db:
        await disown_receipts(db, key, signed.receipt.owner)
        await keep_receipt(db, signed)
        await (await db.connection()).execute(delete(_REQUESTS).where(_REQUESTS.c.shop == request.shop))
    async for stray in connections.redis.scan_iter(match=redis_key(request.shop, "*"), count=1_000):
        if _family(stray) != "running":
            await connections.redis.delete(stray)
    return signed


def _receipt(
    digests: Digests, request: PrivacyRequest, second_look: Mapping[str, int], now: datetime
) -> Receipt:
    found = dict(request.found)
    return Receipt(
        receipt_id=shop_receipt_id(digests, request.shop, request.request_id),
        kind=Kind.SHOP.value,
        shop=None,
        owner=digests.of(request.shop, "shop", request.shop),
        subject=None,
        requested_at=request.received_at,
        done_at=now,
        found=found,
        deleted=found,
        anonymised={},
        kept={},
        second_look=dict(second_look),
        says="all that was found is gone" if any(found.values()) else "nothing was found",
    )


def _shop_tables() -> list[Table]:
    return [table for table in SQLModel.metadata.sorted_tables if "shop" in table.c]


def _of(table: Table, shop: str) -> tuple[Any, ...]:
    """Return which rows are the shop's. The request to erase it stays until the end, and goes then."""
    mine = table.c.shop == shop
    return (mine, table.c.kind != Kind.SHOP.value) if table is _REQUESTS else (mine,)


async def _keys(connections: Connections, shop: str) -> list[bytes]:
    pattern = redis_key(shop_domain(shop), "*")
    keys = {key async for key in connections.redis.scan_iter(match=pattern, count=1_000)}
    return sorted(key for key in keys if _family(key) not in KEYS_WITHOUT_PEOPLE)


def _family(key: bytes) -> str:
    return key.decode(errors="replace").split(":")[2]


def _models(connections: Connections, shop: str) -> Path:
    return connections.settings.data_dir / "models" / shop_domain(shop)


def _count_files(directory: Path) -> int:
    return sum(path.is_file() for path in directory.rglob("*"))

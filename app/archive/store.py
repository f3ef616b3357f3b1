"""Keeps what decisions were made on, and finds it again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.archive.parts import Manifest, pack, read_manifest, unpack
from app.archive_tables import SnapshotPartRow, SnapshotRow
from app.campaigns.plan import Plan, plan_of
from app.connections import Connections
from app.errors import ModelUnusable, NotFound, TillwiseError
from app.offers.snapshot import ShopSnapshot, take_snapshot
from app.offers.sources import Sources
from app.recommend.model import Model
from app.recommend.publish import load
from app.recommend.retired import find_version
from app.tables import ShopRow
from app.upsert import chunks, table_of, upsert
from app.values import ShopDomain

# For so long it is not written down again that a part was kept.
_FRESH = timedelta(hours=1)
_AT_ONCE = 100  # parts written, or manifests read, between two checkouts that wait
_SNAPSHOTS, _PARTS = table_of(SnapshotRow), table_of(SnapshotPartRow)


async def keep(
    connections: Connections, snapshot: ShopSnapshot, now: datetime, there: Collection[str] = ()
) -> frozenset[str]:
    """Keep what the snapshot was taken from and return the names of its parts.

    there: names of parts that were kept before. A snapshot of a shop that is gone is not kept.
    """
    packed = await asyncio.to_thread(pack, snapshot.sources, there)
    async with connections.write() as db:
        if await db.get(ShopRow, snapshot.shop) is None:  # erased meanwhile, and stays so
            return frozenset()
        named = {"shop": snapshot.shop}
        parts = [
            named | {"digest": name, "content": each, "kept_at": now} for name, each in packed.parts.items()
        ]
        # A part that is there may be old and of no version any more, about to go.
        for some in chunks(parts, _AT_ONCE):
            await upsert(
                db,
                SnapshotPartRow,
                some,
                newer=lambda old, _new: old.kept_at < now - _FRESH,
                merge={"content": lambda old, _new: old.content},
            )
        row = {"version": snapshot.version, "manifest": packed.manifest, "served_at": now}
        await upsert(db, SnapshotRow, [named | row], newer=lambda old, new: new.served_at > old.served_at)
    return frozenset(read_manifest(packed.manifest).digests)


async def restore(connections: Connections, shop: ShopDomain, version: str) -> ShopSnapshot:
    """Return the shop as decisions of that version saw it.

    Raises NotFound where it was not kept or its model's files are gone, TillwiseError where this version
    of the app makes another snapshot of the same sources.
    """
    sources = await sources_of(connections, shop, version)
    model = await asyncio.to_thread(_model, connections, shop, sources.model_version)
    made = await asyncio.to_thread(take_snapshot, shop, sources, model)
    if made.version != version:
        raise TillwiseError(
            f"what snapshot {version} was taken from is there, but makes {made.version} now: the app has "
            "changed since the decision was made"
        )
    return made


async def sources_of(connections: Connections, shop: str, version: str) -> Sources:
    """Return what that version was taken from. Raises NotFound."""
    async with connections.read() as db:
        manifest = await _manifest(db, shop, version)
        if manifest is None:
            raise NotFound(f"no snapshot {version!r} of {shop} is kept")
        parts = await _parts(db, shop, manifest.digests)
    try:
        return await asyncio.to_thread(unpack, manifest, parts)
    except KeyError as missing:
        raise NotFound(f"a part of snapshot {version!r} of {shop} is gone: {missing}") from None


async def drop_unused_parts(connections: Connections, shop: str, before: datetime) -> int:
    """Delete the parts that no kept version needs and that are older; return how many went."""
    needed, old = await _needed(connections, shop), (_PARTS.c.shop == shop, _PARTS.c.kept_at < before)
    unused = set(await connections.scalars(select(_PARTS.c.digest).where(*old))) - needed
    for part in chunks(sorted(unused)):  # but for those that a version has needed since manifests were read
        await connections.execute(delete(_PARTS).where(*old, _PARTS.c.digest.in_(part)))
    return len(unused)


async def _needed(connections: Connections, shop: str) -> set[str]:
    """Return the parts of all versions, of which a month makes tens of thousands: some are read at a time."""
    needed: set[str] = set()
    query = select(_SNAPSHOTS.c.manifest).where(_SNAPSHOTS.c.shop == shop)
    async with connections.read() as db:
        manifests = await (await db.connection()).stream_scalars(query.execution_options(yield_per=_AT_ONCE))
        async for some in manifests.partitions():
            needed.update(await asyncio.to_thread(_digests_of, some))
    return needed


def _digests_of(manifests: Iterable[bytes]) -> set[str]:
    return {digest for packed in manifests for digest in read_manifest(packed).digests}


def _model(connections: Connections, shop: ShopDomain, version: str | None) -> Model | None:
    if version is None:
        return None
    path = find_version(connections.settings.data_dir, shop, version)
    gone = f"the model {version} that ranked then is gone: its files are kept for a while only"
    if path is None:
        raise NotFound(gone)
    try:
        return load(path)
    except ModelUnusable as error:
        if path.exists():
            raise
        raise NotFound(gone) from error  # put away, or gone, since it was found


async def _manifest(db: AsyncSession, shop: str, version: str) -> Manifest | None:
    query = select(_SNAPSHOTS.c.manifest).where(_SNAPSHOTS.c.shop == shop, _SNAPSHOTS.c.version == version)
    packed = (await (await db.connection()).scalars(query)).first()
    return None if packed is None else read_manifest(packed)


async def _parts(db: AsyncSession, shop: str, digests: Iterable[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in chunks(sorted(set(digests))):
        query = select(_PARTS.c.digest, _PARTS.c.content).where(
            _PARTS.c.shop == shop, _PARTS.c.digest.in_(part)
        )
        for digest, content in await (await db.connection()).execute(query):
            found[digest] = content
    return found


async def plan_of_version(connections: Connections, shop: str, version: str) -> Plan | None:
    """Return the campaigns that weighed then, without the catalogue. Raises NotFound."""
    async with connections.read() as db:
        manifest = await _manifest(db, shop, version)
        if manifest is None:
            raise NotFound(f"no snapshot {version!r} of {shop} is kept")
        needed = (manifest.rest.hex(), manifest.settings.hex(), manifest.campaigns.hex())
        parts = await _parts(db, shop, needed)
    if len(parts) < len(set(needed)):
        raise NotFound(f"a part of snapshot {version!r} of {shop} is gone")
    told = unpack(msgspec.structs.replace(manifest, products=()), parts)
    return plan_of(
        shop, told.campaigns, manifest.currency, told.settings, zone=told.time_zone, weights=told.weights
    )

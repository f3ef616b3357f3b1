"""The merchant's campaigns: kept, listed, started and stopped; live shops hear of every change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import select as sql_select
from sqlmodel import col, func, select

from app.campaign_tables import CampaignRow
from app.campaigns.campaign import Campaign, Running, Status, ended, is_to_begin, read_campaign
from app.campaigns.priority import Ranked, placed
from app.connections import Connections
from app.errors import InputError, NotFound
from app.shops.changes import announce_kept
from app.tables import ShopRow
from app.upsert import table_of
from app.values import ShopDomain

MOST_CAMPAIGNS = 1_000
MOST_RUNNING = 500

_CAMPAIGNS = table_of(CampaignRow)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """A campaign and how it stands. reason: why, where it was not the merchant's word.

    updated_at: when it was changed, started or stopped; in which order it is looked at is no change of it.
    """

    campaign: Campaign
    number: int
    status: Status
    reason: str
    updated_at: datetime

    @property
    def state(self) -> str:
        """Return what is another one after every change, also of its place."""
        return f"{self.updated_at.isoformat()} {self.campaign.priority}"

    def is_on(self, now: datetime) -> bool:
        """Return whether it was started and its time is not over; it may still be to come."""
        return self.status == "running" and not ended(self.campaign, now)

    def standing(self, now: datetime) -> str:
        """Return its status as it is spoken of: one that was started is scheduled, running or has ended."""
        if self.status != "running":
            return self.status
        if not self.is_on(now):
            return "ended"
        return "scheduled" if is_to_begin(self.campaign, now) else "running"


async def keep_campaign(connections: Connections, shop: ShopDomain, campaign: Campaign) -> StoredCampaign:
    """Keep a campaign under its id, in place of what was there; a new one is a draft.

    Raises InputError where there are too many.
    """
    now = datetime.now(UTC)
    async with connections.write() as db:
        row = await db.get(CampaignRow, (shop, campaign.id))
        if row is None:
            row = await _new(db, shop, campaign.id, now)
        content = msgspec.to_builtins(campaign)
        if _beside_place(content) != _beside_place(row.content):
            row.updated_at = now
        row.content = content
        db.add(row)
        kept = _kept(row)
    await announce_kept(connections.redis, shop)
    return kept


async def change_status(
    connections: Connections, shop: ShopDomain, campaign_id: str, status: Status, reason: str = ""
) -> StoredCampaign:
    """Start, pause or stop a campaign, and return how it stands; a repeat changes nothing.

    Raises NotFound, and InputError for a start that can't be.
    """
    now = datetime.now(UTC)
    async with connections.write() as db:
        row = await db.get(CampaignRow, (shop, campaign_id))
        if row is None:
            raise NotFound(f"{shop} has no campaign {campaign_id!r}")
        if row.status == status:
            return _kept(row)
        if status == "running":
            await _check_start(db, shop, _kept(row), now)
        row.status, row.reason, row.updated_at = status, reason, now
        db.add(row)
        kept = _kept(row)
    await announce_kept(connections.redis, shop)
    return kept


async def remove_draft(connections: Connections, shop: ShopDomain, campaign_id: str) -> None:
    """Remove a campaign that was never started.

    Raises NotFound, and InputError for one that was: what was shown of it names it.
    """
    its = _CAMPAIGNS.c.shop == shop, _CAMPAIGNS.c.campaign_id == campaign_id
    async with connections.write() as db:
        drafts = _CAMPAIGNS.delete().where(*its, _CAMPAIGNS.c.status == "draft")
        removed = (await (await db.connection()).execute(drafts)).rowcount
        if not removed and await db.get(CampaignRow, (shop, campaign_id)) is None:
            raise NotFound(f"{shop} has no campaign {campaign_id!r}")
    if not removed:
        raise InputError(f"{campaign_id} was started already: it stays listed, and can be stopped")
    await announce_kept(connections.redis, shop)


async def place_campaign(
    connections: Connections, shop: ShopDomain, campaign_id: str, before: str | None
) -> None:
    """Have the campaign looked at right before another one, last of all where before is None.

    Raises NotFound for either that is not there.
    """
    async with connections.write() as db:
        rows = (await db.exec(select(CampaignRow).where(col(CampaignRow.shop) == shop))).all()
        readable = {row.campaign_id: row for row in rows if _readable(row)}
        ranked = [Ranked(name, row.content.get("priority", 0)) for name, row in readable.items()]
        ranked.sort(key=lambda each: (-each.priority, each.campaign_id))
        for name, priority in placed(ranked, campaign_id, before).items():
            row = readable[name]
            row.content = {**row.content, "priority": priority}
            db.add(row)
    await announce_kept(connections.redis, shop)


async def all_campaigns(connections: Connections, shop: str) -> list[StoredCampaign]:
    """Return the shop's campaigns, the first to be looked at first; without those that can't be read."""
    query = select(CampaignRow).where(col(CampaignRow.shop) == shop)
    async with connections.read() as db:
        kept = [_kept(row) for row in await db.exec(query) if _readable(row)]
    return sorted(kept, key=lambda each: (-each.campaign.priority, each.campaign.id))


async def get_campaign(connections: Connections, shop: str, campaign_id: str) -> StoredCampaign:
    """Return the campaign. Raises NotFound."""
    async with connections.read() as db:
        row = await db.get(CampaignRow, (shop, campaign_id))
    if row is None:
        raise NotFound(f"{shop} has no campaign {campaign_id!r}")
    return _kept(row)


async def running_campaigns(connections: Connections, shop: str) -> list[Running]:
    """Return what the shop runs; what can't be read any more is left out and said in the log."""
    query = select(CampaignRow).where(col(CampaignRow.shop) == shop, col(CampaignRow.status) == "running")
    async with connections.read() as db:
        rows = (await db.exec(query)).all()
    # In a thread: reading hundreds for the first time takes longer than a checkout should wait.
    read = await asyncio.to_thread(lambda: [_readable(row) for row in rows])
    return [Running(campaign, row.number) for campaign, row in zip(read, rows, strict=True) if campaign]


async def campaigns_fingerprint(connections: Connections, shop: str) -> tuple[Any, ...]:
    """Return what differs after every change of the shop's campaigns."""
    places = func.sum(_CAMPAIGNS.c.content["priority"].as_integer() * (_CAMPAIGNS.c.number + 1))
    query = sql_select(func.count(), func.max(_CAMPAIGNS.c.updated_at), places)
    async with connections.read() as db:
        rows = await (await db.connection()).execute(query.where(_CAMPAIGNS.c.shop == shop))
        return tuple(rows.one())


def _beside_place(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != "priority"}


async def _new(db: Any, shop: str, campaign_id: str, now: datetime) -> CampaignRow:
    # One after the other: two at once would have the same number.
    await db.exec(select(ShopRow.shop).where(ShopRow.shop == shop).with_for_update())
    mine = col(CampaignRow.shop) == shop
    query = select(func.count(), func.max(CampaignRow.number)).where(mine)
    count, highest = (await db.exec(query)).one()
    if count >= MOST_CAMPAIGNS:
        raise InputError(f"{shop} has {count} campaigns, which is the most there can be")
    number = 0 if highest is None else highest + 1
    return CampaignRow(shop=shop, campaign_id=campaign_id, number=number, created_at=now, updated_at=now)


async def _check_start(db: Any, shop: str, kept: StoredCampaign, now: datetime) -> None:
    if ended(kept.campaign, now):
        raise InputError(f"{kept.campaign.id} has ended; give it a later end first", "schedule.ends_at")
    mine = (col(CampaignRow.shop) == shop, col(CampaignRow.status) == "running")
    running = (await db.exec(select(func.count()).where(*mine))).one()
    if running >= MOST_RUNNING:
        raise InputError(f"{shop} runs {running} campaigns, which is the most there can be; pause some")


def _readable(row: CampaignRow) -> Campaign | None:
    """Return the campaign, None for one that this version can't read, which is said in the log."""
    try:
        return _read(msgspec.json.encode(row.content))
    except InputError as error:
        place = {"shop": row.shop, "campaign": row.campaign_id, "reason": str(error)}
        _log.error("a campaign can't be read", extra=place)
        return None


@lru_cache(maxsize=2 * MOST_CAMPAIGNS)  # a live shop is read again with every change of its catalogue
def _read(content: bytes) -> Campaign:
    return read_campaign(msgspec.json.decode(content))


def _kept(row: CampaignRow) -> StoredCampaign:
    return StoredCampaign(
        _read(msgspec.json.encode(row.content)), row.number, _status(row.status), row.reason, row.updated_at
    )


def _status(status: str) -> Status:
    known: Status = msgspec.convert(status, Status)
    return known

"""What the experiments pages read and change: what there is to try, and a change that is kept for good."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.admin.experiments_form import Choices
from app.admin.language import _
from app.admin.models_store import latest_versions
from app.campaign_tables import CampaignRow
from app.campaigns.campaign import read_campaign
from app.campaigns.store import all_campaigns
from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiment_tables import ExperimentRow
from app.experiments.patch import CAMPAIGNS, MODEL, patched
from app.experiments.versions import Version, get_version
from app.recommend.rollback import roll_back
from app.shops.changes import announce_kept
from app.shops.store import Shop
from app.tables import ShopRow

MOST_VERSIONS = 12


async def choices(connections: Connections, shop: Shop) -> Choices:
    """Return what the shop has to try."""
    kept = await all_campaigns(connections, shop.shop)
    versions = await latest_versions(connections, shop, MOST_VERSIONS)
    return Choices(
        campaigns={
            each.campaign.id: each.campaign
            for each in kept
            if each.status == "running" and each.campaign.trigger == "checkout"
        },
        versions=tuple(each.card.version for each in versions if each.there and not each.serves),
        wishes=bool(shop.settings.get("pinned") or shop.settings.get("boosts")),
    )


async def keep_arm(
    connections: Connections, shop: Shop, experiment_id: str, number: int, arm: str, now: datetime
) -> None:
    """End the experiment and let everybody be served as that version's arm was: all of it, or nothing.

    It ends also where a later version of it runs, which would go on serving some otherwise. The model is
    pointed to once all else is known to be possible: doing that again changes nothing.

    Raises NotFound without such an arm of a version that was started, InputError for what can't be kept now.
    """
    changes = _changes(await get_version(connections, shop.shop, experiment_id, number), arm)
    async with connections.read() as db:
        await _campaigns_kept(db, shop, changes)
    if MODEL in changes:
        await _serve(connections, shop, changes[MODEL])
    async with connections.write() as db:
        await _keep_changes(db, shop, changes, now)
        await _stop(db, shop, experiment_id, now)
    await announce_kept(connections.redis, shop.shop)


def _changes(version: Version, arm: str) -> dict[str, Any]:
    found = next((each for each in version.design.arms if each.name == arm), None)
    if found is None or version.started_at is None:
        raise NotFound(_("Nobody was in this group, so it can't be kept."))
    return found.changes


async def _serve(connections: Connections, shop: Shop, version: str | None) -> None:
    if version is None:
        raise InputError(_("To serve without a model can't be kept."), "arm")
    await roll_back(connections, shop.shop, version)


async def _keep_changes(db: AsyncSession, shop: Shop, changes: dict[str, Any], now: datetime) -> None:
    query = select(ShopRow).where(col(ShopRow.shop) == shop.shop).with_for_update()
    row = (await db.exec(query)).one()
    row.settings = patched(
        row.settings, {name: value for name, value in changes.items() if name not in (CAMPAIGNS, MODEL)}
    )
    db.add(row)
    for campaign, content in await _campaigns_kept(db, shop, changes):
        if content is None:
            campaign.status, campaign.reason = "stopped", ""
        else:
            campaign.content = content
        campaign.updated_at = now
        db.add(campaign)


async def _campaigns_kept(
    db: AsyncSession, shop: Shop, changes: dict[str, Any]
) -> list[tuple[CampaignRow, dict[str, Any] | None]]:
    """Return the campaigns that change, each with its content from now on: None for one that is stopped."""
    return [
        (row := await _campaign(db, shop, name), None if change is None else _content(row, change))
        for name, change in (changes.get(CAMPAIGNS) or {}).items()
    ]


async def _campaign(db: AsyncSession, shop: Shop, campaign_id: str) -> CampaignRow:
    row = await db.get(CampaignRow, (shop.shop, campaign_id))
    if row is None:
        raise InputError(_("The campaign is not there any more, so its change can't be kept."), "arm")
    return row


def _content(row: CampaignRow, change: Any) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.to_builtins(read_campaign(patched(row.content, change)))
    return content


async def _stop(db: AsyncSession, shop: Shop, experiment_id: str, now: datetime) -> None:
    running = (
        col(ExperimentRow.shop) == shop.shop,
        col(ExperimentRow.experiment_id) == experiment_id,
        col(ExperimentRow.status) == "running",
    )
    await db.exec(update(ExperimentRow).where(*running).values(status="stopped", stopped_at=now))

"""The shop's own data as files in one archive: settings, campaigns, experiments and decisions."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import IO, Any

import msgspec

from app.admin.attachments import bounded_file
from app.admin.settings_store import decisions_since, feedback_on
from app.campaigns.store import all_campaigns
from app.connections import Connections
from app.experiments.versions import versions
from app.outbound.settings import WEBHOOK
from app.shops.store import Shop
from app.spreadsheet import line

MOST_DECISIONS = 100_000
COLUMNS = (
    "decision", "decided_at", "surface", "based_on", "arm", "fallback", "model", "region", "took_us",
    "offer", "kind", "product", "title", "campaign", "code", "shown", "accepted", "dismissed",
)  # fmt: skip


async def shop_archive(connections: Connections, shop: Shop, days: int, now: datetime) -> IO[bytes]:
    """Return a ZIP archive, at its beginning. days: how far back decisions go; customers are in no file.

    It is packed in a thread, for checkouts go on meanwhile. `about.json` says whether there were more
    decisions than it takes.
    """
    file = bounded_file()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("settings.json", _json(settings_of(shop)))
        files.writestr("campaigns.json", _json(await _campaigns(connections, shop)))
        files.writestr("experiments.json", _json(await _experiments(connections, shop)))
        taken = 0
        with files.open("decisions.csv", "w") as table:
            table.write(_lines([COLUMNS]))
            async for part in decisions_since(connections, shop, now - timedelta(days=days), MOST_DECISIONS):
                came = await feedback_on(connections, shop, [row.decision_id for row in part])
                await asyncio.to_thread(_write, table, part, came)
                taken += len(part)
        about = {"made_at": now, "days": days, "decisions": taken, "complete": taken < MOST_DECISIONS}
        files.writestr("about.json", _json(about))
    file.seek(0)
    return file


def settings_of(shop: Shop) -> dict[str, Any]:
    """Return the merchant's settings without what is secret: the webhook's address stays. Pure."""
    told = {name: value for name, value in shop.settings.items() if name != WEBHOOK}
    if isinstance(webhook := shop.settings.get(WEBHOOK), Mapping):
        told[WEBHOOK] = {"url": webhook.get("url")}
    return {"shop": shop.shop, "name": shop.name, "currency": shop.currency, "settings": told}


def offers_of(row: Any, came: Mapping[tuple[str, str], Collection[str]]) -> Iterator[tuple[object, ...]]:
    """Yield a line for each offer of a decision, one without where it offered nothing. Pure."""
    told = (
        row.decision_id, row.decided_at.isoformat(), row.surface, row.rung, row.arm, row.fallback,
        row.model_version, row.region, row.duration_us,
    )  # fmt: skip
    offers = row.answer.get("offers") or ()
    if not offers:
        yield (*told, *[""] * (len(COLUMNS) - len(told)))
    for offer in offers:
        product, discount = offer.get("product") or {}, offer.get("discount") or {}
        kinds = came.get((row.decision_id, offer.get("offer_id", "")), ())
        yield (
            *told, offer.get("offer_id"), offer.get("kind"), product.get("product_id"), product.get("title"),
            offer.get("campaign"), discount.get("code"),
            *(kind in kinds for kind in ("shown", "accepted", "dismissed")),
        )  # fmt: skip


def _write(table: IO[bytes], part: Iterable[Any], came: Mapping[tuple[str, str], Collection[str]]) -> None:
    table.write(_lines([line for row in part for line in offers_of(row, came)]))


async def _campaigns(connections: Connections, shop: Shop) -> list[dict[str, Any]]:
    return [
        {"status": each.status, "campaign": msgspec.to_builtins(each.campaign)}
        for each in await all_campaigns(connections, shop.shop)
    ]


async def _experiments(connections: Connections, shop: Shop) -> list[dict[str, Any]]:
    return [
        {
            "version": each.version,
            "status": each.status,
            "ramp": each.ramp,
            "drafted_at": each.drafted_at,
            "started_at": each.started_at,
            "stopped_at": each.stopped_at,
            "design": each.design,
        }
        for each in await versions(connections, shop.shop)
    ]


def _json(told: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"


def _lines(rows: Collection[tuple[object, ...]]) -> bytes:
    return "".join(f"{line(row)}\n" for row in rows).encode()

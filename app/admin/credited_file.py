"""What offers are credited with in a calendar month, a line for each credit, for spreadsheets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import IO

from app.admin import store
from app.admin.attachments import bounded_file
from app.attribution.models import Model
from app.attribution.report import PeriodSales
from app.attribution.sold import sold_parts
from app.attribution.touches import WINDOW_DAYS, credits_of
from app.connections import Connections
from app.consent.retention import limits_of
from app.shops.store import Shop
from app.spreadsheet import line
from app.values import as_utc, exponent, zone_of

_MOST_MONTHS = 12
COLUMNS = (
    "order", "placed_at", "line", "product", "title", "currency", "credited", "kind", "campaign",
    "campaign_name", "code", "reason", "surface", "offered_at", "decision",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in the shop's zone. name: `2026-11`. end: when the next one begins."""

    name: str
    begin: datetime
    end: datetime


def months(shop: Shop, now: datetime) -> list[Month]:
    """Return this month and those before it of which all that tells whose a sale is is still kept. Pure."""
    zone, kept_days = zone_of(shop.time_zone), limits_of(shop.settings).days
    # By events it is known which browser an order's checkout was in.
    kept_since = now - timedelta(days=min(kept_days["decisions"] - WINDOW_DAYS, kept_days["events"]))
    found = [_month(now, zone)]
    while len(found) < _MOST_MONTHS:
        before = _month(found[-1].begin - timedelta(days=1), zone)
        if before.begin < kept_since:
            break
        found.append(before)
    return found


async def credited_file(
    connections: Connections,
    shop: Shop,
    month: Month,
    model: Model,
    campaigns: Mapping[str, str],
    now: datetime,
) -> IO[bytes]:
    """Return the month's credits as CSV (RFC 4180), at its beginning. The orders are read in parts.

    Amounts are in whole units of their currency and not rounded, so that they sum to what the pages show.
    campaigns: their names. No cell is read as a formula.
    """
    file = bounded_file()
    file.write(_csv([COLUMNS]))
    end = month.end if month.end <= now else None
    async for sold in sold_parts(connections, shop.shop, month.begin, end, now, WINDOW_DAYS):
        products = {each.product_id for each in sold.lines if each.product_id is not None}
        titles = await store.titles(connections, shop, products)
        rows = _rows(sold, model, campaigns, titles, zone_of(shop.time_zone))
        file.write(await asyncio.to_thread(_csv, rows))
    file.seek(0)
    return file


def _rows(
    sold: PeriodSales, model: Model, campaigns: Mapping[str, str], titles: Mapping[int, str], zone: tzinfo
) -> Iterator[tuple[object, ...]]:
    lines, digits = {each.line_id: each for each in sold.lines}, exponent(sold.currency)
    found = credits_of(
        sorted(sold.lines, key=lambda each: (each.order.at, each.line_id)), sold.touches, model
    )
    for credit in found:
        if not credit.minor:  # last touch gives the others nothing
            continue
        of, touch = lines[credit.line_id], credit.touch
        campaign = touch.campaign or ""
        yield (
            credit.order_id, _told(of.order.at, zone), credit.line_id, of.product_id,
            titles.get(of.product_id or 0, ""), sold.currency, round(credit.minor / 10**digits, digits + 4),
            touch.kind, campaign, campaigns.get(campaign, ""), touch.code, touch.reason, touch.surface,
            _told(touch.at, zone), touch.decision_id,
        )  # fmt: skip


def _csv(rows: Iterator[tuple[object, ...]] | list[tuple[str, ...]]) -> bytes:
    return "".join(f"{line(row)}\r\n" for row in rows).encode()


def _told(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _month(when: datetime, zone: tzinfo) -> Month:
    """Return the month of a time, as it is in the zone."""
    begin = when.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = (begin + timedelta(days=32)).replace(day=1)
    return Month(f"{begin:%Y-%m}", as_utc(begin), as_utc(after))

"""Customers in segments, as the tables hold them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from app.connections import Connections
from app.consent.digests import open_digests
from app.outbound_tables import MarkRow
from app.privacy_tables import ConsentRow
from app.profiles.segments import CustomerSegments, keep_segments
from app.tables import ShopRow

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def in_segments(*names: str) -> CustomerSegments:
    return CustomerSegments(
        tuple((name, "rfm", f"Is in {name}.") for name in names), (5, 5, 5), 9, 900, 100, {}
    )


async def move(connections: Connections, shop: str, customer_id: int, *names: str, minute: int = 0) -> None:
    """Put the customer into these segments; into none: they may be in no segment any more."""
    found = in_segments(*names) if names else None
    await keep_segments(connections, shop, {customer_id: found}, NOW + timedelta(minutes=minute))


async def answer(connections: Connections, shop: str, customer_id: int, **answers: bool) -> None:
    """Let the ledger hold what the customer said."""
    digests = await open_digests(connections)
    row = ConsentRow(
        shop=shop, subject=digests.of(shop, "customer", customer_id), subject_kind="customer",
        event_id=f"said-{customer_id}-{sorted(answers.items())}", told_at=NOW, source="checkout",
        answers=dict(answers),
    )  # fmt: skip
    async with connections.write() as db:
        db.add(row)


async def marks(connections: Connections, shop: str) -> dict[int, tuple[list[str], list[str] | None, bool]]:
    """Return the tags, the metafield and whether both are sure, by customer."""
    async with connections.read() as db:
        rows = (await db.exec(select(MarkRow).where(MarkRow.shop == shop))).all()
    return {row.customer_id: (row.tags, row.segments, row.seen_at is not None) for row in rows}


async def change_shop(connections: Connections, shop: str, **values: Any) -> None:
    async with connections.write() as db:
        await (await db.connection()).execute(update(ShopRow).where(col(ShopRow.shop) == shop).values(values))

"""A shop with a mail server in which somebody left a checkout: what is written to them, and what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import select

from app.connections import Connections
from app.reach.jobs import reach_out
from app.reach.settings import Reach
from app.reach_tables import ReachMessageRow
from app.tables import EventRow, OrderRow, VariantRow
from tests.reach.places import ADA, LINES
from tests.reach.post_office import PostOffice
from tests.webhooks.shopfront import Shopfront

NOW = datetime.now(UTC)
MAIL, FLOW = Reach(mail=True), Reach(flow=True)
GONE_SILENT, DUE = timedelta(minutes=31), timedelta(minutes=31 + 61)


@dataclass
class Scene:
    """A shop with a mail server, in which Ada left a checkout just now."""

    front: Shopfront
    office: PostOffice
    reach: Reach = MAIL

    @property
    def connections(self) -> Connections:
        return self.front.connections

    @property
    def shop(self) -> Any:
        return self.front.installed.shop

    async def look(self, after: timedelta) -> int:
        return await reach_out(self.connections, self.front.installed, self.reach, NOW + after)

    async def left(self, *looks: timedelta) -> int:
        """Return how many messages left while the worker looked when she was silent, and when it was due."""
        return sum([await self.look(each) for each in (looks or (GONE_SILENT, DUE))])

    async def messages(self) -> list[tuple[str, str, str]]:
        async with self.connections.read() as db:
            rows = (await db.exec(select(ReachMessageRow))).all()
        return sorted((row.way, row.status, row.reason) for row in rows)

    async def rows(self, row: type[Any]) -> list[Any]:
        async with self.connections.read() as db:
            return list((await db.exec(select(row))).all())

    async def add(self, *rows: Any) -> None:
        async with self.connections.write() as db:
            db.add_all(rows)


def checkout(scene: Scene, token: str, after: timedelta = timedelta(), customer: int = ADA) -> EventRow:
    at = NOW + after
    data = {"currency": "USD", "subtotal_minor": 4000, "completed": False, "lines": LINES}
    return EventRow(
        shop=scene.shop, event_id=f"{token} {after}", name="CheckoutUpdated", happened_at=at, recorded_at=at,
        checkout_token=token, customer_id=customer, data=data,
    )  # fmt: skip


def order(scene: Scene, token: str | None = "t", number: int = 1) -> OrderRow:
    at = NOW + timedelta(minutes=40)
    return OrderRow(
        shop=scene.shop, order_id=number, checkout_token=token, currency="USD", created_at=at, updated_at=at
    )


def variant(scene: Scene, variant_id: int, available: int | None) -> VariantRow:
    return VariantRow(
        shop=scene.shop, variant_id=variant_id, product_id=1, price_minor=1500, available=available
    )

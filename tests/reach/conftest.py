"""What several of these tests stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.connections import Connections
from app.tables import CustomerRow
from tests.reach.places import ADA
from tests.reach.post_office import post_office
from tests.reach.scene import NOW, Scene, checkout
from tests.webhooks.shopfront import SCOPES, installed


@pytest.fixture
async def scene(connections: Connections) -> AsyncIterator[Scene]:
    async with post_office() as office, installed(connections, f"{SCOPES},write_discounts") as front:
        settings = replace(front.connections.settings, smtp=office.smtp)
        opened = Scene(replace(front, connections=replace(front.connections, settings=settings)), office)
        customer = front.shop.customers[ADA]
        customer.email_consent, customer.email_consent_at = "subscribed", NOW - timedelta(days=9)
        await opened.add(
            CustomerRow(shop=opened.shop, customer_id=ADA, email_marketing="subscribed", updated_at=NOW),
            checkout(opened, "t"),
        )
        yield opened

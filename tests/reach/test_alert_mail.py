"""An alert is mailed to the shop once: against the dev store and a real mail server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.admin.alerts_view import alert_letter
from app.connections import Connections
from app.reach.alert_store import open_alerts, raise_alert
from app.reach.alerts import ERRORS, FALLBACKS, Alert, Share, errors
from app.reach.jobs import mail_alerts
from app.shops.settings import change_setting
from app.tables import TokenRow
from app.worker import JOBS
from devstore.schema import MODULES
from tests.reach.scene import MAIL, NOW, Scene
from tests.webhooks.shopfront import installed

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


async def test_an_alert_is_mailed_to_the_shops_own_address_once(scene: Scene) -> None:
    shop = scene.front.installed
    await raise_alert(scene.connections, shop, Alert(ERRORS, "9 of 10 offers failed."), NOW)
    scene.office.says["RCPT"] = "451 later"
    assert await mail_alerts(scene.connections, shop, MAIL, NOW, alert_letter) == 0
    scene.office.says.clear()
    later = NOW + timedelta(minutes=2)
    sent = await asyncio.gather(
        *(mail_alerts(scene.connections, shop, MAIL, later, alert_letter) for _ in range(2))
    )
    assert sorted(sent) == [0, 1]
    (letter,) = scene.office.letters
    assert letter["To"] == "owner@example.com"
    assert "9 of 10 offers failed." in letter.get_content()
    (alert,) = await open_alerts(scene.connections, scene.shop)
    assert alert.mail == "sent"


async def test_the_workers_look_mails_an_alert_in_the_shops_language(scene: Scene) -> None:
    shop = scene.front.installed
    await change_setting(scene.connections, scene.shop, "locale", lambda _kept: "de")
    await raise_alert(scene.connections, shop, *errors(Share(9, 30)), NOW)
    await JOBS["reach"](scene.connections, scene.shop)
    (letter,) = scene.office.letters
    assert letter["Subject"] == f"Tillwise: Bitte sehen Sie bei {shop.name} nach"
    assert letter.get_content().startswith("9 von 30 Angeboten")


async def test_alerts_of_which_nothing_left_in_an_outage_are_mailed_after_it(scene: Scene) -> None:
    shop = scene.front.installed
    for kind in (ERRORS, FALLBACKS):
        await raise_alert(scene.connections, shop, Alert(kind, "x"), NOW)
    async with scene.connections.write() as db:
        token = await db.get(TokenRow, scene.shop)
        assert token is not None
        token.access_expires_at = datetime.now(UTC)  # it is to be renewed, under a lease in Redis
        db.add(token)
    async with Redis(port=1) as nobody:
        with pytest.raises(RedisError):
            await mail_alerts(replace(scene.connections, redis=nobody), shop, MAIL, NOW, alert_letter)
    assert await mail_alerts(scene.connections, shop, MAIL, NOW + timedelta(minutes=2), alert_letter) == 2
    assert {each.mail for each in await open_alerts(scene.connections, scene.shop)} == {"sent"}


async def test_without_a_mail_server_alerts_are_not_kept_for_one(connections: Connections) -> None:
    async with installed(connections) as front:
        shop = front.installed
        await raise_alert(front.connections, shop, Alert(ERRORS, "x"), NOW)
        assert await mail_alerts(front.connections, shop, MAIL, NOW, alert_letter) == 0
        assert [each.mail for each in await open_alerts(front.connections, shop.shop)] == ["off"]

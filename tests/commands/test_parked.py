import re
from datetime import UTC, datetime

from app.connections import Connections
from app.events.kinds import AppUninstalled
from app.events.log import EventConsumer, EventLog
from app.tables import InboxRow
from tests.commands.conftest import Terminal

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = "a.myshopify.com"


async def put_aside(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(
            InboxRow(
                shop=SHOP, event_id="e", topic="orders/create", received_at=NOW, next_attempt_at=NOW,
                status="parked", error="lines[0].price is not an amount", body=b"{}",
            )
        )  # fmt: skip
    log, reader = EventLog(connections.redis), EventConsumer(connections.redis, "test")
    await log.append([AppUninstalled(shop=SHOP, event_id="u", happened_at=NOW)])
    await reader.open()
    for delivery in await reader.read():
        await reader.bury(delivery, "for the test")


def test_what_was_put_aside_is_listed_with_its_reason(terminal: Terminal) -> None:
    terminal.prepare(put_aside)
    said = terminal.run("parked").stdout.splitlines()
    assert said[0].endswith("orders/create  2026-11-01T12:00:00+00:00  lines[0].price is not an amount")
    assert re.search(rf"{SHOP}  AppUninstalled  20[-:+T\d]+  for the test$", said[1])
    assert said[2:] == ["1 parked webhooks, 1 dead letters"]
    assert terminal.run("parked", "--shop", SHOP).stdout.splitlines() == said


def test_what_was_put_aside_is_put_back_once(terminal: Terminal) -> None:
    terminal.prepare(put_aside)
    back = terminal.run("parked", "--replay", "--shop", SHOP).stdout
    assert back == "put back: 1 parked webhooks, 1 dead letters; the worker takes them up\n"
    assert terminal.run("parked").stdout == "0 parked webhooks, 0 dead letters\n"

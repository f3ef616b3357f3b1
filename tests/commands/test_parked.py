import re
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from app.connections import Connections
from app.errors import InputError, NotFound, TillwiseError
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


def test_what_was_given_up_is_put_aside_no_more_and_never_put_back(terminal: Terminal) -> None:
    terminal.prepare(put_aside)
    ids = [line.split()[0] for line in terminal.run("parked").stdout.splitlines()[:2]]
    given_up = terminal.run("parked", "--discard", ids[0], "--discard", ids[1]).stdout
    assert given_up.splitlines() == [f"given up: {each}" for each in ids]
    assert terminal.run("parked").stdout == "0 parked webhooks, 0 dead letters\n"
    assert terminal.run("parked", "--replay").stdout.startswith("put back: 0 parked webhooks, 0 dead letters")
    terminal.prepare(emptied)


async def emptied(connections: Connections) -> None:
    assert await connections.rows(select(InboxRow.status, InboxRow.body)) == [("done", b"")]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--discard", "404"], NotFound),
        (["--discard", "404-1"], NotFound),
        (["--discard", "orders/create"], InputError),
        (["--discard", "1", "--replay"], InputError),
        (["--discard", "1", "--shop", SHOP], InputError),
    ],
)
def test_what_can_not_be_given_up_is_named(
    terminal: Terminal, words: list[str], error: type[TillwiseError]
) -> None:
    terminal.prepare(put_aside)
    assert isinstance(terminal.run("parked", *words).exception, error)
    assert terminal.run("parked").stdout.endswith("1 parked webhooks, 1 dead letters\n")

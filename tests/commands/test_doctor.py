import time
from datetime import UTC, datetime, timedelta

import pytest

from app import doctor, shop_doctor
from app.connections import Connections
from app.tables import BackfillRow, OrderRow, ShopRow
from tests.commands.conftest import Terminal
from tests.commands.test_parked import put_aside


async def their_clock(*_: object) -> float:
    return time.time()


@pytest.fixture(autouse=True)
def nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPES", "read_orders")
    monkeypatch.setattr(doctor, "_LEAST_LEFT", 0)
    monkeypatch.setattr(shop_doctor, "read_clock", their_clock)


NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = "a.myshopify.com"


async def installed(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk_a", installed_at=NOW, web_pixel_id="gid://1"))
        db.add(BackfillRow(shop=SHOP, kind="orders", status="failed", error="refused", updated_at=NOW))


async def ordered(connections: Connections) -> None:
    async with connections.write() as db:
        at = datetime.now(UTC) - timedelta(hours=2)
        db.add(OrderRow(shop=SHOP, order_id=1, currency="EUR", created_at=at, updated_at=at))


def test_a_healthy_installation_says_so_of_each_part(terminal: Terminal) -> None:
    said = terminal.run("doctor")
    assert said.exit_code == 0
    assert "ok    database: sqlite answers" in said.stdout
    assert "ok    redis: answers" in said.stdout


def test_a_shop_without_the_app_is_named_and_is_a_failure(terminal: Terminal) -> None:
    said = terminal.run("doctor", "--shop", SHOP)
    assert said.exit_code == 1
    assert "FAIL  install: never installed" in said.stdout


def test_a_shop_that_is_not_looked_at_is_named(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    said = terminal.run("doctor", "--shop", SHOP)
    assert said.stdout.splitlines()[-1] == f"FAIL  shop: {SHOP} is not looked at before redis is mended"


def test_a_shop_is_looked_at_whatever_else_is_wrong_as_the_finding_about_its_deliveries_asks_for(
    terminal: Terminal,
) -> None:
    terminal.prepare(installed)
    terminal.prepare(ordered)
    said = terminal.run("doctor", "--shop", SHOP).stdout
    assert f"FAIL  deliveries: none came of an order of {SHOP}, nor any since: `tillwise doctor" in said
    assert "FAIL  deliveries: none came since the order of " in said


def test_each_thing_that_is_wrong_with_a_shop_is_named_with_what_to_do(terminal: Terminal) -> None:
    terminal.prepare(installed)
    terminal.prepare(put_aside)
    said = terminal.run("doctor", "--shop", SHOP)
    assert said.exit_code == 1
    findings = dict(line[6:].split(": ", 1) for line in said.stdout.splitlines())
    assert findings["token"].startswith("none that is good")
    assert findings["web pixel"] == "connected"
    assert findings["import"] == f"0 orders failed refused: `tillwise backfill --shop {SHOP}` goes on with it"
    assert findings["model"].startswith("none yet")
    assert findings["put aside"].startswith("1 webhooks and 1 events")

import json
from pathlib import Path

from app.connections import Connections
from app.errors import NotAllowed, NotFound
from app.tables import ShopRow
from tests.commands.conftest import Terminal
from tests.webhooks.test_compliance import SHOP, fill


async def filled(connections: Connections) -> None:
    await connections.redis.flushall()
    await fill(connections, SHOP)
    keys = await connections.redis.keys("*")
    await connections.redis.delete(*keys)  # they hold no real profiles there


async def came_back(connections: Connections) -> None:
    async with connections.write() as db:
        shop = await db.get(ShopRow, SHOP)
        assert shop is not None
        shop.uninstalled_at = None
        db.add(shop)


def test_a_customers_data_is_printed_as_json_or_written_to_a_file(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(filled)
    printed = terminal.run("export", "--shop", SHOP, "--customer", "gid://shopify/Customer/5")
    held = json.loads(printed.stdout)
    assert [row["order_id"] for row in held["orders"]] == [11]
    assert [row["line_id"] for row in held["order_lines"]] == [1]
    written = terminal.run("export", "--shop", SHOP, "--customer", "5", "--out", str(tmp_path / "5.json"))
    assert written.exit_code == 0
    assert json.loads((tmp_path / "5.json").read_text()) == held


def test_a_customer_nobody_knows_is_an_error_and_not_an_empty_file(terminal: Terminal) -> None:
    answer = terminal.run("export", "--shop", SHOP, "--customer", "99")
    assert isinstance(answer.exception, NotFound)
    assert "99" in str(answer.exception)


def test_an_erased_customer_is_counted_and_a_second_run_finds_nothing(terminal: Terminal) -> None:
    terminal.prepare(filled)
    first = terminal.run("erase", "--shop", SHOP, "--customer", "5")
    assert "1 customers" in first.stdout
    assert "2 events" in first.stdout
    again = terminal.run("erase", "--shop", SHOP, "--customer", "5")
    assert again.stdout == f"customer 5 of {SHOP}: nothing is held\n"


def test_a_shop_that_has_the_app_is_erased_only_when_meant(terminal: Terminal) -> None:
    terminal.prepare(filled)
    terminal.prepare(came_back)
    refused = terminal.run("erase", "--shop", SHOP)
    assert isinstance(refused.exception, NotAllowed)
    assert "2 customers" in refused.stdout
    assert "2 customers" in terminal.run("erase", "--shop", SHOP, "--yes").stdout
    assert terminal.run("erase", "--shop", SHOP, "--yes").stdout == f"{SHOP}: nothing is held\n"

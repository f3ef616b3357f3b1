import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from app.connections import Connections
from app.consent.requests import Kind, open_request
from app.errors import InputError, NotAllowed, NotFound
from app.tables import CustomerRow, ShopRow
from tests.commands.conftest import Terminal
from tests.privacy.planted import OTTO, ROSA, SHOP, plant

_LIKE = SHOP.replace(".", "s.", 1)  # a name like that of a shop that is known


async def planted(connections: Connections) -> None:
    await plant(connections, ROSA, OTTO)


async def uninstalled(connections: Connections) -> None:
    async with connections.write() as db:
        shop = await db.get(ShopRow, SHOP)
        assert shop is not None
        shop.uninstalled_at = shop.installed_at
        db.add(shop)


async def left_behind(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(CustomerRow(shop=_LIKE, customer_id=1, updated_at=datetime.now(UTC)))


async def asked_for_data(connections: Connections) -> None:
    await open_request(connections, SHOP, "data", Kind.DATA, datetime.now(UTC), customer_id=ROSA.customer)


def test_a_persons_data_is_printed_as_json_or_written_as_tables(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(planted)
    customer = f"gid://shopify/Customer/{ROSA.customer}"
    printed = terminal.run("export", "--shop", SHOP, "--customer", customer)
    whole = json.loads(printed.stdout)
    assert [row["order_id"] for row in whole["stores"]["orders"]["rows"]] == [ROSA.order]
    file = tmp_path / "rosa.zip"
    written = terminal.run(
        "export", "--shop", SHOP, "--email", ROSA.email, "--format", "csv", "--out", str(file)
    )
    assert written.exit_code == 0
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        orders = list(csv.DictReader(archive.read("orders.csv").decode().splitlines()))
    assert [row["order id"] for row in orders] == [str(ROSA.order)]


def test_a_request_for_data_is_answered_once(terminal: Terminal) -> None:
    terminal.prepare(planted)
    terminal.prepare(asked_for_data)
    answered = terminal.run("export", "--shop", SHOP, "--request", "data")
    assert json.loads(answered.stdout)["stores"]["orders"]["rows"]
    assert "request data is done, receipt " in answered.stderr
    again = terminal.run("export", "--shop", SHOP, "--request", "data")
    assert isinstance(again.exception, NotFound)


def test_nothing_is_done_where_its_file_could_not_be_written(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(planted)
    terminal.prepare(asked_for_data)
    nowhere = str(tmp_path / "none" / "file")
    of_request = ("export", "--shop", SHOP, "--request", "data")
    erasure = ("erase", "--shop", SHOP, "--customer", str(ROSA.customer))
    for words in ((*of_request, "--out", nowhere), (*erasure, "--receipt", nowhere)):
        assert isinstance(terminal.run(*words).exception, FileNotFoundError)
    whole = json.loads(terminal.run(*of_request).stdout)
    assert [row["order_id"] for row in whole["stores"]["orders"]["rows"]] == [ROSA.order]


def test_who_is_meant_has_to_be_said_and_nobody_known_is_an_error(terminal: Terminal) -> None:
    terminal.prepare(planted)
    assert isinstance(terminal.run("export", "--shop", SHOP).exception, InputError)
    answer = terminal.run("export", "--shop", SHOP, "--customer", "99")
    assert isinstance(answer.exception, NotFound)
    assert "99" in str(answer.exception)
    no_file = terminal.run("export", "--shop", SHOP, "--customer", "99", "--format", "csv")
    assert isinstance(no_file.exception, InputError)


def test_nobody_is_called_erased_of_a_shop_whose_name_is_mistyped(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(planted)
    file = tmp_path / "receipt.json"
    words = ("--customer", str(ROSA.customer), "--receipt", str(file))
    answer = terminal.run("erase", "--shop", "mistyped.myshopify.com", *words)
    assert isinstance(answer.exception, NotFound)
    assert not file.exists()


def test_a_mistyped_shop_is_asked_about_rather_than_called_empty(terminal: Terminal) -> None:
    terminal.prepare(planted)
    for words in (
        ("export", "--shop", _LIKE, "--customer", str(ROSA.customer)),
        ("export", "--shop", _LIKE, "--request", "data"),
        ("erase", "--shop", _LIKE),
        ("consent", "--shop", _LIKE, "--customer", str(ROSA.customer)),
    ):
        answer = terminal.run(*words)
        assert isinstance(answer.exception, NotFound), words
        assert str(answer.exception).endswith(f"is it {SHOP}?"), words
        assert answer.stdout == ""


def test_what_is_left_of_a_shop_that_is_not_known_is_erased_all_the_same(terminal: Terminal) -> None:
    terminal.prepare(planted)
    terminal.prepare(left_behind)
    assert "1 customers" in terminal.run("erase", "--shop", _LIKE).stdout


def test_an_erased_person_is_counted_and_a_second_run_finds_nothing(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.prepare(planted)
    file = tmp_path / "receipt.json"
    first = terminal.run("erase", "--shop", SHOP, "--checkout", ROSA.token, "--receipt", str(file))
    assert "1 customers" in first.stdout
    assert "4 events" in first.stdout
    assert "kept: 3 consents: proof of consent" in first.stdout
    again = terminal.run("erase", "--shop", SHOP, "--customer", str(ROSA.customer))
    assert f"customer {ROSA.customer} of {SHOP}: nothing is held\n" in again.stdout
    assert terminal.run("verify-receipt", str(file)).stdout.startswith("genuine: receipt ")


def test_a_receipt_is_checked_with_the_public_key_alone_and_a_changed_one_is_refused(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.prepare(planted)
    file = tmp_path / "receipt.json"
    terminal.run("erase", "--shop", SHOP, "--customer", str(ROSA.customer), "--receipt", str(file))
    key = terminal.run("verify-receipt", "--key").stdout.strip()
    checked = terminal.run("verify-receipt", str(file), "--public-key", key)
    assert "redact: all that was found is gone" in checked.stdout
    file.write_bytes(file.read_bytes().replace(b'"events": 4', b'"events": 3'))
    for words in ((str(file),), (str(file), "--public-key", key)):
        refused = terminal.run("verify-receipt", *words)
        assert isinstance(refused.exception, InputError)
        assert "was changed" in str(refused.exception)
    assert isinstance(terminal.run("verify-receipt", str(tmp_path / "none")).exception, InputError)
    assert isinstance(terminal.run("verify-receipt").exception, InputError)


def test_a_shop_that_has_the_app_is_erased_only_when_meant(terminal: Terminal) -> None:
    terminal.prepare(planted)
    refused = terminal.run("erase", "--shop", SHOP)
    assert isinstance(refused.exception, NotAllowed)
    assert "2 customers" in refused.stdout
    assert "2 customers" in terminal.run("erase", "--shop", SHOP, "--yes").stdout
    assert f"{SHOP}: nothing is held\n" in terminal.run("erase", "--shop", SHOP, "--yes").stdout


def test_a_shop_without_the_app_is_erased_when_asked(terminal: Terminal) -> None:
    terminal.prepare(planted)
    terminal.prepare(uninstalled)
    assert "2 customers" in terminal.run("erase", "--shop", SHOP).stdout

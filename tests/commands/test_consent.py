import csv
import json
from pathlib import Path
from typing import Any

import pytest

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.ledger import append
from app.consent.lookup import COLUMNS
from app.errors import NotFound
from app.tables import CustomerRow, OrderRow, ShopRow
from tests.commands.conftest import Terminal
from tests.consent.test_standings import NOON, SHOP

EMAIL = "Ada@Example.com"


async def filled(connections: Connections) -> None:
    """Customer 5 said something by name, in a checkout and in a newsletter's form; a browser too."""
    digests = await open_digests(connections)
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOON))
        digest = digests.of_email(SHOP, EMAIL)
        db.add(CustomerRow(shop=SHOP, customer_id=5, email_digest=digest, updated_at=NOON))
        db.add(
            OrderRow(
                shop=SHOP, order_id=1, customer_id=5, checkout_token="token", currency="USD",
                created_at=NOON, updated_at=NOON,
            )
        )  # fmt: skip

    def word(kind: str, name: str | int, source: str, **told: Any) -> Entry:
        subject, event_id = digests.of(SHOP, kind, name), f"{kind}-{source}"
        facts: Any = {"permitted": ("analytics",), "region": "US-CA", "policy_version": "v1"}
        return Entry(subject, kind, event_id, NOON, source, told, **facts)

    said = [
        word("customer", 5, "checkout", analytics=True, marketing=False, preferences=None),
        word("customer", 5, "customer_record", email_marketing="subscribed"),
        word("checkout", "token", "checkout", analytics=True),
        word("client", "browser", "pixel", analytics=True),
    ]
    await append(connections, SHOP, said)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        (("--customer", "gid://shopify/Customer/5"), ["customer", "customer", "checkout"]),
        (("--email", " ada@example.COM"), ["customer", "customer", "checkout"]),
        (("--client", "browser"), ["client"]),
        (("--checkout", "token"), ["checkout"]),
    ],
)
def test_a_persons_history_is_found_by_any_of_their_names(
    terminal: Terminal, name: tuple[str, str], kinds: list[str]
) -> None:
    terminal.prepare(filled)
    answer = terminal.run("consent", "--shop", SHOP, *name, "--json")
    said = [json.loads(line) for line in answer.stdout.splitlines()]
    assert sorted(each["subject_kind"] for each in said) == sorted(kinds)
    assert all(each["told_at"] == "2026-11-24T12:00:00Z" for each in said)


def test_a_history_reads_as_a_sentence_a_word(terminal: Terminal) -> None:
    terminal.prepare(filled)
    answer = terminal.run("consent", "--shop", SHOP, "--customer", "5")
    assert (
        "2026-11-24 12:00:00 UTC  customer, told by checkout in US-CA, policy v1: analytics: yes; "
        "marketing: no; preferences: no answer (allowed then: analytics)"
    ) in answer.stdout.splitlines()
    assert "email_marketing: subscribed" in answer.stdout


def test_somebody_who_never_said_anything_is_an_error(terminal: Terminal) -> None:
    terminal.prepare(filled)
    for name in (("--customer", "6"), ("--email", "nobody@example.com"), ("--client", "other")):
        assert isinstance(terminal.run("consent", "--shop", SHOP, *name).exception, NotFound)


def test_the_whole_ledger_is_handed_over_as_csv_or_lines_of_json(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(filled)
    printed = terminal.run("consent", "--shop", SHOP).stdout
    heading, *rows = csv.reader(printed.splitlines())
    assert heading == list(COLUMNS)
    first = dict(zip(heading, rows[0], strict=True))
    assert (first["told_marketing"], first["stands_marketing"], first["told_preferences"]) == (
        "False",
        "False",
        "",
    )
    assert (first["told_at"], first["permitted"], len(rows)) == ("2026-11-24T12:00:00+00:00", "analytics", 4)
    target = tmp_path / "ledger.jsonl"
    assert terminal.run("consent", "--shop", SHOP, "--json", "--out", str(target)).exit_code == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [line["event_id"] for line in lines] == [row[heading.index("event_id")] for row in rows]
    assert not any(name in printed for name in ("browser", "token", "example.com"))


def test_of_a_shop_that_is_not_known_nothing_is_written_not_even_a_heading(
    terminal: Terminal, tmp_path: Path
) -> None:
    target = tmp_path / "ledger.csv"
    for where in ((), ("--out", str(target))):
        said = terminal.run("consent", "--shop", "nobody.myshopify.com", *where)
        assert isinstance(said.exception, NotFound)
        assert said.stdout == ""
    assert not target.exists()

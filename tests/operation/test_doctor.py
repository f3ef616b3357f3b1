"""What is set up wrongly is found by name."""

from __future__ import annotations

import io
import math
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app import clocks, doctor
from app.config import read_settings
from app.connections import connect
from app.consent.digests import open_digests
from app.doctor import examine
from app.shops.vault import seal
from app.tables import InboxRow, ShopRow, TokenRow
from tests.conftest import ENVIRONMENT
from tests.operation.conftest import wrong
from tests.reach.post_office import post_office


def full_disk(**_: object) -> io.FileIO:
    return io.FileIO("/dev/full", "w")


async def test_an_installation_in_which_nothing_is_wrong_has_no_finding(
    environment: pytest.MonkeyPatch,
) -> None:
    assert await wrong() == {}


async def test_a_data_directory_that_can_not_be_made_is_found(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TILLWISE_DATA_DIR", "/dev/null/models")
    assert await wrong() == {"data directory": "/dev/null/models: models can't be published: Not a directory"}


async def test_a_disk_without_room_is_found(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(doctor.tempfile, "TemporaryFile", full_disk)
    assert "No space left" in (await wrong())["data directory"]


async def test_a_disk_with_little_room_left_is_found(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(doctor, "_LEAST_LEFT", math.inf)
    assert "GB are left on its disk" in (await wrong())["data directory"]


async def test_scopes_that_are_not_set_are_found(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SCOPES")
    assert (await wrong()).keys() == {"scopes"}


async def test_a_database_that_takes_no_writes_is_found(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("DATABASE_URL", f"sqlite:///file:{tmp_path}/tillwise.db?mode=ro&uri=true")
    found = await wrong()
    assert (found.keys(), found["database"][-34:]) == (
        {"database"},
        "attempt to write a readonly database"[-34:],
    )


async def test_tables_of_a_later_version_are_told(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "tillwise.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    assert "later version" in next(each.says for each in await examine() if each.name == "database")


async def test_tables_of_another_version_are_found(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert "another version" in (await wrong())["database"]


async def test_keys_that_do_not_open_what_is_sealed_are_found(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async with connect(read_settings(), redis_url) as connections:
        await open_digests(connections)
    assert await wrong() == {}
    environment.setenv("TOKEN_ENCRYPTION_KEYS", "B" * 43 + "=")
    assert (await wrong()).keys() == {"encryption keys"}


async def test_shops_whose_tokens_no_key_opens_any_more_are_named(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    now, ours, former = datetime.now(UTC), "A" * 43 + "=", "B" * 43 + "="
    async with connect(read_settings(), redis_url) as connections, connections.write() as db:
        for shop, sealed_with in (("a", ours), ("b", former)):
            token = seal((sealed_with,), "token")
            db.add(TokenRow(shop=shop, access_token=token, updated_at=now))
    assert "the tokens of b were sealed" in (await wrong())["encryption keys"]
    environment.setenv("TOKEN_ENCRYPTION_KEYS", f"{ours},{former}")
    assert await wrong() == {}


async def test_shops_that_can_not_be_asked_are_named(environment: pytest.MonkeyPatch, redis_url: str) -> None:
    now = datetime.now(UTC)
    async with connect(read_settings(), redis_url) as connections, connections.write() as db:
        for shop, left in (("a", None), ("b", None), ("c", now)):
            db.add(ShopRow(shop=shop, publishable_key=shop, installed_at=now, uninstalled_at=left))
        db.add(TokenRow(shop="a", access_token=b"", updated_at=now))
    says = next(each.says for each in await examine() if each.name == "shops")
    assert says == "2 have the app, 1 of which can't be asked until their merchants open it: b"


@pytest.mark.parametrize(("due_min", "ok"), [(-1, True), (2, True), (60, False)])
async def test_deliveries_that_nobody_works_off_are_found_and_the_shop_with_most_is_named(
    environment: pytest.MonkeyPatch, redis_url: str, due_min: int, ok: bool
) -> None:
    now = datetime.now(UTC)
    due = now - timedelta(minutes=due_min)
    async with connect(read_settings(), redis_url) as connections, connections.write() as db:
        for number, shop in enumerate(("a", "b", "b")):
            db.add(
                InboxRow(
                    shop=shop, event_id=str(number), topic="t", received_at=now, next_attempt_at=due, body=b""
                )
            )
        db.add(
            InboxRow(
                shop="c", event_id="1", topic="t", received_at=now, next_attempt_at=now - timedelta(days=1),
                body=b"", status="done",
            )
        )  # fmt: skip
    (found,) = [each for each in await examine() if each.name == "inbox"]
    assert found.says.startswith("3 wait, 2 of them of b")
    assert (found.ok, "no worker is at work" not in found.says) == (ok, ok)


@pytest.mark.parametrize(
    ("command", "answer", "said"),
    [
        ("EHLO", None, "unexpectedly closed"),
        ("MAIL", "553 not yours", "does not take letters of shop@example.com (553)"),
    ],
)
async def test_a_mail_server_that_would_take_no_letter_is_found(
    environment: pytest.MonkeyPatch, command: str, answer: str | None, said: str
) -> None:
    async with post_office() as office:
        environment.setenv("SMTP_URL", f"smtp://127.0.0.1:{office.port}?from=shop%40example.com&tls=no")
        assert await wrong() == {}
        office.says[command] = answer
        assert said in (await wrong())["mail"]


async def test_a_clock_that_is_wrong_is_found(environment: pytest.MonkeyPatch) -> None:
    real = clocks.time.time
    environment.setattr(clocks.time, "time", lambda: real() + 90)
    assert "s ahead of that of Redis: let the machines follow a time server" in (await wrong())["clock"]
    environment.setattr(clocks.time, "time", lambda: real() - 90)
    assert "s behind that of Redis" in (await wrong())["clock"]


async def test_a_secret_that_is_given_as_its_own_successor_is_found(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHOPIFY_OLD_API_SECRET", ENVIRONMENT["SHOPIFY_API_SECRET"])
    assert "the one before" in (await wrong())["secrets"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("amqp://guest:not-told@127.0.0.1:1", "RabbitMQ: nothing listens there"),
        ("kafka://guest:not-told@127.0.0.1:1", "Connection refused"),
    ],
)
async def test_a_broker_that_does_not_answer_is_found_and_its_password_not_told(
    environment: pytest.MonkeyPatch, url: str, said: str
) -> None:
    for module in ("rabbitmq", "kafka"):
        environment.setattr(f"app.events.{module}._PATIENCE_S", 0.5)
    environment.setenv("EVENT_LOG_URL", url)
    found = await wrong()
    assert said in found["event log"]
    assert "not-told" not in str(found)


async def test_stores_that_do_not_answer_are_found(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REDIS_URL", "redis://127.0.0.1:1")
    environment.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert (await wrong()).keys() == {"redis", "database"}
    says = {each.name: each.says for each in await examine()}
    assert (says["redis"], says["database"]) == (
        "can't talk to it: nothing listens there",
        "nothing listens there",
    )
    assert (says["jobs"], says["inbox"]) == tuple(
        f"not looked at before {store} is mended" for store in ("redis", "database")
    )


async def test_what_a_database_that_is_away_keeps_from_being_looked_at_is_no_finding(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.set("tw:installation", "whose only the database knows")
    environment.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert (await wrong()).keys() == {"database"}


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("none/tillwise.db", "its file can't be opened: is its folder there, and may this user write to it?"),
        ("junk.db", "its file is not a database of SQLite's"),
    ],
)
async def test_a_file_that_is_no_database_is_found(
    environment: pytest.MonkeyPatch, tmp_path: Path, file: str, says: str
) -> None:
    (tmp_path / "junk.db").write_bytes(b"no database " * 100)
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / file}")
    assert await wrong() == {"database": says}


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        (
            "APP_URL",
            "https://localhost:4701",
            "https://localhost:4701: Shopify can't reach what is inside a network",
        ),
        ("APP_URL", "https://10.0.0.5", "https://10.0.0.5: Shopify can't reach what is inside a network"),
        ("SCOPES", "read_orders;read_products", "'read_orders;read_products' is no scope"),
    ],
)
async def test_a_setting_that_can_not_be_meant_is_found(
    environment: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    environment.setenv(variable, value)
    (found,) = (await wrong()).values()
    assert found.endswith(says)


async def test_a_collector_of_traces_that_is_not_there_is_found(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    says = "http://127.0.0.1:9/v1/traces does not take spans: nothing listens there"
    assert await wrong() == {"traces": says}

import re
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app import broker_address
from app.config import Rates, read_settings
from app.errors import ConfigError
from app.events.kafka import options_of

GIVEN = {"SHOPIFY_API_KEY": "key", "SHOPIFY_API_SECRET": "secret", "APP_URL": "https://app.example.com"}


def test_what_is_missing_is_named_all_at_once() -> None:
    with pytest.raises(ConfigError, match=r"SHOPIFY_API_KEY, SHOPIFY_API_SECRET, APP_URL"):
        read_settings({})


def test_the_cli_of_shopify_sets_enough_to_start(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "SHOPIFY_API_KEY": "key",
            "SHOPIFY_API_SECRET": "secret",
            "HOST": "tunnel.example.com",
            "PORT": "12345",
            "SCOPES": "read_products, read_orders",
            "TILLWISE_DATA_DIR": str(tmp_path),
        }
    )
    assert (settings.app_url, settings.port) == ("https://tunnel.example.com", 12345)
    assert settings.scopes == {"read_products", "read_orders"}
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/tillwise.db"


def test_the_key_of_the_embedded_database_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    environ = GIVEN | {"TILLWISE_DATA_DIR": str(tmp_path / "var")}
    first, second = read_settings(environ), read_settings(environ)
    assert first.token_encryption_keys == second.token_encryption_keys
    assert stat.S_IMODE((tmp_path / "var/token.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700  # the database is beside it


def test_a_data_directory_that_can_hold_no_key_is_named() -> None:
    with pytest.raises(ConfigError, match="TILLWISE_DATA_DIR can't hold the key"):
        read_settings(GIVEN | {"TILLWISE_DATA_DIR": "/dev/null/var"})


def test_a_database_of_ones_own_needs_keys_of_ones_own() -> None:
    with pytest.raises(ConfigError, match="TOKEN_ENCRYPTION_KEYS"):
        read_settings(GIVEN | {"DATABASE_URL": "postgresql://localhost/tillwise"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgresql://u:p@a/n?sslmode=require&channel_binding=require"),
        ("REDIS_URL", "http://localhost"),
        ("APP_URL", "ftp://app.example.com"),
        ("APP_URL", "https://app example.com"),
        ("APP_URL", "app.example.com:99999"),
        ("APP_URL", "https://app.example.com/tillwise"),
        ("SHOPIFY_API_KEY", "key "),
        ("SHOPIFY_API_SECRET", '"secret"'),
        ("SHOPIFY_OLD_API_SECRET", "secret\n"),
        ("TOKEN_ENCRYPTION_KEYS", "short"),
        ("SHOPIFY_DEV_STORE_URL", "http://example.com"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=name):
        read_settings(GIVEN | {"TILLWISE_DATA_DIR": str(tmp_path), name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://:sec/ret@a:6379"),
        ("REDIS_URL", "rediss://:6379x@a:sec"),
        ("DATABASE_URL", "postgresql://u:sec/ret@a:x/n"),
        ("EVENT_LOG_URL", "amqp://u:sec/ret@a"),
        ("EVENT_LOG_URL", "kafkas://u:sec@a:b/t"),
    ],
)
def test_an_address_that_can_not_be_read_is_named_without_its_password(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        read_settings(GIVEN | {name: value})
    assert "sec" not in str(refused.value)


def test_both_secrets_are_good_while_one_is_rotated(tmp_path: Path) -> None:
    environ = GIVEN | {"TILLWISE_DATA_DIR": str(tmp_path), "SHOPIFY_OLD_API_SECRET": "old"}
    assert read_settings(environ).secrets == ("secret", "old")


def test_several_keys_are_read_in_order(tmp_path: Path) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    environ = GIVEN | {"DATABASE_URL": "postgres://localhost/x", "TOKEN_ENCRYPTION_KEYS": ", ".join(keys)}
    settings = read_settings(environ)
    assert settings.token_encryption_keys == tuple(keys)
    assert settings.database_url == "postgresql+asyncpg://localhost/x"


SMTP = "smtp://post%40x:pass%2Fword@mail.example.com?from=shop%40example.com"


def test_a_mail_server_is_read_with_its_sender_and_without_showing_the_password() -> None:
    smtp = read_settings(GIVEN | {"SMTP_URL": SMTP}).smtp
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.security) == ("mail.example.com", 587, "starttls")
    assert (smtp.user, smtp.password, smtp.sender) == ("post@x", "pass/word", "shop@example.com")
    assert "pass" not in repr(smtp)
    tls = read_settings(GIVEN | {"SMTP_URL": "smtps://m.example.com:9?from=a%40b.co"}).smtp
    assert tls is not None
    assert (tls.port, tls.security) == (9, "tls")
    assert read_settings(GIVEN).smtp is None


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.com?from=a%40b.co", "smtp://?from=a%40b.co", "smtp://mail.example.com",
        "smtp://mail.example.com?from=nobody", "smtp://mail.example.com?from=a%40b.co&tls=no",
        "smtp://mail.example.com:port?from=a%40b.co", "smtp://m.example.com?from=a%40b.co%0aBcc:x",
    ],
)  # fmt: skip
def test_a_mail_server_that_can_not_be_one_is_refused_at_boot(url: str) -> None:
    with pytest.raises(ConfigError, match="SMTP_URL"):
        read_settings(GIVEN | {"SMTP_URL": url})


def test_plans_are_named_with_what_they_cover() -> None:
    assert read_settings(GIVEN).plans == {}
    assert read_settings(GIVEN | {"PLANS": "Basic=10000, Growth plus = 200000"}).plans == {
        "Basic": 10_000,
        "Growth plus": 200_000,
    }


@pytest.mark.parametrize("plans", ["Basic", "=5", "Basic=", "Basic=0", "Basic=-1", "Basic=many"])
def test_unusable_plans_are_named(plans: str) -> None:
    with pytest.raises(ConfigError, match="PLANS is written as Basic=10000"):
        read_settings(GIVEN | {"PLANS": plans})


def test_patience_is_whole_seconds() -> None:
    assert (read_settings(GIVEN).patience_s, read_settings(GIVEN | {"PATIENCE": "5"}).patience_s) == (25, 5)
    for seconds in ("0", "1.5", "long", "1000"):
        with pytest.raises(ConfigError, match="PATIENCE"):
            read_settings(GIVEN | {"PATIENCE": seconds})


def test_rates_are_named_and_what_is_not_named_stays() -> None:
    assert read_settings(GIVEN | {"RATES": "visitor=50"}).rates == Rates(shop=500, visitor=50, forger=5)


@pytest.mark.parametrize("rates", ["shop", "shop=0", "shop=-1", "guest=5", "shop=5; visitor=5"])
def test_unusable_rates_are_named(rates: str) -> None:
    with pytest.raises(ConfigError, match="RATES"):
        read_settings(GIVEN | {"RATES": rates})


@pytest.mark.parametrize(
    "url",
    ["redis://broker", "broker", "amqp://", "amqp://a,b", "kafka://", "kafka://a:port", "kafka://a:9092,"],
)
def test_an_event_log_that_is_on_no_broker_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="EVENT_LOG_URL"):
        read_settings(GIVEN | {"EVENT_LOG_URL": url})


@pytest.mark.parametrize(("url", "extra"), [("amqp://broker", "amqp"), ("kafkas://a,b", "kafka")])
def test_a_broker_whose_packages_are_missing_names_the_extra(
    url: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings(GIVEN | {"EVENT_LOG_URL": url}).event_log_url == url
    monkeypatch.setattr(broker_address, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=re.escape(f"pip install '.[{extra}]'")):
        read_settings(GIVEN | {"EVENT_LOG_URL": url})


def test_an_address_of_a_broker_tells_all_that_its_client_needs() -> None:
    address = broker_address.broker_address("kafkas://me:p%40ss@a:1,b/events?ssl.ca.location=%2Fca.pem")
    assert address.servers == (("a", 1), ("b", 9093))
    options = options_of(address)
    assert options["bootstrap.servers"] == "a:1,b:9093"
    assert (options["sasl.username"], options["sasl.password"]) == ("me", "p@ss")
    assert (options["security.protocol"], options["ssl.ca.location"]) == ("SASL_SSL", "/ca.pem")
    assert address.path == "events"
    assert "p@ss" not in repr(address)

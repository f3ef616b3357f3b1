"""Settings: read once from the environment, wrong ones named at boot."""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.fernet import Fernet

from app.broker_address import broker_address
from app.errors import ConfigError
from app.postgres import readable
from app.redis_address import CLUSTER, TLS_CLUSTER, cluster_address

API_VERSION = "2026-07"
_DATABASES = {"sqlite+aiosqlite", "postgresql+asyncpg"}
_REDIS = ("redis", "rediss", "unix", CLUSTER, TLS_CLUSTER)


@dataclass(frozen=True, slots=True)
class Smtp:
    """Where e-mail is handed over, and in whose name. security: tls from the start, starttls, or none."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """How many calls a second one web process answers, for long: of one shop, of one of its visitors.

    forger: deliveries with a wrong signature, from one address.
    """

    shop: int = 500
    visitor: int = 20
    forger: int = 5

    def each(self) -> dict[str, int]:
        """Return the rates by whose they are."""
        return {"shop": self.shop, "visitor": self.visitor, "forger": self.forger}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment said.

    token_encryption_keys: Fernet keys; the first encrypts, all decrypt.
    redis_url: None starts the embedded server in `data_dir`.
    event_log_url: of a broker behind the event log; None leaves the log to Redis alone.
    dev_store_url: development only; every request for a shop goes to this origin instead.
    smtp: None sends no e-mail.
    plans: how many answers in 30 days each plan of the app covers, by its name at Shopify; none names none.
    patience_s: how long a page or a call of the admin waits for the stores and Shopify.
    """

    api_key: str
    api_secret: str
    old_api_secret: str | None
    scopes: frozenset[str]
    app_url: str
    port: int
    data_dir: Path
    database_url: str
    redis_url: str | None
    token_encryption_keys: tuple[str, ...]
    dev_store_url: str | None
    smtp: Smtp | None = None
    plans: Mapping[str, int] = field(default_factory=dict, hash=False)
    rates: Rates = Rates()
    patience_s: float = 25.0
    event_log_url: str | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The app secrets a signature may be made with: the current one, then the old one."""
        return (self.api_secret, self.old_api_secret) if self.old_api_secret else (self.api_secret,)


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings. Raises ConfigError naming each variable that is missing or wrong."""
    app_url = _required(environ)
    data_dir = Path(environ.get("TILLWISE_DATA_DIR") or "var").resolve()
    database_url = environ.get("DATABASE_URL") or f"sqlite:///{data_dir / 'tillwise.db'}"
    return Settings(
        api_key=environ["SHOPIFY_API_KEY"],
        api_secret=environ["SHOPIFY_API_SECRET"],
        old_api_secret=environ.get("SHOPIFY_OLD_API_SECRET") or None,
        scopes=frozenset(filter(None, environ.get("SCOPES", "").replace(" ", "").split(","))),
        app_url=_origin("APP_URL", app_url if "//" in app_url else f"https://{app_url}"),
        port=_port(environ.get("PORT") or "4701"),
        data_dir=data_dir,
        database_url=async_database(database_url),
        redis_url=_redis(environ.get("REDIS_URL")),
        token_encryption_keys=_keys(environ, data_dir, embedded="DATABASE_URL" not in environ),
        dev_store_url=_loopback("SHOPIFY_DEV_STORE_URL", environ.get("SHOPIFY_DEV_STORE_URL")),
        smtp=_smtp(environ.get("SMTP_URL")),
        plans=_numbers("PLANS", environ.get("PLANS", ""), "Basic=10000"),
        rates=_rates(environ.get("RATES", "")),
        patience_s=_patience(environ.get("PATIENCE") or "25"),
        event_log_url=_event_log(environ.get("EVENT_LOG_URL")),
    )


def _required(environ: Mapping[str, str]) -> str:
    """Return the app's address. Raises ConfigError if it or a credential is missing, or one is mistyped."""
    missing = [n for n in ("SHOPIFY_API_KEY", "SHOPIFY_API_SECRET") if not environ.get(n)]
    if not (app_url := environ.get("APP_URL") or environ.get("HOST")):
        missing.append("APP_URL (or HOST)")
    if missing or not app_url:
        raise ConfigError(
            f"not set: {', '.join(missing)}. `shopify app dev` sets them; "
            "without it, copy them from the app's page in the Shopify Dev Dashboard."
        )
    for name in ("SHOPIFY_API_KEY", "SHOPIFY_API_SECRET", "SHOPIFY_OLD_API_SECRET"):
        if re.search(r"[\s\"']", environ.get(name, "")):  # each signature would be wrong
            raise ConfigError(
                f"{name} has a space, a line break or a quotation mark in it, which is not its own"
            )
    return app_url


def _origin(name: str, text: str) -> str:
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise ConfigError(f"{name} is not an http(s) address: {text!r}") from None
    if url.scheme not in {"http", "https"} or not host or re.search(r"\s", text):
        raise ConfigError(f"{name} is not an http(s) address: {text!r}")
    if url.path not in {"", "/"} or url.query or url.fragment or url.username is not None:
        raise ConfigError(f"{name} is scheme, host and port alone, as in https://{host}")
    return f"{url.scheme}://{url.netloc}"


def _loopback(name: str, text: str | None) -> str | None:
    if not text:
        return None
    origin = _origin(name, text)
    if urlsplit(origin).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ConfigError(f"{name} is for a dev store on this machine, not {text!r}")
    return origin


def _smtp(text: str | None) -> Smtp | None:
    """Return where e-mail goes: `smtp://user:password@host:587?from=shop%40example.com`, or smtps://.

    smtp:// is encrypted by STARTTLS; only this machine's own may go without, by `&tls=no`.
    """
    if not text:
        return None
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ConfigError("SMTP_URL can't be read") from None
    asked = parse_qs(url.query)
    sender = "".join(asked.get("from", []))
    if url.scheme not in {"smtp", "smtps"} or not url.hostname:
        raise ConfigError("SMTP_URL starts with smtp:// or smtps:// and names a host")
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", sender, re.ASCII):
        raise ConfigError("SMTP_URL names the sender's address: …?from=shop%40example.com")
    plain = asked.get("tls") == ["no"]
    if plain and url.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ConfigError("SMTP_URL says tls=no, which is for this machine's own server only")
    security = "tls" if url.scheme == "smtps" else "none" if plain else "starttls"
    usual = 465 if security == "tls" else 587
    user, password = unquote(url.username or ""), unquote(url.password or "")
    return Smtp(url.hostname, port or usual, security, user, password, sender)


def _numbers(variable: str, text: str, example: str) -> dict[str, int]:
    """Return numbers above nought by name: `Basic=10000, Growth=200000`."""
    numbers: dict[str, int] = {}
    for each in filter(None, map(str.strip, text.split(","))):
        name, mark, number = each.rpartition("=")
        if not mark or not name.strip() or not re.fullmatch(r"[1-9][0-9]{0,11}", number.strip(), re.ASCII):
            raise ConfigError(f"{variable} is written as {example}, not {each!r}")
        numbers[name.strip()] = int(number)
    return numbers


def _rates(text: str) -> Rates:
    try:
        return Rates(**_numbers("RATES", text, "shop=500, visitor=20"))
    except TypeError:
        raise ConfigError(f"RATES limits {', '.join(Rates().each())}: {text!r}") from None


def _patience(text: str) -> float:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text, re.ASCII):
        raise ConfigError(f"PATIENCE is 1 to 999 whole seconds, not {text!r}")
    return float(text)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ConfigError(f"PORT is not a port number: {text!r}")
    return int(text)


def async_database(url: str) -> str:
    """Return the address with the asyncio driver its engine needs."""
    scheme, separator, rest = url.partition("://")
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgres": "postgresql+asyncpg",
        "postgresql": "postgresql+asyncpg",
    }
    driver = drivers.get(scheme, scheme)
    if not separator or driver not in _DATABASES:
        raise ConfigError(f"DATABASE_URL is for SQLite or PostgreSQL, not {scheme!r}")
    address = f"{driver}://{rest}"
    return readable(address) if driver.startswith("postgresql") else address


def _redis(url: str | None) -> str | None:
    if not url:
        return None
    scheme, _, _ = url.partition("://")
    if scheme not in _REDIS:
        raise ConfigError(f"REDIS_URL starts with one of {', '.join(f'{each}://' for each in _REDIS)}")
    try:
        if cluster_address(url) is None and scheme != "unix":
            _ = urlsplit(url).port  # it would be quoted where it is no number, and may be part of a password
    except ConfigError as error:
        raise ConfigError(f"REDIS_URL: {error}") from None
    except ValueError:
        raise ConfigError("REDIS_URL can't be read: redis://user:password@host:6379/0, a / as %2F") from None
    return url


def _event_log(url: str | None) -> str | None:
    if not url:
        return None
    broker_address(url)
    return url


def _keys(environ: Mapping[str, str], data_dir: Path, *, embedded: bool) -> tuple[str, ...]:
    """Return the keys given, or on the embedded database one kept beside it."""
    given = environ.get("TOKEN_ENCRYPTION_KEYS", "")
    keys = tuple(filter(None, (key.strip() for key in given.split(","))))
    if not keys and not embedded:
        raise ConfigError(
            "not set: TOKEN_ENCRYPTION_KEYS (comma-separated Fernet keys; `tillwise key` makes one)"
        )
    try:
        keys = keys or (_kept_key(data_dir / "token.key"),)
    except OSError as error:
        raise ConfigError(f"TILLWISE_DATA_DIR can't hold the key of the embedded database: {error}") from None
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            raise ConfigError("TOKEN_ENCRYPTION_KEYS holds a key that is not a Fernet key") from None
    return keys


def _kept_key(path: Path) -> str:
    """Return the key in the file, made on first use and readable by its owner alone."""
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(file, "wb") as out:
        out.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
    return path.read_text().strip()

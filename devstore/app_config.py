"""What Shopify knows of the app: its shopify.app.toml, its key and secret, and where it runs."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstore.records import Subscription

DEMO_KEY = "tillwise-demo-key"
DEMO_SECRET = "tillwise-demo-secret-for-one-machine-only"  # noqa: S105 - signs on this machine only


class ConfigurationError(Exception):
    """shopify.app.toml is missing or says something that the dev store can't use."""


@dataclass(frozen=True, slots=True)
class AppConfig:
    key: str
    secret: str
    url: str  # where the app runs, without a trailing slash
    name: str = "Tillwise"
    scopes: frozenset[str] = frozenset()
    optional_scopes: frozenset[str] = frozenset()
    api_version: str = "2026-07"
    subscriptions: tuple[Subscription, ...] = ()
    redirect_urls: tuple[str, ...] = ()
    proxy_url: str = ""
    proxy_path: str = ""  # such as apps/tillwise


def split_scopes(text: str) -> frozenset[str]:
    """Return the scopes of a comma-separated list."""
    return frozenset(filter(None, (scope.strip() for scope in text.split(","))))


def with_implied(scopes: frozenset[str]) -> frozenset[str]:
    """Return the scopes with the read scope that each write scope brings along."""
    return scopes | {"read_" + s.removeprefix("write_") for s in scopes if s.startswith("write_")}


def load(toml: Path, url: str, key: str = DEMO_KEY, secret: str = DEMO_SECRET) -> AppConfig:
    """Return the app's configuration, its addresses resolved against the url where it runs."""
    try:
        read = tomllib.loads(toml.read_text())
    except FileNotFoundError:
        raise ConfigurationError(
            f"{toml} does not exist: the dev store reads scopes and topics from it"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{toml} is not TOML: {error}") from None
    return from_dict(read, url, key, secret)


def from_dict(read: dict[str, Any], url: str, key: str, secret: str) -> AppConfig:
    """Return the configuration in a parsed shopify.app.toml."""
    declared = str(read.get("application_url", ""))
    url = url.rstrip("/")
    access, hooks, proxy = read.get("access_scopes", {}), read.get("webhooks", {}), read.get("app_proxy", {})
    wanted = _subscriptions(hooks.get("subscriptions", []), declared, url)
    return AppConfig(
        key=key,
        secret=secret,
        url=url,
        name=read.get("name", "Tillwise"),
        scopes=split_scopes(access.get("scopes", "")),
        optional_scopes=frozenset(access.get("optional_scopes", [])),
        api_version=hooks.get("api_version", "2026-07"),
        subscriptions=wanted,
        redirect_urls=tuple(resolve(u, declared, url) for u in read.get("auth", {}).get("redirect_urls", [])),
        proxy_url=resolve(proxy["url"], declared, url) if proxy else "",
        proxy_path=f"{proxy.get('prefix', 'apps')}/{proxy['subpath']}" if proxy else "",
    )


def resolve(uri: str, declared: str, url: str) -> str:
    """Return where the uri leads while the app runs at url instead of its declared address."""
    if uri.startswith("/"):
        return url + uri
    declared = declared.rstrip("/")
    return url + uri.removeprefix(declared) if declared and uri.startswith(declared) else uri


def _subscriptions(tables: list[dict[str, Any]], declared: str, url: str) -> tuple[Subscription, ...]:
    wanted = [
        (topic, resolve(table["uri"], declared, url), tuple(table.get("include_fields", ())))
        for table in tables
        for topic in (*table.get("topics", ()), *table.get("compliance_topics", ()))
    ]
    return tuple(Subscription(number, *fields) for number, fields in enumerate(wanted, start=1))

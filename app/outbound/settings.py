"""The shop's outbound settings: tags, metafields, a webhook. All are off by default. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import InputError
from app.shops.grants import covers
from app.values import moment

WRITE_BACK = "write_back"
WEBHOOK = "webhook"
SCOPE = "write_customers"


@dataclass(frozen=True, slots=True)
class WriteBack:
    """What is written to the shop's customers in Shopify."""

    tags: bool = False
    metafields: bool = False

    @property
    def anything(self) -> bool:
        """Return whether anything is written."""
        return self.tags or self.metafields


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where moves are sent. sealed: the signing secret, encrypted; since: earlier moves are not sent."""

    url: str
    sealed: bytes
    since: datetime


def write_back_of(settings: Mapping[str, Any]) -> WriteBack:
    """Return what the shop's settings switch on; only `true` counts as on."""
    given = settings.get(WRITE_BACK)
    held = given if isinstance(given, Mapping) else {}
    return WriteBack(held.get("tags") is True, held.get("metafields") is True)


def webhook_of(settings: Mapping[str, Any]) -> Webhook | None:
    """Return the shop's webhook, None where it has none or an incomplete one."""
    given = settings.get(WEBHOOK)
    if not isinstance(given, Mapping):
        return None
    try:
        return Webhook(str(given["url"]), str(given["secret"]).encode(), moment(given["since"]))
    except (KeyError, InputError):
        return None


def may_write(scopes: frozenset[str]) -> bool:
    """Return whether a shop that granted these scopes lets us write to its customers."""
    return covers(scopes, frozenset({SCOPE}))

"""Access tokens as Shopify grants them: what to ask with, and what comes back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.config import Settings

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105  (a name, no secret)
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"


@dataclass(frozen=True, slots=True)
class Grant:
    """An offline access token. Without a refresh token it never expires."""

    access_token: str = field(repr=False)
    scopes: frozenset[str]
    access_expires_at: datetime | None
    refresh_token: str | None = field(repr=False)
    refresh_expires_at: datetime | None


def exchange_request(settings: Settings, id_token: str) -> dict[str, str]:
    """Return what to post for an expiring offline token in exchange for a staff member's token."""
    return _client(settings) | {
        "grant_type": EXCHANGE,
        "subject_token": id_token,
        "subject_token_type": ID_TOKEN,
        "requested_token_type": OFFLINE,
        "expiring": "1",
    }


def refresh_request(settings: Settings, refresh_token: str) -> dict[str, str]:
    """Return what to post for the next token; the refresh token is spent with it."""
    return _client(settings) | {"grant_type": "refresh_token", "refresh_token": refresh_token}


def code_request(settings: Settings, code: str) -> dict[str, str]:
    """Return what to post for an expiring offline token in exchange for an authorization code."""
    return _client(settings) | {"code": code, "expiring": "1"}


def read_grant(answer: Mapping[str, Any], now: datetime) -> Grant:
    """Return the grant in the token endpoint's answer, received at `now`."""
    return Grant(
        access_token=str(answer["access_token"]),
        scopes=read_scopes(str(answer.get("scope", ""))),
        access_expires_at=_after(now, answer.get("expires_in")),
        refresh_token=answer.get("refresh_token") or None,
        refresh_expires_at=_after(now, answer.get("refresh_token_expires_in")),
    )


def read_scopes(text: str) -> frozenset[str]:
    """Return the scopes of a comma-separated list."""
    return frozenset(filter(None, (scope.strip() for scope in text.split(","))))


def covers(granted: frozenset[str], wanted: frozenset[str]) -> bool:
    """Return whether all wanted scopes are granted; the right to write brings that to read."""
    implied = {f"read_{scope.removeprefix('write_')}" for scope in granted if "write_" in scope}
    return wanted <= granted | implied


def _client(settings: Settings) -> dict[str, str]:
    return {"client_id": settings.api_key, "client_secret": settings.api_secret}


def _after(now: datetime, seconds: object) -> datetime | None:
    return now + timedelta(seconds=float(str(seconds))) if seconds else None

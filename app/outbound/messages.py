"""Messages about moves between segments, and when one that was not accepted is sent again. Pure."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import msgspec

MOST_ATTEMPTS = 16
_FIRST_PAUSE_S = 5
_LONGEST_PAUSE_S = 3_600


@dataclass(frozen=True, slots=True)
class Move:
    """A customer's move from one segment into another. number: the id of its row."""

    number: int
    shop: str
    customer_id: int
    before: str | None
    after: str
    why: str
    moved_at: datetime


class Message(msgspec.Struct, frozen=True):
    """A move as it is sent to another system. event_id: the same in every attempt."""

    event_id: str
    shop: str
    customer_id: int
    before: str | None
    after: str
    why: str
    moved_at: str


class Alarm(msgspec.Struct, frozen=True):
    """An alert about the shop itself, as it is sent to the merchant's system. It names nobody.

    alert: its kind. about: a campaign's id, or empty. resolved_at: None while it lasts.
    """

    event_id: str
    shop: str
    alert: str
    about: str
    says: str
    opened_at: str
    resolved_at: str | None = None


class Trial(msgspec.Struct, frozen=True):
    """The message that is sent when a merchant tests the webhook."""

    event_id: str
    shop: str
    moved_at: str
    test: bool = True


def trial_of(shop: str, now: datetime) -> Trial:
    """Return a test message, which is about nobody."""
    return Trial(event_id=f"test-{secrets.token_hex(14)}", shop=shop, moved_at=instant(now))


def message_of(move: Move) -> Message:
    """Return the message that tells of the move."""
    return Message(
        event_id=event_id_of(move),
        shop=move.shop,
        customer_id=move.customer_id,
        before=move.before,
        after=move.after,
        why=move.why,
        moved_at=instant(move.moved_at),
    )


def event_id_of(move: Move) -> str:
    """Return the move's unique id: 32 hex digits."""
    text = f"{move.shop}\0{move.number}\0{move.moved_at.isoformat()}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: 5 s, 10 s, 20 s … an hour, a fifth more or less."""
    seconds = min(_FIRST_PAUSE_S * 2 ** (attempts - 1), _LONGEST_PAUSE_S)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))


def instant(moment: datetime) -> str:
    """Return a time as messages write it: UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

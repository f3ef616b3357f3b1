"""What a person told before and tells now: whether it is news, and what they took back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from app.connections import redis_key
from app.consent.policy import PURPOSES, Answers

KEPT_S = 400 * 24 * 3600  # as long as Shopify's own consent cookie, and a month

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Answers)


@dataclass(frozen=True, slots=True)
class News:
    """What is new in some answers. withdrawn: the purposes that were allowed and now are not."""

    answers: Answers
    withdrawn: tuple[str, ...]


def told_key(shop: str, subject: str) -> str:
    """Return where a subject's last answers are. subject: a digest, so that no id is in the key."""
    return redis_key(shop, "told", subject)


def merged(before: Answers, now: Answers) -> Answers:
    """Return the answers as they stand: no answer takes none back."""
    later = {each: getattr(now, each) for each in PURPOSES if getattr(now, each) is not None}
    return msgspec.structs.replace(before, **later, gpc=before.gpc or now.gpc)


def news(before: Answers | None, now: Answers) -> News | None:
    """Return what is new against what was told before, None when nothing is.

    before: None for somebody who never told us anything that we were allowed to write down.
    """
    if before == now:
        return None
    known = before or Answers()
    answers = merged(known, now)
    if answers == known:
        return None
    return News(answers, withdrawn(known, answers))


def withdrawn(before: Answers, after: Answers) -> tuple[str, ...]:
    """Return the purposes that were allowed and are refused now."""
    return tuple(each for each in PURPOSES if getattr(before, each) and getattr(after, each) is False)


def all_withdrawn(several: Iterable[News]) -> tuple[str, ...]:
    """Return the purposes withdrawn by any of the news, in Shopify's order."""
    taken_back = {each for one in several for each in one.withdrawn}
    return tuple(each for each in PURPOSES if each in taken_back)


def pack(answers: Answers) -> bytes:
    """Return the answers as Redis holds them."""
    return _encoder.encode(answers)


def unpack(value: bytes | None) -> Answers | None:
    """Return the answers, None for what is absent or unreadable."""
    try:
        return None if value is None else _decoder.decode(value)
    except msgspec.DecodeError:
        return None

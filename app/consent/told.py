"""Compares a person's new consent with their last one: what changed, and what was withdrawn. Pure."""

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
class ConsentChange:
    """How answers differ from the last ones. withdrawn: purposes refused now that were not before."""

    answers: Answers
    withdrawn: tuple[str, ...]


def told_key(shop: str, subject: str) -> str:
    """Return where a subject's last answers are. subject: a digest, so that no id is in the key."""
    return redis_key(shop, "told", subject)


def merged(before: Answers, now: Answers) -> Answers:
    """Return the answers as they stand: no answer takes none back."""
    return Answers(
        before.analytics if now.analytics is None else now.analytics,
        before.marketing if now.marketing is None else now.marketing,
        before.preferences if now.preferences is None else now.preferences,
        before.sale_of_data if now.sale_of_data is None else now.sale_of_data,
        before.gpc or now.gpc,
    )


def consent_change(before: Answers | None, now: Answers) -> ConsentChange | None:
    """Return what is new against what was told before, None when nothing is.

    before: None for somebody of whom nothing was written down. That they may be written down now is
    news, even where they gave no answer and the shop's policy speaks for them.
    """
    answers = merged(before or Answers(), now)
    if before is None:
        return ConsentChange(answers, ())
    return None if answers == before else ConsentChange(answers, withdrawn(before, answers))


def withdrawn(before: Answers, after: Answers) -> tuple[str, ...]:
    """Return the purposes that are refused now and were not before.

    What nobody answered may have been allowed by the shop's policy, so refusing that takes it back too.
    """
    refused = (each for each in PURPOSES if getattr(after, each) is False)
    return tuple(each for each in refused if getattr(before, each) is not False)


def all_withdrawn(several: Iterable[ConsentChange]) -> tuple[str, ...]:
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

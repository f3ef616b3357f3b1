"""A shopper's history with the shop's campaigns (frequency caps, delays, codes), as one packed value. Pure.

A showing is one place in one session: whoever asks again from the same checkout, because the cart
changed or an answer was lost, sees what they saw before, and it is not counted again. So repeats and
questions that overtake each other count nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from app.profiles.visit import PAUSE_S, Visit

KEPT_S = 90 * 24 * 3600  # after the last showing; the longest that a campaign lasts for one shopper
MOST_KEPT = 100
MOST_PLACES = 8  # of a session in which one campaign stands
MOST_GONE = 20  # products of a campaign


class CampaignHistory(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One campaign's history with one shopper. Times are epoch seconds, 0 for never.

    times, in_session: how often it was shown, at all and in this session.
    matched_at: since when it matches in this session.
    place: where it stands in this session, the latest first, separated by spaces.
    code: the shopper's own, until expires_at. pool: the one it is from; empty in older entries.
    dismissed: whether it was sent away. gone: those of its products that were, the latest last.
    """

    times: int = 0
    in_session: int = 0
    first_at: int = 0
    last_at: int = 0
    matched_at: int = 0
    place: str = ""
    code: str | None = None
    expires_at: int = 0
    dismissed: bool = False
    pool: str = ""
    gone: tuple[int, ...] = ()


class ShopperHistory(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A shopper's history, by campaign. seen_at: when they last asked (epoch seconds)."""

    seen_at: int = 0
    fired: dict[str, CampaignHistory] = {}


class Showing(msgspec.Struct, frozen=True, gc=False):
    """The campaigns that a decision shows, or keeps waiting. at: epoch seconds."""

    at: int
    place: str
    shown: tuple[str, ...]
    waiting: tuple[str, ...] = ()


class HistoryUpdate(NamedTuple):
    """A decision's change to its shopper's history.

    unit: whose history, `customer:7`; None where nothing may be kept of the shopper. read: what was kept at
    the decision. codes: given out to the shopper, by campaign, each with its end and its pool.
    counts: the numbers of the campaigns that are counted once more.
    """

    shop: str
    unit: str | None
    read: bytes | None
    visit: Visit | None
    codes: Mapping[str, tuple[str, int, str]]
    showing: Showing
    counts: tuple[int, ...]

    def onto(self, value: bytes | None) -> bytes:
        """Return what is kept when it goes on top of a value, which may be newer than what was read."""
        history = unpack(value)
        new = is_new_session(history, self.visit, self.showing.at)
        known = in_this_session(history, new, history.fired)
        for name, (code, until, pool) in self.codes.items():
            before = known.get(name, NEVER)
            # One that was used meanwhile ended earlier than was read.
            ends_at = min(until, before.expires_at) if before.code == code else until
            known[name] = msgspec.structs.replace(before, code=code, expires_at=ends_at, pool=pool)
        return pack(after(history, known, self.showing))


NOTHING = ShopperHistory()
NEVER = CampaignHistory()

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ShopperHistory)


def pack(history: ShopperHistory) -> bytes:
    """Return the value as Redis holds it."""
    return _encoder.encode(history)


def unpack(value: bytes | None) -> ShopperHistory:
    """Return the value; an empty one for what is absent or was packed by another layout."""
    try:
        return NOTHING if value is None else _decoder.decode(value)
    except msgspec.DecodeError:
        return NOTHING


def place_of(surface: str, checkout_token: str | None) -> str:
    """Return where something is shown, as a hash that leads to no checkout by itself."""
    return blake2b(f"{surface}\0{checkout_token or ''}".encode(), digest_size=6).hexdigest()


def is_new_session(history: ShopperHistory, visit: Visit | None, at: int) -> bool:
    """Return whether a pause lies between the shopper's last question and now, as visits are counted.

    What the visit did in between bridges the pause, where that may be known. A clock that is behind
    makes no session.
    """
    if at - history.seen_at <= PAUSE_S:
        return False
    bridged = visit is not None and visit.began_at - history.seen_at <= PAUSE_S
    return not (bridged and visit is not None and at - visit.last_at <= PAUSE_S)


def in_this_session(
    history: ShopperHistory, new: bool, campaigns: Collection[str]
) -> dict[str, CampaignHistory]:
    """Return the history of these campaigns; a new session resets what is counted within one."""
    known = {name: fired for name, fired in history.fired.items() if name in campaigns}
    if not new:
        return known
    return {
        name: msgspec.structs.replace(fired, in_session=0, matched_at=0, place="")
        for name, fired in known.items()
    }


def is_standing(fired: CampaignHistory, place: str) -> bool:
    """Return whether it stands in this place already. place: cleared when a session begins."""
    return fired.in_session > 0 and place in fired.place.split()


def stands_at(fired: CampaignHistory) -> str:
    """Return where it was shown last in this session, nothing for nowhere."""
    return fired.place.partition(" ")[0]


def after(history: ShopperHistory, known: Mapping[str, CampaignHistory], showing: Showing) -> ShopperHistory:
    """Return what the shopper has seen after the showing; the same showing again changes no count.

    known: as of this session, with codes just granted.
    """
    fired = {**history.fired, **known}
    for name in showing.waiting:
        before = fired.get(name, NEVER)
        fired[name] = msgspec.structs.replace(before, matched_at=before.matched_at or showing.at)
    for name in showing.shown:
        fired[name] = _shown(fired.get(name, NEVER), showing)
    return ShopperHistory(max(history.seen_at, showing.at), _kept(fired, showing.at))


def newly_shown(known: Mapping[str, CampaignHistory], showing: Showing) -> tuple[str, ...]:
    """Return which of the shown were not standing there already."""
    return tuple(
        name for name in showing.shown if not is_standing(known.get(name, NEVER), showing.place)
    )  # fmt: skip


def dismissed(
    history: ShopperHistory, campaign_id: str, at: int, product_id: int | None = None
) -> ShopperHistory:
    """Return what the shopper has seen, with the campaign, or its product alone, sent away for good."""
    before = history.fired.get(campaign_id, NEVER)
    gone = msgspec.structs.replace(
        before,
        dismissed=before.dismissed or product_id is None,
        gone=before.gone if product_id is None else _with_gone(before.gone, product_id),
        last_at=max(before.last_at, at),
    )
    return ShopperHistory(history.seen_at, {**history.fired, campaign_id: gone})


def redeemed(history: ShopperHistory, codes: Collection[str], at: int) -> ShopperHistory:
    """Return what the shopper has seen, with those of the codes that are theirs ended. codes: in capitals."""
    ended = {
        name: msgspec.structs.replace(fired, expires_at=min(fired.expires_at, at))
        for name, fired in history.fired.items()
        if fired.code in codes
    }
    return ShopperHistory(history.seen_at, {**history.fired, **ended})


def _with_gone(gone: tuple[int, ...], product_id: int) -> tuple[int, ...]:
    return (*(each for each in gone if each != product_id), product_id)[-MOST_GONE:]


def _shown(before: CampaignHistory, showing: Showing) -> CampaignHistory:
    again = is_standing(before, showing.place)
    return msgspec.structs.replace(
        before,
        times=before.times + (not again),
        in_session=before.in_session + (not again),
        first_at=before.first_at or showing.at,
        last_at=max(before.last_at, showing.at),
        matched_at=before.matched_at or showing.at,
        place=_with_place(before.place, showing.place),
    )


def _with_place(places: str, place: str) -> str:
    """Return the places with one more: two blocks of a checkout ask in turns, and each shows it still."""
    return " ".join(list(dict.fromkeys((place, *places.split())))[:MOST_PLACES])


def _kept(fired: Mapping[str, CampaignHistory], at: int) -> dict[str, CampaignHistory]:
    """Return the latest, without what is older than anything is remembered."""
    recent = {name: each for name, each in fired.items() if _touched(each) > at - KEPT_S}
    if len(recent) <= MOST_KEPT:
        return recent
    latest = sorted(recent, key=lambda name: (-_touched(recent[name]), name))[:MOST_KEPT]
    return {name: recent[name] for name in latest}


def _touched(fired: CampaignHistory) -> int:
    return max(fired.last_at, fired.matched_at, fired.expires_at)

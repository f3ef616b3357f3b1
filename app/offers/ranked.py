"""Rankings, several together, and those that were worked out a moment ago for whoever asks the same again.

A checkout asks for each place that it has for offers, when it is opened again, and on the pages after it;
and many carts hold the same. A ranking follows from the shop's snapshot, the cart and what is known of the
shopper, so it is kept under these, by a digest: what was bought before can't be read from what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from app.offers.situation import Situation
from app.offers.snapshot import ShopSnapshot
from app.offers.static import Pick
from app.offers.wire import Why
from app.recommend.model import Keep, Model, Ranking, Scored, Visit
from app.recommend.reasons import Reason
from app.recommend.terms import Past
from app.values import gid

CANDIDATES = 24
MOST = 8_000  # about 5 KB each
MOST_PICKS = 8  # of one ranking, beside other things

_Key = tuple[str, str, bytes]
_encoder = msgspec.msgpack.Encoder()


@dataclass(slots=True)
class Ranked:
    """A ranking as it was told, those of its places that were explained, and what was picked beside what."""

    ranking: Ranking
    product_ids: list[int]
    scores: list[float]
    explained: dict[int, Pick] = field(default_factory=dict)
    picks: dict[bytes, tuple[Pick, ...]] = field(default_factory=dict)


class Rankings:
    """The rankings that a process was asked for last. asked: how often; made: how often there was none."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ranked: dict[_Key, Ranked] = {}
        self.asked = self.made = 0

    @property
    def found(self) -> int:
        """Return how often one was there, or was just made for somebody else."""
        return self.asked - self.made

    def picks(self, key: _Key, beside: bytes) -> tuple[Pick, ...] | None:
        """Return what was picked of the ranking beside that, None when it is to be worked out."""
        self.asked += 1
        ranked = self.of(key)
        return None if ranked is None else ranked.picks.get(beside)

    def of(self, key: _Key) -> Ranked | None:
        """Return the ranking kept there, None when there is none any more."""
        ranked = self._ranked.pop(key, None)
        if ranked is not None:
            self._ranked[key] = ranked  # the last one again
        return ranked

    def keep(self, key: _Key, ranked: Ranked) -> None:
        """Keep a ranking, and let go of the one that was asked for longest ago when there are too many."""
        self.made += 1
        self._ranked[key] = ranked
        if len(self._ranked) > self._most:
            del self._ranked[next(iter(self._ranked))]

    def __len__(self) -> int:
        return len(self._ranked)


class Wanted(NamedTuple):
    """A situation to rank for, and what says which of the ranked to offer in it."""

    situation: Situation
    keep: Keep


def ranking(shop: ShopSnapshot, situation: Situation, keep: Keep) -> tuple[Pick, ...]:
    """Return what is kept of the products that the model, which there must be, ranks best."""
    return rankings(shop, [Wanted(situation, keep)], Rankings())[0]


def rankings(shop: ShopSnapshot, wanted: Sequence[Wanted], known: Rankings) -> list[tuple[Pick, ...]]:
    """Return the same for several, each as it would be alone.

    What is not known is worked out one step for all after the other, and kept. known: rankings of the same
    `keep`.
    """
    keys = [(_key(shop, situation), _digest(_beside(situation))) for situation, _ in wanted]
    picks = [known.picks(*key) for key in keys]
    open_ = [at for at, found in enumerate(picks) if found is None]
    if open_:
        asked = [_Asked(*wanted[at], *keys[at]) for at in open_]
        for at, found in zip(open_, _worked_out(shop, asked, known), strict=True):
            picks[at] = found
    return [found for found in picks if found is not None]


class _Asked(NamedTuple):
    """What is wanted, and what it is kept under."""

    situation: Situation
    keep: Keep
    key: _Key
    beside: bytes


def _worked_out(shop: ShopSnapshot, asked: Sequence[_Asked], known: Rankings) -> list[tuple[Pick, ...]]:
    """Return the picks, of rankings that are made where there are none."""
    model = shop.model
    assert model is not None
    visits = [visit_of(model, one.situation) for one in asked]
    lists = {one.key: known.of(one.key) for one in asked}
    new = {one.key: visit for one, visit in zip(asked, visits, strict=True) if lists[one.key] is None}
    made = _made(shop, model, new)
    for key, of in made.items():
        known.keep(key, of)
    ranked = [lists[one.key] or made[one.key] for one in asked]
    kept = [one.keep(of.product_ids, of.scores) for one, of in zip(asked, ranked, strict=True)]
    return [
        _picks(model, visit, of, places, one.beside)
        for one, visit, of, places in zip(asked, visits, ranked, kept, strict=True)
    ]


def pick_of(scored: Scored) -> Pick:
    """Return the product as it is offered, with the reasons for it."""
    companion = scored.reasons[0].with_product_id if scored.reasons else None
    return Pick(scored.product_id, tuple(map(_why, scored.reasons)), companion)


def visit_of(model: Model, situation: Situation) -> Visit:
    """Return the situation as the model sees it. Of an empty cart, what was looked at stands in its place."""
    history = {product_id: Past(times, days) for product_id, times, days in situation.history}
    return model.visit(asked_about(situation), situation.customer_id, history, situation.orders)


def _made(shop: ShopSnapshot, model: Model, visits: Mapping[_Key, Visit]) -> dict[_Key, Ranked]:
    found = model.rankings(list(visits.values()), shop.allowed, CANDIDATES)
    return {
        key: Ranked(of, model.product_ids.take(of.chosen).tolist(), of.scores.tolist())
        for key, of in zip(visits, found, strict=True)
    }


def _picks(
    model: Model, visit: Visit, ranked: Ranked, kept: Sequence[int], beside: bytes
) -> tuple[Pick, ...]:
    """Return these places of a ranking with what speaks for each, kept beside it."""
    if unexplained := [place for place in kept if place not in ranked.explained]:
        scored = model.explained(visit, ranked.ranking, unexplained)
        ranked.explained.update(zip(unexplained, map(pick_of, scored), strict=True))
    if len(ranked.picks) >= MOST_PICKS:
        ranked.picks.clear()
    picks = ranked.picks[beside] = tuple(ranked.explained[place] for place in kept)
    return picks


def _key(shop: ShopSnapshot, situation: Situation) -> _Key:
    """Return all that a ranking depends on."""
    asked = (asked_about(situation), situation.customer_id, situation.history, situation.orders)
    return shop.shop, shop.version, _digest(asked)


def _beside(situation: Situation) -> tuple[object, ...]:
    """Return all that `keep` looks at beside the ranking."""
    return situation.cart, situation.subtotal_minor, situation.viewed, situation.sent_away


def asked_about(situation: Situation) -> tuple[int, ...]:
    """Return the products that something is sought for, none of which is offered."""
    return situation.cart or situation.viewed


def _digest(value: object) -> bytes:
    return blake2b(_encoder.encode(value), digest_size=16).digest()


def _why(reason: Reason) -> Why:
    companion = reason.with_product_id
    return Why(
        reason=reason.reason,
        weight=round(reason.weight, 2),
        with_=None if companion is None else gid("Product", companion),
    )

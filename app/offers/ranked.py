"""Rankings that were worked out a moment ago, for whoever asks the same again.

A checkout asks for each place that it has for offers, when it is opened again, and on the pages after it;
and many carts hold the same. A ranking follows from the shop's snapshot, the cart and what is known of the
shopper, so it is kept under these, by a digest: what was bought before can't be read from what is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from app.offers.situation import Situation
from app.offers.snapshot import ShopSnapshot
from app.offers.static import Pick
from app.offers.wire import Why
from app.recommend.arrays import Mask
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


class RankingCache:
    """The rankings that a process was last asked for.

    asked: how often. found: how often one was there.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ranked: dict[_Key, Ranked] = {}
        self.asked = self.found = 0

    def of(self, key: _Key) -> Ranked | None:
        """Return the ranking kept there, None when there is none any more."""
        self.asked += 1
        ranked = self._ranked.pop(key, None)
        if ranked is not None:
            self.found += 1
            self._ranked[key] = ranked  # the last one again
        return ranked

    def keep(self, key: _Key, ranked: Ranked) -> None:
        """Keep a ranking, and let go of the one that was asked for longest ago when there are too many."""
        self._ranked[key] = ranked
        if len(self._ranked) > self._most:
            del self._ranked[next(iter(self._ranked))]

    def __len__(self) -> int:
        return len(self._ranked)


def ranking(
    shop: ShopSnapshot, situation: Situation, keep: Keep, cache: RankingCache | None = None
) -> tuple[Pick, ...]:
    """Return what is kept of the products that the model, which there must be, ranks best.

    cache: to take the ranking from, or to put it in; of the same `keep` always.
    """
    assert shop.model is not None
    key, beside = _key(shop, situation), _digest(_beside(situation))
    ranked = None if cache is None else cache.of(key)
    if ranked is not None and beside in ranked.picks:
        return ranked.picks[beside]
    visit = visit_of(shop.model, situation)
    if ranked is None:
        ranked = _ranked(shop.model, visit, shop.allowed)
        if cache is not None:
            cache.keep(key, ranked)
    if len(ranked.picks) >= MOST_PICKS:
        ranked.picks.clear()
    picks = ranked.picks[beside] = _picks(shop.model, visit, ranked, keep)
    return picks


def pick_of(scored: Scored) -> Pick:
    """Return the product as it is offered, with the reasons for it."""
    companion = scored.reasons[0].with_product_id if scored.reasons else None
    return Pick(scored.product_id, tuple(map(_why, scored.reasons)), companion)


def visit_of(model: Model, situation: Situation) -> Visit:
    """Return the situation as the model sees it. Of an empty cart, what was looked at stands in its place."""
    history = {product_id: Past(times, days) for product_id, times, days in situation.history}
    return model.visit(asked_about(situation), situation.customer_id, history, situation.orders)


def _ranked(model: Model, visit: Visit, allowed: Mask | None) -> Ranked:
    found = model.ranking(visit, allowed, CANDIDATES)
    return Ranked(found, model.product_ids.take(found.chosen).tolist(), found.scores.tolist())


def _picks(model: Model, visit: Visit, ranked: Ranked, keep: Keep) -> tuple[Pick, ...]:
    kept = keep(ranked.product_ids, ranked.scores)
    if unexplained := [place for place in kept if place not in ranked.explained]:
        scored = model.explained(visit, ranked.ranking, unexplained)
        ranked.explained.update(zip(unexplained, map(pick_of, scored), strict=True))
    return tuple(ranked.explained[place] for place in kept)


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

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
from app.recommend.model import Keep, Model, Ranking, Scored, Visit
from app.recommend.terms import Past

CANDIDATES = 24
MOST = 8_000  # about 4 KB each

_Key = tuple[str, str, bytes]
_encoder = msgspec.msgpack.Encoder()


@dataclass(slots=True)
class Ranked:
    """A ranking as it was told, and those of its places that were explained."""

    ranking: Ranking
    product_ids: list[int]
    scores: list[float]
    explained: dict[int, Scored] = field(default_factory=dict)


class Rankings:
    """The rankings that a process was asked for last. asked: how often; found: how often one was there."""

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
    shop: ShopSnapshot, situation: Situation, keep: Keep, known: Rankings | None = None
) -> list[Scored]:
    """Return what is kept of the products that the model, which there must be, ranks best.

    known: rankings to take this one from, or to keep it in.
    """
    model, visit = shop.model, None
    assert model is not None
    key = None if known is None else _key(shop, situation)
    ranked = None if known is None or key is None else known.of(key)
    if ranked is None:
        visit = visit_of(model, situation)
        found = model.ranking(visit, shop.allowed, CANDIDATES)
        ranked = Ranked(found, model.product_ids.take(found.chosen).tolist(), found.scores.tolist())
        if known is not None and key is not None:
            known.keep(key, ranked)
    kept = keep(ranked.product_ids, ranked.scores)
    if unexplained := [place for place in kept if place not in ranked.explained]:
        scored = model.explained(visit or visit_of(model, situation), ranked.ranking, unexplained)
        ranked.explained.update(zip(unexplained, scored, strict=True))
    return [ranked.explained[place] for place in kept]


def visit_of(model: Model, situation: Situation) -> Visit:
    """Return the situation as the model sees it. Of an empty cart, what was looked at stands in its place."""
    history = {product_id: Past(times, days) for product_id, times, days in situation.history}
    return model.visit(_asked_about(situation), situation.customer_id, history, situation.orders)


def _asked_about(situation: Situation) -> tuple[int, ...]:
    return situation.cart or situation.viewed


def _key(shop: ShopSnapshot, situation: Situation) -> _Key:
    asked = (_asked_about(situation), situation.customer_id, situation.history, situation.orders)
    return shop.shop, shop.version, blake2b(_encoder.encode(asked), digest_size=16).digest()
